// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:04:07Z
// Spec: openspec/specs/plan/spec.md#requirement-difference-to-a-commit
// Diagram: openspec/specs/plan/diagram.md#two-trees

package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

// site is a project under git, with one commit.
type site struct {
	tb  testing.TB
	dir string
}

func newSite(tb testing.TB) site {
	tb.Helper()
	s := site{tb, tb.TempDir()}
	if err := os.CopyFS(s.dir, os.DirFS("testdata/plans/project")); err != nil {
		tb.Fatal(err)
	}
	s.git("init", "-q", "-b", "main", "--template=")
	s.git("add", "-A")
	s.git("commit", "-q", "-m", "base")
	return s
}

// git runs git at a fixed time, so that the commits have fixed names.
func (s site) git(args ...string) {
	s.tb.Helper()
	cmd := exec.Command("git", args...)
	cmd.Dir = s.dir
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir, "GIT_CONFIG_NOSYSTEM=1", "TZ=UTC",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_AUTHOR_DATE=2026-11-01T00:00:00Z",
		"GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.com", "GIT_COMMITTER_DATE=2026-11-01T00:00:00Z",
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		s.tb.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// edit replaces text in a file, or with an empty old text adds to its end.
func (s site) edit(file, old, now string) {
	s.tb.Helper()
	path := filepath.Join(s.dir, file)
	data, err := os.ReadFile(path)
	if err != nil && old != "" {
		s.tb.Fatal(err)
	}
	text := string(data) + now
	if old != "" {
		if text = strings.Replace(string(data), old, now, 1); text == string(data) {
			s.tb.Fatalf("%s has no %q", file, old)
		}
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.tb.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.tb.Fatal(err)
	}
}

// call runs packer-hybrid in the project, without Packer.
func (s site) call(args ...string) (string, int) {
	s.tb.Helper()
	var out, errs bytes.Buffer
	environ := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.tb.TempDir(),
		"PKR_VAR_build_password=script-only-secret-value",
	}
	args = append([]string{"-C", s.dir, "--packer", "/opt/none/packer"}, args...)
	code := run(s.tb.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, args, environ)
	if errs.Len() > 0 && code == 0 {
		s.tb.Errorf("%v: standard error: %s", args, &errs)
	}
	return out.String() + errs.String(), code
}

// fingerprint changes with everything that a write would leave.
func (s site) fingerprint() string {
	s.tb.Helper()
	hash := sha256.New()
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		fmt.Fprintln(hash, path, info.Size(), info.Mode(), info.ModTime().UnixNano())
		return err
	})
	if err != nil {
		s.tb.Fatal(err)
	}
	return fmt.Sprintf("%x", hash.Sum(nil))
}

const (
	role    = "templates/ansible/roles/base/tasks/main.yml"
	catalog = "templates/images.hcl"
	locked  = "sources/sources.lock.hcl"
	deb13   = "image \"debian-13\" {\n  os        = \"linux\"\n  family    = \"debian\"\n  version   = \"13\"\n  title " +
		"    = \"Debian 13\"\n  platforms = [\"vsphere\"]\n"
)

