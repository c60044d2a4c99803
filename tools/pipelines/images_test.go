// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:00:06Z
// Spec: openspec/specs/workflows/spec.md#requirement-one-workflow-for-images
// Diagram: openspec/specs/workflows/diagram.md#jobs-of-the-images

//go:build pipelines

package pipelines_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// TestImages runs what reaches platforms, in one lab.
func TestImages(t *testing.T) {
	t.Parallel()
	l := startLab(t)
	t.Run("push", func(t *testing.T) { testPush(t, l) })
	t.Run("dispatch", func(t *testing.T) { testDispatch(t, l) })
	t.Run("killed", func(t *testing.T) { testKilled(t, l) })
	t.Run("comment", func(t *testing.T) { testComment(t, l) })
}

// pushed is the event of a push of HEAD.
func (s *site) pushed(ref string) object {
	s.t.Helper()
	return object{
		"ref": ref, "after": s.rev("HEAD"),
		"head_commit": object{"id": s.rev("HEAD"), "message": "::add-mask::e\n::error::message"},
		"repository":  object{"id": 5, "full_name": repo, "default_branch": "main"},
		"sender":      object{"id": 4, "login": "mara"},
	}
}

// stateInGit has the jobs share a repository, and no folder.
func (s *site) stateInGit() {
	s.t.Helper()
	repository := filepath.Join(s.scratch, "state.git")
	s.git("init", "-q", "--bare", "--template=", repository)
	for i, entry := range s.runner {
		if strings.HasPrefix(entry, "PACKER_HYBRID_STATE=") {
			s.runner[i] = "PACKER_HYBRID_STATE=git+" + repository
		}
	}
}

// testPush builds on a push to the default branch, a job for each platform, and
// nothing on the next one; then comes the night. The state is in a repository.
func testPush(t *testing.T, l *lab.Lab) {
	t.Helper()
	s := newShortSite(t, l)
	s.stateInGit()
	s.github([]string{s.rev("HEAD")})
	r := s.act("push", s.pushed("refs/heads/main"))
	want := map[string]string{"decide": "success", "plan": "success", "build": "success", "collect": "success"}
	if diff := cmp.Diff(want, r.jobs()); r.code != 0 || diff != "" ||
		!strings.Contains(r.summary(), "Images for `lab`: 2 built") {
		t.Fatalf("exit code %d, jobs (-want +got):\n%s\n%s\n%s", r.code, diff, r.summary(), r.log())
	}
	s.outputs(r, "collect", "images", "plan.json", "record.json", "parity.json", "findings.sarif")
	s.noSecret(r)
	s.ownSecrets(r, []string{"decide", "plan", "collect"}, map[string][]string{
		"proxmox": {"PKR_VAR_BUILD_PASSWORD", "PKR_VAR_PROXMOX_TOKEN"},
		"vsphere": {"PKR_VAR_BUILD_PASSWORD", "PKR_VAR_VSPHERE_PASSWORD"},
	}, "build")
	s.concluded("success", "packer-hybrid plan lab", "packer-hybrid build lab",
		"packer-hybrid build lab/debian-12@vsphere", "packer-hybrid build lab/debian-12@proxmox")
	if errors := r.of("error"); len(errors) > 0 {
		t.Errorf("there are annotations: %+v", errors)
	}
	r = s.act("push", s.pushed("refs/heads/main"))
	if diff := cmp.Diff(map[string]string{"decide": "success", "plan": "success"}, r.jobs()); r.code != 0 || diff != "" ||
		!strings.Contains(r.log(), "plan for lab: 0 to build, 2 unchanged") {
		t.Errorf("with nothing changed: exit code %d\n%s\n%s", r.code, diff, r.log())
	}
	s.night("success")
	if issues := s.hub.Issues(); len(issues) > 0 {
		t.Errorf("all is well, and there is an issue: %v", issues)
	}
	// Somebody renames what was built: the night says so in an issue, which the next one closes when it is put right.
	var template proxmox.VM
	for _, vm := range l.Proxmox().VMs() {
		if strings.HasPrefix(vm.Name, "debian-12-2") {
			template = vm
		}
	}
	for _, step := range []struct{ name, reported, state string }{
		{"mine", "failure", "open"}, {template.Name, "success", "closed"},
	} {
		rename(t, l, template.ID, step.name)
		s.night(step.reported)
		if issues := s.hub.Issues(); len(issues) != 1 || issues[0]["state"] != step.state ||
			step.state == "open" && !strings.Contains(fmt.Sprint(issues[0]["body"]), "has another name now: mine") {
			t.Errorf("named %s, the issues are %v", step.name, issues)
		}
	}
	// A tag of what is built already: nothing is built, everything is published.
	s.git("tag", "v1.0.0")
	s.git("push", "-q", "origin", "v1.0.0")
	r = s.act("push", s.pushed("refs/tags/v1.0.0"))
	want = map[string]string{
		"decide": "success", "plan": "success", "release-plan": "success", "prepare": "success", "mark": "success",
		"released": "success",
	}
	if diff := cmp.Diff(want, r.jobs()); r.code != 0 || diff != "" || !strings.Contains(r.summary(), "v1.0.0") {
		t.Errorf("a tag: exit code %d\n%s\n%s\n%s", r.code, diff, r.summary(), r.log())
	}
	s.noSecret(r)
	s.ownSecrets(r, []string{"decide", "plan", "release-plan", "released"}, map[string][]string{
		"proxmox": {"PKR_VAR_PROXMOX_TOKEN"}, "vsphere": {"PKR_VAR_VSPHERE_PASSWORD"},
	}, "prepare", "mark")
}

