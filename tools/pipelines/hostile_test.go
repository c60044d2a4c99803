// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:16:17Z
// Spec: openspec/specs/security/spec.md#requirement-three-classes-of-jobs
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#classes-of-jobs

//go:build pipelines

package pipelines_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// canaries are values of the secrets that a workflow names, and of the runner's
// state: they must be seen nowhere.
func (s *site) canaries() []string {
	var all []string
	for _, name := range []string{
		"PKR_VAR_BUILD_PASSWORD", "PKR_VAR_BUILD_PASSWORD_ENCRYPTED", "PKR_VAR_PROXMOX_TOKEN",
		"PKR_VAR_VSPHERE_PASSWORD", "PKR_VAR_AZURE_CLIENT_SECRET", "PACKER_HYBRID_TICKET_KEY",
	} {
		s.secrets[name] = "canary-" + strings.ToLower(name) + "-0123456789"
		all = append(all, s.secrets[name])
	}
	return all
}

// unseen fails when a canary is in anything that a run left or said: its files and
// artifacts, the log with all commands of the runner, what GitHub was sent. Masks
// count too: a job without a secret has none to mask.
func (s *site) unseen(r ran, canaries []string) {
	s.t.Helper()
	shown := map[string]string{
		"act's output": r.text, "GitHub": fmt.Sprint(s.hub.Comments(), s.hub.Checks(), s.hub.Calls()),
	}
	err := filepath.WalkDir(s.scratch, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || path == filepath.Join(s.scratch, "secrets") {
			return err
		}
		text, err := os.ReadFile(path)
		shown[path] = string(text)
		return err
	})
	if err != nil {
		s.t.Error(err)
	}
	for _, canary := range canaries {
		for where, text := range shown {
			if strings.Contains(text, canary) {
				s.t.Errorf("%s shows %s", where, canary)
			}
		}
	}
}

// checkedOut are the commits that the jobs of a run checked out, by job.
func (r ran) checkedOut() map[string][]string {
	all := map[string][]string{}
	for _, e := range r.entries {
		if _, commit, found := strings.Cut(e.Message, "HEAD is now at "); found && e.Raw {
			all[e.Job] = append(all[e.Job], strings.TrimSpace(commit))
		}
	}
	return all
}

// link commits a link, also where the project ignores files.
func (s *site) link(name, to string) {
	s.t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Symlink(to, path); err != nil {
		s.t.Fatal(err)
	}
	s.git("add", "-f", name)
}

// TestStrangersComment: a fork's change holds a link to the environment of whatever
// process reads it, and comments are written on it.
func TestStrangersComment(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	canaries := s.canaries()
	p := s.change("fork", 6, func() { s.link("artifacts/x", "/proc/self/environ") })
	s.github([]string{p.head}, "checks", "issues")
	s.open(p)
	r := s.act("pull_request", p.event)
	if r.code != 0 || r.jobs()["change"] != "success" || len(r.jobs()) != 1 {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
	}
	s.unseen(r, canaries)
	s.git("checkout", "-q", "main")
	for _, association := range []string{"NONE", "CONTRIBUTOR", "FIRST_TIME_CONTRIBUTOR"} {
		event := s.commented("/packer-hybrid help", 1, "stranger")
		comment, _ := event["comment"].(object)
		comment["author_association"] = association
		r := s.act("issue_comment", event)
		if r.code != 0 || len(r.jobs()) > 0 || len(s.hub.Calls()) > 0 {
			t.Errorf("%s: exit code %d, jobs %v, requests %v\n%s", association, r.code, r.jobs(), s.hub.Calls(), r.text)
		}
		s.unseen(r, canaries)
	}
	// A member of the organisation without any right in the repository.
	r = s.act("issue_comment", s.commented("/packer-hybrid help", 1, "stranger"))
	if _, only := r.jobs()["decide"]; !only || len(r.jobs()) != 1 {
		t.Errorf("a member: jobs %v\n%s", r.jobs(), r.log())
	}
	if all := r.checkedOut(); len(all["decide"]) != 1 || all["decide"][0] != s.rev("main") {
		t.Errorf("checked out was %v, not only the default branch", all)
	}
	s.unseen(r, canaries)
	if len(s.hub.Comments())+len(s.hub.Checks()) > 0 {
		t.Error("something was written")
	}
}