// scenarios are changes of the project, by the name of their golden files.
func scenarios() map[string]func(site) {
	all := map[string]func(site){
		"nothing":          func(site) {},
		"role-file":        func(s site) { s.edit(role, "state: present", "state: latest") },
		"plugin":           func(s site) { s.edit(locked, `version = "1.4.2"`, `version = "1.4.3"`) },
		"source":           func(s site) { s.edit(locked, "v1.0.0", "v1.1.0"); s.edit(locked, "01234567890", "99999999999") },
		"new-image":        func(s site) { s.edit(catalog, "", "\n"+strings.ReplaceAll(deb13, "13", "14")+"}\n") },
		"removed-platform": func(s site) { s.edit(catalog, `["proxmox", "vsphere"]`, `["vsphere"]`) },
		"removed-image":    func(s site) { s.edit(catalog, "\n"+deb13+"}\n", "") },
		"rename":           func(s site) { s.edit(catalog, `image "debian-13"`, `image "trixie"`) },
		"unsupported": func(s site) {
			s.edit(catalog, deb13, deb13+"\n  unsupported \"proxmox\" {\n    reason = \"no installer for it\"\n  }\n")
		},
		"broken-base": func(s site) {
			s.edit(catalog, "image", "imgae")
			s.git("commit", "-qam", "broken")
			s.edit(catalog, "imgae", "image")
		},
		"hostile": func(s site) {
			s.edit("configs/lab/common.pkrvars.hcl", "", "packages = [\"`|</details>@everyone <!-- \\u202e[x](http://y) ::error::\"]\n")
			s.edit("templates/ansible/roles/base/files/`@all`|<img src=x>\x1b[31m", "", "x")
		},
	}
	for name, file := range map[string]string{
		"os": "templates/vars/linux/common", "os-platform": "templates/vars/linux/vsphere", "family": "templates/vars/linux/debian/common",
		"family-platform": "templates/vars/linux/debian/vsphere", "version": "templates/vars/linux/debian/12/common",
		"version-platform": "templates/vars/linux/debian/12/vsphere", "env": "configs/lab/common", "env-platform": "configs/lab/vsphere",
		"image": "configs/lab/debian-12",
	} {
		all["layer-"+name] = func(s site) { s.edit(file+".pkrvars.hcl", "", "cpus = 4\n") }
	}
	all["many"] = func(s site) {
		for _, name := range []string{"role-file", "plugin", "source", "removed-platform", "rename", "layer-family", "new-image"} {
			all[name](s)
		}
	}
	all["layer-default"] = func(s site) { s.edit("templates/common.pkr.hcl", "default = 1", "default = 2") }
	return all
}

// TestGoldenPlans plans each scenario against the commit before it. To see
// what a change of the code does to the answers, run it with -update and read
// the difference.
func TestGoldenPlans(t *testing.T) {
	t.Parallel()
	schema := compileSchema(t, "plan")
	for name, change := range scenarios() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			change(s)
			before := s.fingerprint()
			args := []string{"plan", "--base", "HEAD"}
			if strings.HasPrefix(name, "layer-") {
				args = append(args, "debian-12", "--targets", "vsphere")
			}
			for _, form := range []string{"text", "markdown", "json"} {
				out, code := s.call(append(args, "--output", form)...)
				if code != 0 {
					t.Fatalf("exit code %d: %s", code, out)
				}
				goldenPlan(t, name+map[string]string{"text": ".txt", "markdown": ".md", "json": ".json"}[form], out, s.dir)
				if form == "json" {
					valid(t, schema, out)
				}
			}
			if s.fingerprint() != before {
				t.Error("the plan wrote into the project")
			}
			_, code := s.call(append(args, "--detailed-exitcode")...)
			if want := map[bool]int{true: 0, false: 4}[name == "nothing" || name == "source" || name == "unsupported"]; code != want {
				t.Errorf("--detailed-exitcode: %d, want %d", code, want)
			}
		})
	}
}

// TestGoldenPlansOfRecords plans against a state.
func TestGoldenPlansOfRecords(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.record()
	s.edit("templates/ansible/linux.yml", "- base", "- base\n    - more")
	s.edit("configs/lab/debian-12.pkrvars.hcl", "", "cpus = 4\n")
	s.edit(catalog, "\n"+deb13+"}\n", "")
	before := s.fingerprint()
	for _, form := range []string{"text", "markdown", "json"} {
		out, code := s.call("plan", "--output", form)
		if code != 0 {
			t.Fatalf("exit code %d: %s", code, out)
		}
		goldenPlan(t, "record"+map[string]string{"text": ".txt", "markdown": ".md", "json": ".json"}[form], out, s.dir)
		if form == "json" {
			valid(t, compileSchema(t, "plan"), out)
		}
	}
	if s.fingerprint() != before {
		t.Error("the plan wrote into the project or its state")
	}
}