// night runs the schedule, whose report ends so, and returns what it said.
func (s *site) night(reported string) string {
	s.t.Helper()
	r := s.act("schedule", object{
		"schedule":   "17 3 * * *",
		"repository": object{"full_name": repo, "default_branch": "main"},
	})
	want := map[string]string{"decide": "success", "plan": "success", "reap": "success", "reaped": reported}
	if diff := cmp.Diff(want, r.jobs()); (r.code == 0) != (reported == "success") || diff != "" ||
		!strings.Contains(r.log(), "plan for lab:") {
		s.t.Errorf("exit code %d, jobs (-want +got):\n%s\n%s", r.code, diff, r.log())
	}
	s.ownSecrets(r, []string{"decide", "plan", "reaped"}, map[string][]string{
		"proxmox": {"PKR_VAR_PROXMOX_TOKEN"}, "vsphere": {"PKR_VAR_VSPHERE_PASSWORD"},
		"azure": {"PKR_VAR_AZURE_CLIENT_SECRET"},
	}, "reap")
	return r.log()
}

// ownSecrets fails unless the jobs of a run near each platform have the secrets of
// that one and no other's, and the other jobs have the token alone.
func (s *site) ownSecrets(r ran, others []string, platforms map[string][]string, near ...string) {
	s.t.Helper()
	had := map[string]map[string]bool{}
	for _, e := range r.of("add-mask") {
		for name, secret := range s.secrets {
			if platform, _ := e.Matrix["platform"].(string); e.Arg == secret {
				where := e.Job + " " + platform
				if had[where] == nil {
					had[where] = map[string]bool{}
				}
				had[where][name] = true
			}
		}
	}
	want := map[string]map[string]bool{}
	for _, job := range others {
		want[job+" "] = map[string]bool{"GITHUB_TOKEN": true}
	}
	for _, job := range near {
		for platform, secrets := range platforms {
			want[job+" "+platform] = map[string]bool{}
			for _, name := range secrets {
				want[job+" "+platform][name] = true
			}
		}
	}
	if diff := cmp.Diff(want, had); diff != "" {
		s.t.Errorf("the secrets of the jobs (-want +got):\n%s", diff)
	}
}

// dispatched is the event of a dispatch from main.
func (s *site) dispatched(command, sha string) object {
	return object{
		"ref": "refs/heads/main", "inputs": object{"command": command, "sha": sha, "request_id": "20261123t050000-1a2b3c4d"},
		"repository": object{"id": 5, "full_name": repo, "default_branch": "main"},
		"sender":     object{"id": 4, "login": "mara"},
	}
}

