// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:51:55Z
// Spec: openspec/specs/runner/spec.md#requirement-inputs-that-no-commit-has
// Diagram: openspec/specs/plan/diagram.md#two-trees

package runner

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
	"github.com/packer-hybrid/packer-hybrid/runner/build"
)

const hello = "templates/scripts/linux/hello.sh"

// committed is a fixture project in a repository, with everything committed.
func committed(t *testing.T) (*sandbox, *gittest.Upstream) {
	t.Helper()
	s := newSandbox(t)
	u := &gittest.Upstream{TB: t, Dir: s.dir}
	u.Git("init", "-q", "-b", "main", "--template=")
	gittest.Put(t, filepath.Join(s.dir, ".gitignore"), "/state/\n/logs/\n/sources/*/\n*.local.sh\nsecret.pkrvars.hcl\n")
	u.Commit("all")
	return s, u
}

func digest(content string) string {
	sum := sha256.Sum256([]byte(content))
	return hex.EncodeToString(sum[:])
}

// TestUncommittedInputs has inputs that are not as the commit has them, one of each kind.
func TestUncommittedInputs(t *testing.T) {
	read := func(s *sandbox, name string) string {
		content, err := os.ReadFile(filepath.Join(s.dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(content)
	}
	put := func(name, content string) func(*gittest.Upstream, *sandbox) {
		return func(u *gittest.Upstream, s *sandbox) { gittest.Put(u.TB, filepath.Join(s.dir, name), content) }
	}
	large := strings.Repeat("binary ", 1000)
	tests := map[string]struct {
		before, after func(*gittest.Upstream, *sandbox) // the commit
		want          []hybridcore.Uncommitted
	}{
		"nothing": {},
		"a file that is no input": {
			after: func(u *gittest.Upstream, s *sandbox) {
				put("notes.txt", "x\n")(u, s)
				put("configs/prod/vsphere.pkrvars.hcl", "vm_cpu_count = 9\n")(u, s)
			},
		},
		"a changed script": {
			after: put(hello, "#!/bin/sh\n# changed\n"),
			want:  []hybridcore.Uncommitted{{Input: hello, State: "changed", SHA256: digest("#!/bin/sh\n# changed\n")}},
		},
		"staged is not committed": {
			after: func(u *gittest.Upstream, s *sandbox) {
				put(hello, "#!/bin/sh\n# changed\n")(u, s)
				u.Git("add", "-A")
			},
			want: []hybridcore.Uncommitted{{Input: hello, State: "changed", SHA256: digest("#!/bin/sh\n# changed\n")}},
		},
		"an untracked script": {
			after: put("templates/scripts/linux/new.sh", "x\n"),
			want: []hybridcore.Uncommitted{
				{Input: "templates/scripts/linux/new.sh", State: "untracked", SHA256: digest("x\n")},
			},
		},
		"an ignored script": {
			after: put("templates/scripts/linux/a.local.sh", "x\n"),
			want: []hybridcore.Uncommitted{
				{Input: "templates/scripts/linux/a.local.sh", State: "untracked", SHA256: digest("x\n")},
			},
		},
		"an untracked variable file": {
			after: put("configs/lab/debian-12.pkrvars.hcl", "# none\n"),
			want: []hybridcore.Uncommitted{
				{Input: "configs/lab/debian-12.pkrvars.hcl", State: "untracked", SHA256: digest("# none\n")},
			},
		},
		"the project file": {
			after: func(u *gittest.Upstream, s *sandbox) {
				put("packer-hybrid.hcl", read(s, "packer-hybrid.hcl")+"# one more line\n")(u, s)
			},
			want: []hybridcore.Uncommitted{{Input: "packer-hybrid.hcl", State: "changed"}},
		},
		"a removed variable file": {
			before: put("configs/lab/common.pkrvars.hcl", "# none\n"),
			after: func(u *gittest.Upstream, s *sandbox) {
				if err := os.Remove(filepath.Join(s.dir, "configs/lab/common.pkrvars.hcl")); err != nil {
					u.TB.Fatal(err)
				}
			},
			want: []hybridcore.Uncommitted{{Input: "configs/lab/common.pkrvars.hcl", State: "removed"}},
		},
		"a removed script": {
			before: put("templates/scripts/linux/b.sh", "x\n"),
			after: func(u *gittest.Upstream, s *sandbox) {
				if err := os.Remove(filepath.Join(s.dir, "templates/scripts/linux/b.sh")); err != nil {
					u.TB.Fatal(err)
				}
			},
			want: []hybridcore.Uncommitted{{Input: "templates/scripts/linux/b.sh", State: "removed"}},
		},
		"other ends of lines": {
			after: func(u *gittest.Upstream, s *sandbox) {
				put(hello, strings.ReplaceAll(read(s, hello), "\n", "\r\n"))(u, s)
			},
			want: []hybridcore.Uncommitted{{Input: hello, State: "line-ends"}},
		},
		"a file of Git LFS": {
			before: put("templates/scripts/linux/big.bin", "version https://git-lfs.github.com/spec/v1\noid sha256:"+
				digest(large)+"\nsize 7000\n"),
			after: put("templates/scripts/linux/big.bin", large),
		},
		"a file that another program filters": { // nothing of the repository's configuration is started
			before: func(u *gittest.Upstream, s *sandbox) {
				put(".gitattributes", "* filter=bad\n")(u, s)
				u.Git("config", "filter.bad.clean", "touch started; cat")
				u.Git("config", "core.fsmonitor", "touch started")
			},
			after: func(u *gittest.Upstream, s *sandbox) {
				_ = os.Remove(filepath.Join(s.dir, "started"))
				put(hello, "#!/bin/sh\n")(u, s)
			},
			want: []hybridcore.Uncommitted{{Input: hello, State: "changed", SHA256: digest("#!/bin/sh\n")}},
		},
		"a variable of the environment": {
			after: func(_ *gittest.Upstream, s *sandbox) { s.Environ = append(s.Environ, "PKR_VAR_script=true") },
			want:  []hybridcore.Uncommitted{{Input: "var:script", State: "environment", SHA256: digest(`"true"`)}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, u := committed(t)
			if tt.before != nil {
				tt.before(u, s)
				u.Commit("before")
			}
			if tt.after != nil {
				tt.after(u, s)
			}
			plan, err := s.Plan(t.Context(), s.request(hybridcore.ActionBuild, "debian-12"))
			if err != nil || len(plan.Targets) != 1 || plan.Targets[0].Checkout == nil {
				t.Fatalf("%+v, %v", plan, err)
			}
			got := *plan.Targets[0].Checkout
			for i, one := range tt.want { // where the test does not know the digest, that of the file
				if content, err := os.ReadFile(filepath.Join(s.dir, one.Input)); err == nil && one.SHA256 == "" {
					tt.want[i].SHA256 = digest(string(content))
				}
			}
			want := hybridcore.Checkout{Commit: u.Git("rev-parse", "HEAD"), Differs: tt.want}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if _, err := os.Stat(filepath.Join(s.dir, "started")); err == nil {
				t.Error("a program of the repository was started")
			}
		})
	}
}

// TestProdTakesCommits builds for an environment that takes only what a commit has.
func TestProdTakesCommits(t *testing.T) {
	tests := map[string]struct {
		settings, env string
		refused       bool
	}{
		"prod":                 {"prod = true", "prod", true},
		"prod that takes all":  {"prod = true\n  clean = false", "prod", false},
		"lab":                  {"prod = true", "lab", false},
		"clean without prod":   {"clean = true", "prod", true},
		"no prod and no clean": {"prod = false", "prod", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s, u := committed(t)
			file := filepath.Join(s.dir, "packer-hybrid.hcl")
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			gittest.Put(t, file, strings.Replace(string(text), "prod      = true", tt.settings, 1))
			u.Commit("settings")
			gittest.Put(t, filepath.Join(s.dir, hello), "#!/bin/sh\necho changed\n")
			s = openSandbox(t, s.dir)
			req := s.request(hybridcore.ActionBuild, "debian-12")
			req.Env = tt.env
			plan, err := s.Plan(t.Context(), req)
			if err != nil {
				t.Fatal(err)
			}
			rec, err := s.Build(t.Context(), plan)
			got := hybridcore.ExitCode(err) == hybridcore.ExitBlocked && strings.Contains(fmt.Sprint(err), hello)
			if got != tt.refused {
				t.Fatalf("refused %v: %v", got, err)
			}
			runs, listed := s.State.Records(t.Context())
			if tt.refused {
				if rec.RunID != "" || listed != nil || len(runs) != 0 || s.leased(t) {
					t.Errorf("something began: %+v, records %v, %v", rec, runs, listed)
				}
				s.previews(t, tt.env)
				u.Commit("the script")
				s = openSandbox(t, s.dir)
				if plan, err = s.Plan(t.Context(), req); err != nil {
					t.Fatal(err)
				}
				if rec, err = s.Build(t.Context(), plan); err != nil {
					t.Fatal(err)
				}
			}
			stored, err := s.State.Record(t.Context(), rec.RunID)
			if err != nil || stored.Results[0].Provenance == nil {
				t.Fatalf("%+v, %v", stored.Results, err)
			}
			said := stored.Results[0].Provenance.Checkout
			if said.Clean() != tt.refused || said.Commit != u.Git("rev-parse", "HEAD") {
				t.Errorf("the record says %+v", said)
			}
			want := hybridcore.Uncommitted{
				Input: hello, State: hybridcore.InputChanged, SHA256: digest("#!/bin/sh\necho changed\n"),
			}
			if !tt.refused && !slices.Contains(said.Differs, want) {
				t.Errorf("the record says %+v", said)
			}
			tools := stored.Results[0].Provenance.Tools
			if len(tools) < 2 || tools[1].Name != "packer" || tools[1].Version != stored.Versions["packer"] {
				t.Errorf("tools %+v", tools)
			}
		})
	}
}

// leased says whether anything was leased.
func (s *sandbox) leased(t *testing.T) bool {
	t.Helper()
	leases, err := s.State.Leases(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(leases) > 0
}

// previews checks that a plan warns of what a build refuses, and that a publish refuses it too.
func (s *sandbox) previews(t *testing.T, env string) {
	t.Helper()
	for action, severity := range map[hybridcore.Action]hybridcore.Severity{
		hybridcore.ActionPlan: hybridcore.Warning, hybridcore.ActionPublish: hybridcore.Error,
	} {
		req := s.request(action, "debian-12")
		req.Env = env
		plan, err := s.Plan(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(plan.Findings, func(f hybridcore.Finding) bool {
			return f.Kind == "checkout" && f.File == hello && f.Severity == severity &&
				f.Blocking == (severity == hybridcore.Error)
		}) {
			t.Errorf("%s: %+v", action, plan.Findings)
		}
	}
}

// TestProdOutsideOfARepository: what is in no commit is in none that anybody has reviewed.
func TestProdOutsideOfARepository(t *testing.T) {
	s := newSandbox(t)
	req := s.request(hybridcore.ActionBuild, "debian-12")
	req.Env = "prod"
	answer, err := (&Runner{Project: s.Project, Folders: build.Folders{Logs: t.TempDir()}}).Do(t.Context(), req, nil)
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || !strings.Contains(fmt.Sprint(err), "no git repository") {
		t.Errorf("%+v, %v", answer, err)
	}
	rec := s.build(t.Context(), t, s.request(hybridcore.ActionBuild, "debian-12"))
	if p := rec.Results[0].Provenance; p == nil || p.Checkout.Unknown == "" || p.Checkout.Clean() {
		t.Errorf("the record says %+v", p)
	}
}
