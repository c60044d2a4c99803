// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:41:30Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

const (
	jobToken = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
	pullJob  = `{"action":"opened","number":7,"pull_request":{"number":7,"head":{"sha":"%[1]s","ref":"change","repo":{"id":5}},` +
		`"base":{"sha":"%[1]s","repo":{"id":5}},"user":{"id":4,"login":"mara"}},"repository":{"id":5,"full_name":"o/r","default_branch":"main"},"sender":{"id":4,"login":"mara"}}`
	commentJob = `{"action":"created","issue":{"number":7,"pull_request":{}},"comment":{"id":9,"body":"/packer-hybrid %[2]s","author_association":"MEMBER",` +
		`"user":{"id":%[1]d,"login":"mara","type":"User"}},"repository":{"id":5,"full_name":"o/r","default_branch":"main"},"sender":{"id":%[1]d,"login":"mara"}}`
)

// hosted is a checkout in a job of a simulated GitHub.
type hosted struct {
	site
	hub   *github.Server
	head  string
	login string // PACKER_HYBRID_LOGIN
	temp  string // RUNNER_TEMP
	api   string // of what stands before the hub; empty: nothing
}

func newHosted(t *testing.T, change func(*github.Config)) hosted {
	t.Helper()
	return host(t, newCheckout(t), change)
}

// newCheckout is a new project with one commit, on the branch change.
func newCheckout(t *testing.T) site {
	t.Helper()
	s := site{t, t.TempDir()}
	if code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: t.Output(), Err: t.Output()},
		[]string{"init", s.dir}, nil); code != 0 {
		t.Fatalf("init: exit code %d", code)
	}
	s.git("init", "-q", "-b", "main", "--template=")
	s.git("add", "-A")
	s.git("commit", "-q", "-m", "base")
	s.git("checkout", "-q", "-b", "change")
	return s
}

// host has a simulated GitHub know the commit of a checkout.
func host(t *testing.T, s site, change func(*github.Config)) hosted {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, ".git", "refs", "heads", "change"))
	if err != nil {
		t.Fatal(err)
	}
	head := strings.TrimSpace(string(data))
	config := github.Config{
		Repository: "o/r", Token: jobToken, Login: "github-actions[bot]", Commits: []string{head}, Change: 7,
		Roles: map[string]string{"mara": "write"},
	}
	if change != nil {
		change(&config)
	}
	hub := labtest.GitHub(t, config)
	return hosted{site: s, hub: hub, head: head, temp: t.TempDir()}
}

// ci runs a step and returns the exit code and the log.
func (h hosted) ci(t *testing.T, event, payload string) (int, string) {
	t.Helper()
	code, log, _ := h.step(t, event, payload)
	return code, log
}

// step is ci with the step summary, and with options for what sends reports.
func (h hosted) step(t *testing.T, event, payload string, posting ...post.Option) (code int, log, summary string) {
	t.Helper()
	files := t.TempDir()
	environ := []string{
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=" + event, "GITHUB_TOKEN=" + jobToken,
		"GITHUB_API_URL=" + cmp.Or(h.api, h.hub.URL()), "GITHUB_RUN_ID=11", "GITHUB_SHA=" + h.head,
		"GITHUB_RUN_ATTEMPT=1", "GITHUB_WORKSPACE=" + h.dir, "RUNNER_TEMP=" + h.temp, "PACKER_HYBRID_CACHE=" + t.TempDir(),
		"PATH=" + os.Getenv("PATH"), "PACKER_HYBRID_LOGIN=" + h.login,
		"PKR_VAR_build_password=a-password-of-a-test", "PKR_VAR_vsphere_password=", "PKR_VAR_vsphere_endpoint=127.0.0.1:1",
		"PKR_VAR_vsphere_username=nobody",
	}
	for name, text := range map[string]string{
		"GITHUB_EVENT_PATH": payload, "GITHUB_OUTPUT": "",
		"GITHUB_STEP_SUMMARY": "",
	} {
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		environ = append(environ, name+"="+path)
	}
	var out, errs bytes.Buffer
	a := &app{
		Frame:   cli.Frame{Raw: cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, Environ: environ},
		posting: posting,
	}
	code = a.run(t.Context(), []string{"ci", "-C", h.dir})
	data, err := os.ReadFile(filepath.Join(files, "GITHUB_STEP_SUMMARY"))
	if err != nil {
		t.Fatal(err)
	}
	return code, out.String() + errs.String(), string(data)
}