func testDispatch(t *testing.T, l *lab.Lab) {
	t.Helper()
	s := newShortSite(t, l)
	// A merged commit is built although main has moved on.
	s.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 3072\n")
	merged := s.commit("more memory")
	s.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 4096\n")
	s.commit("still more")
	s.git("push", "-q", "origin", "main")
	s.git("checkout", "-q", "-b", "strange", "main")
	s.write("templates/ansible/stranger.yml", "---\n")
	strange := s.commit("of a fork")
	s.git("push", "-q", "origin", "strange:refs/pull/9/head")
	s.git("checkout", "-q", "main")
	s.github([]string{s.rev("main"), merged, strange})

	mark := filepath.Join(s.scratch, "pwned")
	for _, c := range []struct {
		name, command, sha, says, code string
	}{
		{"commit of a fork", "build debian-12", strange, "not merged", "3"},
		{"no commit", "build", strings.Repeat("a", 40), "not merged", "3"},
		{"shell", "build debian-12; touch " + mark, "", "is not a name", "2"},
		{"substitution", "build $(touch " + mark + ")", "", "is not a name", "2"},
	} {
		r := s.act("workflow_dispatch", s.dispatched(c.command, c.sha))
		said := r.log()
		for _, e := range r.of("error") {
			said += e.Arg
		}
		if r.jobs()["decide"] != "failure" || len(r.jobs()) != 1 || !slices.Contains(r.exits(), c.code) ||
			!strings.Contains(said, c.says) {
			t.Errorf("%s: exit codes %v, jobs %v\n%s", c.name, r.exits(), r.jobs(), said)
		}
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("a command line was run by a shell")
	}
	if len(s.hub.Checks())+len(s.hub.Comments()) > 0 {
		t.Errorf("what was refused was reported: %v", s.hub.Calls())
	}
	r := s.act("workflow_dispatch", s.dispatched("build debian-12 --targets vsphere", merged))
	if r.code != 0 || r.jobs()["collect"] != "success" {
		t.Fatalf("exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
	}
	s.outputs(r, "collect", "images", "plan.json", "record.json", "findings.sarif")
	s.noSecret(r)
	s.concluded("success", "packer-hybrid plan lab", "packer-hybrid build lab",
		"packer-hybrid build lab/debian-12@vsphere")
	for _, c := range s.hub.Checks() {
		if c["head_sha"] != merged {
			t.Errorf("a check-run is about %v, not the commit that was built", c["head_sha"])
		}
	}
}

// testKilled kills packer-hybrid and all that it started in the middle of a
// build: the last steps of merged code clean up, else the night does.
func testKilled(t *testing.T, l *lab.Lab) {
	t.Helper()
	s := newSite(t, l)
	p := s.approvable(func() { s.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 3072\n") })
	s.github([]string{p.head, s.rev("main")})
	s.approved(p)
	r := s.killed("issue_comment", s.commented("/packer-hybrid build debian-12 --targets vsphere", 7, "mara"))
	if r.jobs()["build"] != "failure" || r.jobs()["collect"] != "failure" {
		t.Errorf("jobs %v\n%s", r.jobs(), r.log())
	}
	s.ended(0)
	if left := machines(t, l); len(left) != 1 {
		t.Errorf("code that is not merged removed things from a platform; left is %v", left)
	}
	if said := s.night("success"); len(machines(t, l)) > 0 || !strings.Contains(said, "debian-12@vsphere") {
		t.Errorf("the night left %v\n%s", machines(t, l), said)
	}
	seen := len(s.hub.Checks())
	r = s.killed("workflow_dispatch", s.dispatched("build debian-12 --targets vsphere", ""))
	if r.jobs()["build"] != "failure" || r.jobs()["collect"] != "failure" ||
		!strings.Contains(r.summary(), "no part of debian-12@vsphere") {
		t.Errorf("jobs %v\n%s\n%s", r.jobs(), r.summary(), r.log())
	}
	if left := machines(t, l); len(left) > 0 {
		t.Errorf("left in vCenter: %v\n%s", left, r.log())
	}
	s.ended(seen)
}

// ended fails unless the check-runs from one on have ended, those of builds badly.
func (s *site) ended(from int) {
	s.t.Helper()
	for _, c := range s.hub.Checks()[from:] {
		if name := fmt.Sprint(c["name"]); c["status"] != "completed" || strings.Contains(name, "build") &&
			c["conclusion"] != "failure" {
			s.t.Errorf("the check-run %s is %v, %v", name, c["status"], c["conclusion"])
		}
	}
}

// killed runs a workflow, and kills all below act when Ansible is at work.
func (s *site) killed(event string, payload object) ran {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.scratch, "artifacts")); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.command(event, payload)
	said, wait := working(s.t, cmd, "Provisioning with Ansible")
	killBelow(s.t, cmd.Process.Pid, "")
	err := wait()
	return s.ran(said(), err)
}

// machines are those in the lab's vCenter that are no templates.
func machines(t *testing.T, l *lab.Lab) []string {
	t.Helper()
	all, err := l.VSphere().Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range all {
		if !m.Template {
			names = append(names, m.Name)
		}
	}
	return names
}

// commented is the event of a comment on the pull request.
func (s *site) commented(body string, user int, login string) object {
	return object{
		"action": "created", "issue": object{"number": 7, "state": "open", "pull_request": object{}},
		"comment": object{
			"id": 9, "body": body, "author_association": "MEMBER",
			"user": object{"id": user, "login": login, "type": "User"},
		},
		"repository": object{"id": 5, "full_name": repo, "default_branch": "main"},
		"sender":     object{"id": user, "login": login},
	}
}

// approvable is a change of a repository whose default branch lets a commit be built
// before it is merged.
func (s *site) approvable(edit func()) pull {
	s.t.Helper()
	s.edit("packer-hybrid.hcl", "ci {\n", "ci {\n  unmerged = [\"lab\"]\n")
	s.commit("build what is approved")
	s.git("push", "-q", "origin", "main")
	p := s.change("topic", 5, edit)
	s.git("push", "-q", "origin", "topic")
	s.open(p)
	s.git("checkout", "-q", "main") // where GitHub runs comments
	return p
}

// approved has another person approve the head of a change.
func (s *site) approved(p pull) {
	s.hub.SetReviews(github.Review{Login: "mona", State: "APPROVED", Commit: p.head})
}

func testComment(t *testing.T, l *lab.Lab) {
	t.Helper()
	s := newShortSite(t, l)
	p := s.approvable(func() { s.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 3072\n") })
	s.github([]string{p.head, s.rev("main")})
	if r := s.act("issue_comment", s.commented("looks good\n/packer-hybrid build", 7, "mara")); r.code != 0 ||
		len(r.jobs()) > 0 || len(s.hub.Calls()) > 0 {
		t.Errorf("a comment that is no command: exit code %d, jobs %v, calls %v", r.code, r.jobs(), s.hub.Calls())
	}
	if r := s.act("issue_comment", s.commented("/packer-hybrid build", 1, "mara")); r.code == 0 || len(r.jobs()) != 1 ||
		len(s.hub.Checks()) > 0 || !strings.Contains(r.log(), "the comment is by user 1") {
		t.Errorf("somebody else under that name: exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
	}
	const build = "/packer-hybrid build debian-12 --targets vsphere"
	r := s.act("issue_comment", s.commented(build, 7, "mara"))
	if comments := s.hub.Comments(); r.code != 0 || len(r.jobs()) != 1 || len(comments) != 1 ||
		!strings.Contains(fmt.Sprint(comments[0]["body"]), "approve") {
		t.Errorf("nobody approved: exit code %d, jobs %v, comments %v\n%s", r.code, r.jobs(), comments, r.log())
	}
	s.approved(p)
	r = s.act("issue_comment", s.commented(build, 7, "mara"))
	want := map[string]string{"decide": "success", "plan": "success", "build": "success", "collect": "success"}
	if diff := cmp.Diff(want, r.jobs()); r.code != 0 || diff != "" {
		t.Errorf("approved: exit code %d, jobs (-want +got):\n%s\n%s", r.code, diff, r.log())
	}
	for job, commits := range r.checkedOut() {
		if wanted := map[bool]string{true: s.rev("main"), false: p.head}[job == "decide"]; !slices.Equal(commits,
			[]string{wanted}) {
			t.Errorf("the job %s checked out %v, not %s", job, commits, wanted)
		}
	}
	s.concluded("success", "packer-hybrid plan lab", "packer-hybrid build lab",
		"packer-hybrid build lab/debian-12@vsphere")
	s.noSecret(r)
	r = s.act("issue_comment", s.commented("/packer-hybrid status", 7, "mara"))
	if r.code != 0 || r.jobs()["plan"] != "success" || !strings.Contains(r.log(), "debian-12@vsphere") {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
	}
}

// concluded fails unless these check-runs, and no others, have ended with a conclusion.
func (s *site) concluded(conclusion string, names ...string) {
	s.t.Helper()
	want := map[string]bool{}
	for _, name := range names {
		want[name] = true
	}
	for _, c := range s.hub.Checks() {
		name := fmt.Sprint(c["name"])
		if c["status"] != "completed" || c["conclusion"] != conclusion {
			s.t.Errorf("the check-run %s is %v, %v", name, c["status"], c["conclusion"])
		}
		if !want[name] {
			s.t.Errorf("there is a check-run %s", name)
		}
		delete(want, name)
	}
	if len(want) > 0 {
		s.t.Errorf("there is no check-run %v", want)
	}
}