// record makes a state in which everything was built from the commit.
func (s site) record() {
	s.tb.Helper()
	out, _ := s.call("plan", "--output", "json")
	var doc struct{ Plan hybridcore.Plan }
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		s.tb.Fatalf("%v: %s", err, out)
	}
	dir, err := directory.Open(filepath.Join(s.dir, "state"))
	if err != nil {
		s.tb.Fatal(err)
	}
	err = dir.Update(s.tb.Context(), func(snapshot *hybridcore.Snapshot) error {
		snapshot.Targets = map[string]hybridcore.Current{}
		for _, p := range doc.Plan.Targets {
			snapshot.Targets[p.Target.Key()] = hybridcore.Current{
				RunID: "20261101t000000-1a2b3c4d", At: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Commit: doc.Plan.Commit,
				Digest: p.Target.Digest, Recipe: p.Target.Recipe, Inputs: p.Target.Inputs, Versions: map[string]string{},
				Inventory: &hybridcore.Inventory{File: "records/x/y.inventory.json", SHA256: strings.Repeat("a", 64), Packages: 214},
			}
		}
		return nil
	})
	if err != nil {
		s.tb.Fatal(err)
	}
}

func goldenPlan(t *testing.T, name, got, dir string) {
	t.Helper()
	if strings.Contains(got, dir) || strings.Contains(got, "script-only-secret-value") {
		t.Errorf("%s holds an absolute path or a secret:\n%s", name, got)
	}
	goldentest.Compare(t, filepath.Join("plans", name), got)
}

func compileSchema(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("..", "..", "docs", "schemas", name+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

func valid(t *testing.T, schema *jsonschema.Schema, text string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err == nil {
		err = schema.Validate(value)
	}
	if err != nil {
		t.Errorf("the document does not fit its schema: %v", err)
	}
}

// TestRecordsFitTheirSchema takes the document that the reports' tests hold to
// its last byte.
func TestRecordsFitTheirSchema(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../checks/testdata/document.json")
	if err != nil {
		t.Fatal(err)
	}
	valid(t, compileSchema(t, "record"), string(text))
}

// TestRevertIsInverse plans every scenario in both directions.
func TestRevertIsInverse(t *testing.T) {
	t.Parallel()
	for name, change := range scenarios() {
		if name == "broken-base" {
			continue // nothing is known of what does not load
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			s.git("tag", "one")
			change(s)
			s.git("add", "-A")
			s.git("commit", "-q", "--allow-empty", "-m", "two")
			s.git("tag", "two")
			there := s.changes("one")
			s.git("checkout", "-q", "one")
			back := s.changes("two")
			if diff := cmp.Diff(there, invert(back)); diff != "" {
				t.Errorf("there (-) and back, inverted (+):\n%s", diff)
			}
			if name != "nothing" && name != "unsupported" && len(there) == 0 {
				t.Error("the change has no effect")
			}
		})
	}
}

// changes are the values of a plan: "SUBJECT" → was, now. Places and layers
// are those of the working tree only, and are left out.
func (s site) changes(base string) map[string][2]string {
	s.tb.Helper()
	out, _ := s.call("plan", "--base", base, "--output", "json")
	var doc struct{ Plan hybridcore.Plan }
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		s.tb.Fatalf("%v: %s", err, out)
	}
	renamed := map[string]string{} // a renamed image goes by both names
	for _, t := range doc.Plan.Targets {
		for _, r := range t.Reasons {
			if r.Kind == "renamed" {
				renamed[r.Now] = min(r.Was, r.Now)
			}
		}
	}
	all := map[string][2]string{}
	for _, t := range doc.Plan.Pending() {
		name := t.Target.Name()
		if both := renamed[t.Target.Image.Name]; both != "" {
			name = hybridcore.TargetName(both, t.Target.Platform)
		}
		for _, r := range t.Reasons {
			switch r.Kind {
			case "new":
				all[name] = [2]string{"", "here"}
			case "renamed":
				all[name+" renamed"] = [2]string{r.Was, r.Now}
			default:
				all[name+" "+r.Kind+" "+r.Subject] = [2]string{r.Was, r.Now}
			}
		}
	}
	for _, r := range doc.Plan.Removed {
		all[hybridcore.TargetName(r.Image, r.Platform)] = [2]string{"here", ""}
	}
	for _, r := range doc.Plan.Moved {
		all["upstream "+r.Subject] = [2]string{r.Was, r.Now}
	}
	return all
}

func invert(changes map[string][2]string) map[string][2]string {
	inverse := map[string][2]string{}
	for subject, values := range changes {
		inverse[subject] = [2]string{values[1], values[0]}
	}
	return inverse
}