func TestCIPosts(t *testing.T) {
	t.Parallel()
	h := newHosted(t, nil)
	code, log := h.ci(t, "pull_request", fmt.Sprintf(pullJob, h.head))
	if code != 0 {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	if checks, comments := h.hub.Checks(), h.hub.Comments(); len(checks) != 1 || len(comments) != 1 {
		t.Fatalf("%d check-runs and %d comments, want one of each: %v\n%s", len(checks), len(comments), checks, log)
	}
	if c := h.hub.Checks()[0]; c["status"] != "completed" || c["conclusion"] != "success" || c["head_sha"] != h.head {
		t.Errorf("the check-run is %v", c)
	}
	if body := fmt.Sprint(h.hub.Comments()[0]["body"]); !strings.Contains(body, "0 of 6 targets to build") {
		t.Errorf("the comment is %s", body)
	}
	if strings.Count(log, jobToken) != 1 || !strings.Contains(log, "::add-mask::"+jobToken+"\n") {
		t.Errorf("the token is in the log other than to be masked:\n%s", log)
	}
	// Somebody asks in a comment; what a mistake does reaches the same comment.
	h.edit("templates/os/linux.pkr.hcl", "playbook_file", "playbok_file")
	if code, log = h.ci(t, "issue_comment", fmt.Sprintf(commentJob, 7, "plan")); code != 0 || len(h.hub.Comments()) != 1 ||
		!strings.Contains(log, "plan for lab: 6 to build") {
		t.Errorf("exit code %d, %d comments\n%s", code, len(h.hub.Comments()), log)
	}
	if code, log = h.ci(t, "pull_request", fmt.Sprintf(pullJob, h.head)); code != 2 ||
		!strings.Contains(log, "::error col=") {
		t.Errorf("exit code %d, want 2 and an annotation\n%s", code, log)
	}
	// Who mistypes is answered in a comment of its own, and nothing is done.
	code, log = h.ci(t, "issue_comment", fmt.Sprintf(commentJob, 7, "biuld debian-12"))
	if all := h.hub.Comments(); code != 0 || len(all) != 2 ||
		!strings.Contains(fmt.Sprint(all[1]["body"]), "    Try: /packer-hybrid build debian-12") {
		t.Errorf("exit code %d, comments %v\n%s", code, all, log)
	}
	if body := fmt.Sprint(h.hub.Comments()[0]["body"]); !strings.Contains(body, "playbok_file") {
		t.Errorf("the comment of the mistake is %s", body)
	}
}

// Another user under the same login is refused, and a token that must not write changes nothing.
func TestCIRefused(t *testing.T) {
	t.Parallel()
	h := newHosted(t, func(c *github.Config) { c.Denied = []string{"checks", "issues"} })
	if code, log := h.ci(t, "issue_comment", fmt.Sprintf(commentJob, 1, "plan")); code != 3 ||
		!strings.Contains(log, "the comment is by user 1") {
		t.Errorf("exit code %d\n%s", code, log)
	}
	if code, log := h.ci(t, "pull_request", fmt.Sprintf(pullJob, h.head)); code != 0 ||
		!strings.Contains(log, "warning: not reported: ") {
		t.Errorf("exit code %d\n%s", code, log)
	}
}

// A change whose author is not trusted is reported when the token may write,
// and nothing of it reaches a place that the change could choose.
func TestCIUntrusted(t *testing.T) {
	t.Parallel()
	fork := strings.Replace(pullJob, `"head":{"sha":"%[1]s","ref":"change","repo":{"id":5}}`,
		`"head":{"sha":"%[1]s","ref":"change","repo":{"id":6}}`, 1)
	dependabot := strings.ReplaceAll(pullJob, `"login":"mara"`, `"login":"dependabot[bot]"`)
	for name, c := range map[string]struct {
		payload string
		denied  []string
		posts   int
		says    string
	}{
		"fork, as on GitHub":     {fork, []string{"checks", "issues"}, 0, "Resource not accessible by integration"},
		"fork with a write":      {fork, nil, 1, ""},
		"dependabot, may write":  {dependabot, nil, 1, ""},
		"dependabot, may not":    {dependabot, []string{"checks", "issues"}, 0, "Resource not accessible by integration"},
		"dependabot, only check": {dependabot, []string{"issues"}, 1, "the comment: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHosted(t, func(config *github.Config) { config.Denied = c.denied })
			outside := t.TempDir()
			if err := os.Symlink(outside, filepath.Join(h.dir, "logs")); err != nil {
				t.Fatal(err)
			}
			code, log := h.ci(t, "pull_request", fmt.Sprintf(c.payload, h.head))
			if code != 0 || !strings.Contains(log, c.says) {
				t.Errorf("exit code %d, want 0 and %q\n%s", code, c.says, log)
			}
			comments := h.hub.Comments()
			if len(h.hub.Checks()) != c.posts || len(comments) != c.posts && len(c.denied) != 1 {
				t.Errorf("%d check-runs and %d comments\n%s", len(h.hub.Checks()), len(comments), log)
			}
			if len(comments) > 0 && !strings.Contains(fmt.Sprint(comments[0]["body"]), "nothing is built for it") {
				t.Errorf("the comment is %v", comments[0]["body"])
			}
			if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
				t.Errorf("%d files outside of the project, error %v", len(left), err)
			}
		})
	}
}