// outbox is a file that would change a comment and end a check, if it were one that
// packer-hybrid had written.
func outbox(system, commit string) string {
	address := fmt.Sprintf(`{"system":%q,"repository":"o/r","commit":%q,"change":7,"run":"e","number":9999999999,"attempt":1,"slot":"report"}`, system, commit)
	if system == "gitlab" {
		address = strings.NewReplacer("o/r", labProject, `"change":7`, `"change":42`).Replace(address)
	}
	return `{"kind":"open","address":` + address + "}\n" +
		`{"kind":"want","key":"comment","body":"planted"}` + "\n" +
		`{"kind":"want","key":"check/","check":{"key":"","name":"planted","status":"completed","conclusion":"success","title":"planted"}}` + "\n" +
		`{"kind":"want","key":"comm`
}

// plant commits outboxes of one system: a file, a link to a file of a runner, and a
// dangling link. The returned function fails when something outside was touched.
func (c checkout) plant(system string) (untouched func()) {
	c.t.Helper()
	outside := c.t.TempDir()
	victim, dangling := filepath.Join(outside, "one-line"), filepath.Join(outside, "none")
	if err := os.WriteFile(victim, []byte("no line feed"), 0o600); err != nil {
		c.t.Fatal(err)
	}
	name := "/" + system + ".outbox.jsonl"
	c.write("logs/e"+name, outbox(system, c.rev("HEAD")))
	for run, to := range map[string]string{"f": victim, "g": dangling} {
		if err := os.MkdirAll(filepath.Join(c.dir, "logs", run), 0o755); err != nil {
			c.t.Fatal(err)
		}
		if err := os.Symlink(to, filepath.Join(c.dir, "logs", run+name)); err != nil {
			c.t.Fatal(err)
		}
	}
	c.git("add", "-f", "logs")
	return func() {
		c.t.Helper()
		if text, err := os.ReadFile(victim); err != nil || string(text) != "no line feed" {
			c.t.Errorf("a file outside of the checkout is now %q, %v", text, err)
		}
		if _, err := os.Lstat(dangling); err == nil {
			c.t.Error("a file was made outside of the checkout")
		}
	}
}

// TestCommittedOutbox: what a checkout holds in the place of held reports is not
// sent with the job's token, and links there are not followed.
func TestCommittedOutbox(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	var untouched func()
	p := s.change("topic", 5, func() { untouched = s.plant("github") })
	s.github([]string{p.head, s.rev("main")})
	s.open(p)
	r := s.act("pull_request", p.event)
	if r.code != 0 || r.jobs()["change"] != "success" || r.jobs()["report"] != "success" {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
	}
	if len(s.hub.Comments()) != 1 || len(s.hub.Checks()) != 1 {
		t.Errorf("the comments are %v, the check-runs %v", s.hub.Comments(), s.hub.Checks())
	}
	untouched()
	// Also when somebody has merged it: jobs with a token that writes.
	s.git("checkout", "-q", "main")
	s.git("merge", "-q", "--no-ff", "-m", "merge", p.head)
	s.git("push", "-q", "origin", "main")
	s.hub.SetHead(s.rev("main"))
	r = s.act("workflow_dispatch", s.dispatched("status", ""))
	if r.code != 0 || r.jobs()["plan"] != "success" {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs(), r.log())
	}
	if sent := fmt.Sprint(s.hub.Comments(), s.hub.Checks()); strings.Contains(sent, "planted") {
		t.Errorf("a planted report was sent: %s", sent)
	}
	untouched()
}

