// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:18:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-mutations-are-found
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package build_test

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
	"github.com/packer-hybrid/packer-hybrid/runner/plan"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// mutation is one mistake in the repository's own templates, and what is
// expected of it.
type mutation struct {
	Name   string `json:"name"`
	Target string `json:"target"`           // one that Packer can see it in
	Within string `json:"within,omitempty"` // the file; without, old stands in one file only
	Old    string `json:"old"`              // replaced once
	New    string `json:"new"`
	Raw    bool   `json:"raw,omitempty"` // not formatted afterwards
	Prod   bool   `json:"prod,omitempty"`
	Rule   string `json:"rule"` // or the kind, when the finding has no rule
	// The line: that of At in the mutated tree, or Line lines after that of the
	// mutation, or any.
	At      string   `json:"at,omitempty"`
	AtFile  string   `json:"at_file,omitempty"`
	Line    int      `json:"line,omitempty"`
	AnyLine bool     `json:"anyline,omitempty"`
	Extra   []string `json:"extra,omitempty"` // rules of findings that follow from the same mistake
	// Packer says whether `packer validate` 1.15.0 with the plugins proxmox
	// 1.2.3, vsphere 1.4.2, azure 2.5.0 and ansible 1.1.2 refused the target.
	Packer bool `json:"packer"`
}

func corpus(t *testing.T) []mutation {
	t.Helper()
	data, err := os.ReadFile("../testdata/mutations.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []mutation
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// tree is a copy of the repository's own project in dir.
func tree(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"templates", "configs", "sources"} {
		if err := os.CopyFS(filepath.Join(dir, name), os.DirFS(filepath.Join("..", "..", name))); err != nil {
			t.Fatal(err)
		}
	}
	project, err := os.ReadFile(filepath.Join("..", "..", config.FileName))
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, config.FileName), string(project))
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// check validates images, or all, of the environment lab on all platforms.
func check(t *testing.T, dir string, prod bool, policy *untrusted.Policy, images ...string) []hybridcore.Finding {
	t.Helper()
	found, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i := range found.Environments {
		found.Environments[i].Prod = prod
		found.Environments[i].Platforms = []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure}
	}
	store, err := directory.Open(filepath.Join(t.TempDir(), "state"))
	if err != nil {
		t.Fatal(err)
	}
	redactor, _ := redact.New()
	r := &project.Project{Config: found, State: store, Redactor: redactor}
	defer r.Close()
	planned, err := plan.Stage{Project: r}.Plan(t.Context(),
		hybridcore.Request{Action: hybridcore.ActionValidate, Env: "lab", Images: images})
	var findings []hybridcore.Finding
	if err == nil {
		findings, err = plan.Stage{Project: r}.Check(t.Context(), planned, policy)
	}
	if refused, ok := errors.AsType[*hybridcore.FindingsError](err); ok {
		return refused.Findings
	}
	if err != nil {
		t.Fatal(err)
	}
	return findings
}

// locate finds the one file below dir that holds a text, and the line.
func locate(t *testing.T, dir, within, text string) (string, int) {
	t.Helper()
	file, line := "", 0
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || within != "" && name != within || !strings.HasPrefix(name, "templates/") &&
			!strings.HasPrefix(name, "configs/lab/") {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, name))
		if before, _, found := strings.Cut(string(data), text); err == nil && found {
			if file != "" {
				t.Fatalf("%q stands in %s and in %s", text, file, name)
			}
			file, line = name, 1+strings.Count(before, "\n")
		}
		return err
	})
	if err != nil || file == "" {
		t.Fatalf("%q is not in the tree: %v", text, err)
	}
	return file, line
}

// mutate changes the tree and returns where the finding is expected.
func (m mutation) mutate(t *testing.T, dir string) (string, int) {
	t.Helper()
	file, line := locate(t, dir, m.Within, m.Old)
	path := filepath.Join(dir, file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(data), m.Old, m.New, 1)
	if strings.HasSuffix(file, ".hcl") && !m.Raw {
		if formatted, err := validate.Format([]byte(text), file); err == nil {
			text = string(formatted)
		}
	}
	write(t, path, text)
	if m.At != "" {
		if before, _, found := strings.Cut(text, m.At); found {
			return file, 1 + strings.Count(before, "\n")
		}
		return locate(t, dir, m.AtFile, m.At)
	}
	return file, line + m.Line
}

func ruleOf(f hybridcore.Finding) string {
	if f.Rule == "" {
		return f.Kind
	}
	return f.Rule
}

func TestCleanTree(t *testing.T) {
	t.Parallel()
	for _, prod := range []bool{false, true} {
		if findings := check(t, filepath.Join("..", ".."), prod, nil); len(findings) > 0 {
			t.Errorf("prod=%v: %v", prod, &hybridcore.FindingsError{Findings: findings})
		}
	}
	if findings := check(t, filepath.Join("..", ".."), false, &untrusted.Policy{}); len(findings) > 0 {
		t.Errorf("by the policy: %v", &hybridcore.FindingsError{Findings: findings})
	}
}

// Each mutation gives its finding, and no other.
func TestMutations(t *testing.T) {
	t.Parallel()
	all := corpus(t)
	if len(all) < 60 {
		t.Fatalf("the corpus has %d mutations", len(all))
	}
	for _, m := range all {
		t.Run(m.Name, func(t *testing.T) {
			t.Parallel()
			dir := tree(t)
			file, line := m.mutate(t, dir)
			findings := check(t, dir, m.Prod, nil, "debian-12")
			var rules []string
			found := false
			for _, f := range findings {
				rules = append(rules, ruleOf(f))
				found = found || ruleOf(f) == m.Rule && f.File == file && (m.AnyLine || f.Line == line)
			}
			want := append([]string{m.Rule}, m.Extra...)
			slices.Sort(rules)
			slices.Sort(want)
			if diff := cmp.Diff(want, rules); diff != "" || !found {
				t.Errorf("want %s at %s:%d; rules (-want +got):\n%s\n%v", m.Rule, file, line, diff,
					&hybridcore.FindingsError{Findings: findings})
			}
		})
	}
}