// Retry without a run means the last build of this change, in its environment.
func TestCIRetry(t *testing.T) {
	t.Parallel()
	h := newHosted(t, nil)
	if code, log := h.ci(t, "issue_comment", fmt.Sprintf(commentJob, 7, "retry")); code != 0 ||
		!strings.Contains(log, "no run of change 7 for lab is in the state: name the run to retry") {
		t.Errorf("without a state: exit code %d\n%s", code, log)
	}
	store, err := directory.Open(filepath.Join(h.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	for i, one := range []hybridcore.Request{
		{Action: hybridcore.ActionBuild, Env: "lab", Origin: hybridcore.Origin{Change: "7"}},
		{Action: hybridcore.ActionBuild, Env: "example", Origin: hybridcore.Origin{Change: "7"}},
		{Action: hybridcore.ActionBuild, Env: "lab", Origin: hybridcore.Origin{Change: "77"}},
		{Action: hybridcore.ActionValidate, Env: "lab", Origin: hybridcore.Origin{Change: "7"}},
	} {
		rec := hybridcore.Record{
			RunID: fmt.Sprintf("20261123t05000%d-1a2b3c4d", i), Request: one, Status: hybridcore.Failed,
			At: time.Now(), Results: []hybridcore.Result{
				{Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: hybridcore.Failed},
				{Target: "debian-12@azure", Image: "debian-12", Platform: hybridcore.Azure, Status: hybridcore.Built},
			},
		}
		if err := store.Append(t.Context(), rec, nil); err != nil {
			t.Fatal(err)
		}
		h.retried(t, "20261123t050000-1a2b3c4d") // the others are of another environment, change or verb
	}
}

// retried fails when `/packer-hybrid retry` does not mean a run.
func (h hosted) retried(t *testing.T, run string) {
	t.Helper()
	_, log := h.ci(t, "issue_comment", fmt.Sprintf(commentJob, 7, "retry"))
	plan, err := os.ReadFile(filepath.Join(h.dir, "artifacts", "plan.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, log)
	}
	var doc hybridcore.Answer
	if err := json.Unmarshal(plan, &doc); err != nil {
		t.Fatal(err)
	}
	if req, n := doc.Plan.Request, len(doc.Plan.Targets); req.RetryFailed != run || req.Env != "lab" || n != 1 {
		t.Errorf("%d targets of %q in %q\n%s", n, req.RetryFailed, req.Env, log)
	}
}

// The comments of a GitHub App are found again by the app's login.
func TestCIAsAnApp(t *testing.T) {
	t.Parallel()
	h := newHosted(t, func(c *github.Config) { c.Login = "images[bot]" })
	h.login = "images[bot]"
	for range 2 {
		code, log, _ := h.step(t, "pull_request", fmt.Sprintf(pullJob, h.head),
			post.WithClock((&quickClock{}).clock(), time.Minute))
		if code != 0 || strings.Contains(log, "warning: ") || len(h.hub.Comments()) != 1 {
			t.Errorf("exit code %d, %d comments\n%s", code, len(h.hub.Comments()), log)
		}
	}
}