// TestGitLabCommittedOutbox is the same at GitLab, whose runner has the token.
func TestGitLabCommittedOutbox(t *testing.T) {
	t.Parallel()
	p := newPipelined(t, nil)
	p.git("checkout", "-q", "-b", "change")
	untouched := p.plant("gitlab")
	p.commit("an outbox")
	p.serve()
	r := p.run("merge_request_event", p.mergeRequest())
	if r.code != 0 || !slices.Contains(r.jobs, "change PASS") || !slices.Contains(r.jobs, "report PASS") {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs, r.log)
	}
	if sent := fmt.Sprint(p.hub.Notes(), p.hub.Statuses()); strings.Contains(sent, "planted") || len(p.hub.Notes()) != 1 {
		t.Errorf("GitLab was sent %s", sent)
	}
	untouched()
}

// TestUnmergedCommit: somebody who may write asks for a commit that nobody reviewed,
// and the commit itself says that this is allowed, where it runs and with what.
func TestUnmergedCommit(t *testing.T) {
	t.Parallel()
	s := newSite(t, nil)
	canaries := s.canaries()
	mark := filepath.Join(s.scratch, "pwned")
	p := s.change("topic", 5, func() {
		s.edit("packer-hybrid.hcl", "ci {\n", "ci {\n  unmerged = [\"lab\"]\n")
		s.edit("packer-hybrid.hcl", `vsphere = ["self-hosted", "vsphere"]`,
			`vsphere = ["self-hosted", "packer-hybrid-state"]`)
		s.edit("templates/os/linux.pkr.hcl", "\nbuild {",
			"\ndata \"external\" \"run\" {\n  program = [\"touch\", \""+mark+"\"]\n}\n\nbuild {")
		s.link("artifacts/x", "/proc/self/environ")
	})
	s.git("push", "-q", "origin", "topic")
	s.github([]string{p.head, s.rev("main")})
	s.open(p)
	s.git("checkout", "-q", "main")
	for _, c := range []struct {
		name, event string
		payload     object
	}{
		{"comment", "issue_comment", s.commented("/packer-hybrid build debian-12", 7, "mara")},
		{"dispatch", "workflow_dispatch", s.dispatched("build debian-12 --targets vsphere", p.head)},
		{"dispatch for prod", "workflow_dispatch", s.dispatched("build --env example", p.head)},
		{"dispatch of a publish", "workflow_dispatch", s.dispatched("publish --release v9", p.head)},
		{"dispatch of a reap", "workflow_dispatch", s.dispatched("reap", p.head)},
		{"tag", "push", object{
			"ref": "refs/tags/v9.0.0", "after": p.head, "head_commit": object{"id": p.head},
			"repository": object{"id": 5, "full_name": repo, "default_branch": "main"},
			"sender":     object{"id": 4, "login": "mara"},
		}},
	} {
		r := s.act(c.event, c.payload)
		if _, only := r.jobs()["decide"]; !only || len(r.jobs()) != 1 {
			t.Errorf("%s: jobs %v\n%s", c.name, r.jobs(), r.log())
		}
		for job, commits := range r.checkedOut() {
			if slices.Contains(commits, p.head) {
				t.Errorf("%s: the job %s checked the commit out", c.name, job)
			}
		}
		if c.event != "issue_comment" && !slices.Equal(r.exits(), []string{"3"}) {
			t.Errorf("%s: exit codes %v\n%s", c.name, r.exits(), r.log())
		}
		s.unseen(r, canaries)
	}
	if _, err := os.Stat(mark); err == nil {
		t.Error("code of the commit was run")
	}
	if comments := s.hub.Comments(); len(comments) != 1 ||
		!strings.Contains(fmt.Sprint(comments[0]["body"]), "not merged") {
		t.Errorf("the comment was answered with %v", comments)
	}
}
