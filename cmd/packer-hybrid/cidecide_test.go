// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:32:20Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// The users of the simulated GitHub.
const (
	mara = 4 // writes, and asks
	mona = 5 // writes, and reviews
	nils = 6 // may read
	otto = 8 // whose change it is
)

// decided is a repository with a merged commit and one that nobody has merged,
// and a GitHub that has a pull request of the second.
type decided struct {
	hosted
	main, patch string
}

// newDecided makes it, with some lines in the block ci of both commits.
func newDecided(t *testing.T, lines string) decided {
	t.Helper()
	s := newCheckout(t)
	s.git("checkout", "-q", "main")
	if lines != "" {
		s.edit("packer-hybrid.hcl", "ci {\n", "ci {\n"+lines+"\n")
		s.git("commit", "-q", "-a", "-m", "lines")
	}
	s.git("checkout", "-q", "-B", "change")
	// The change gives itself every right.
	s.edit("packer-hybrid.hcl", "  prod      = true\n", "")
	if lines == "" {
		s.edit("packer-hybrid.hcl", "ci {\n", "ci {\n  unmerged = [\"lab\", \"example\"]\n")
	}
	s.git("commit", "-q", "-a", "-m", "rights")
	h := host(t, s, func(c *github.Config) {
		c.Roles = map[string]string{"mara": "write", "mona": "admin", "nils": "read", "otto": "write"}
		c.Users = map[string]int64{"mara": mara, "mona": mona, "nils": nils, "otto": otto}
		c.Author, c.Base = "otto", ""
	})
	s.git("checkout", "-q", "main")
	return decided{hosted: h, main: s.commit("main"), patch: h.head}
}

// commit is the commit of a branch.
func (s site) commit(branch string) string {
	s.tb.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, ".git", "refs", "heads", branch))
	if err != nil {
		s.tb.Fatal(err)
	}
	return strings.TrimSpace(string(data))
}

// step runs one job of run 11 and returns exit code, log and outputs.
func (d decided) step(t *testing.T, event, payload string, env []string, args ...string) (code int, log string,
	outputs map[string]string,
) {
	t.Helper()
	files := t.TempDir()
	environ := append([]string{
		"GITHUB_ACTIONS=true", "GITHUB_EVENT_NAME=" + event, "GITHUB_TOKEN=" + jobToken, "GITHUB_API_URL=" + d.hub.URL(),
		"GITHUB_RUN_ID=11",
		"GITHUB_RUN_ATTEMPT=1", "GITHUB_SHA=" + d.main, "GITHUB_REPOSITORY=o/r", "GITHUB_WORKSPACE=" + d.dir,
		"RUNNER_TEMP=" + t.TempDir(),
		"PACKER_HYBRID_CACHE=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "PKR_VAR_build_password=a-password-of-a-test",
	}, env...)
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
	a := &app{Frame: cli.Frame{Raw: cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs}, Environ: environ}}
	code = a.run(t.Context(), append(append([]string{"ci"}, args...), "-C", d.dir))
	data, err := os.ReadFile(filepath.Join(files, "GITHUB_OUTPUT"))
	if err != nil {
		t.Fatal(err)
	}
	return code, out.String() + errs.String(), outputsOf(string(data))
}

// outputsOf reads the file of a step's outputs, of one line each.
func outputsOf(text string) map[string]string {
	all := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i+1 < len(lines); i++ {
		if name, end, ok := strings.Cut(lines[i], "<<"); ok {
			all[name] = ""
			if lines[i+1] != end {
				all[name] = lines[i+1]
			}
		}
	}
	return all
}

func dispatchOf(sha, command string) string {
	return fmt.Sprintf(`{"ref":"refs/heads/main","repository":{"id":5,"full_name":"o/r","default_branch":"main"},"sender":{"id":%d,"login":"mara"},`+
		`"inputs":{"command":%q,"sha":%q}}`, mara, command, sha)
}

func commentOf(command string) string { return fmt.Sprintf(commentJob, mara, command) }

// Nobody's commit is worked on before it is merged, whoever asks and whatever
// its own project file says.
func TestUnmergedCommitsAreRefused(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "")
	d.hub.SetReviews(github.Review{Login: "mona", State: "APPROVED", Commit: d.patch})
	for _, command := range []string{"build", "build --env example", "plan --env lab", "validate --with packer"} {
		code, log, outputs := d.step(t, "workflow_dispatch", dispatchOf(d.patch, command), nil, "--decide")
		if code != 3 || !strings.Contains(log, "is not merged into main") || outputs["decision"] != "" ||
			outputs["sha"] != "" {
			t.Errorf("dispatch of %s: exit code %d, %v\n%s", command, code, outputs, log)
		}
		code, log, outputs = d.step(t, "issue_comment", commentOf(command), nil, "--decide")
		if code != 0 || !strings.Contains(log, "is not merged into main") || outputs["decision"] != "" ||
			outputs["plan"] != "false" {
			t.Errorf("comment of %s: exit code %d, %v\n%s", command, code, outputs, log)
		}
		// A workflow of somebody's own that has no job which decides: the same.
		d.git("checkout", "-q", "change")
		code, log, _ = d.step(t, "workflow_dispatch", dispatchOf(d.patch, command), nil)
		d.git("checkout", "-q", "main")
		if code != 3 || !strings.Contains(log, "is not merged into main") {
			t.Errorf("without a decision, dispatch of %s: exit code %d\n%s", command, code, log)
		}
	}
	if all := d.hub.Comments(); len(all) != 1 || !strings.Contains(fmt.Sprint(all[0]["body"]), "is not merged") {
		t.Errorf("the comments are %v", all)
	}
	tag := fmt.Sprintf(`{"ref":"refs/tags/v1","after":%q,"head_commit":{"id":%[1]q},"repository":{"full_name":"o/r","default_branch":"main"},"sender":{"id":4}}`, d.patch)
	if code, log, _ := d.step(t, "push", tag, nil, "--decide"); code != 3 ||
		!strings.Contains(log, "the tag v1 is at commit") {
		t.Errorf("a tag: exit code %d\n%s", code, log)
	}
}

// Where the default branch lets a commit be built before it is merged, it needs
// the approval of another person who may write, at that very commit.
func TestUnmergedCommitsNeedAReview(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  unmerged = [\"lab\"]")
	of := func(login, state, commit string) github.Review {
		return github.Review{Login: login, State: state, Commit: commit}
	}
	for name, c := range map[string]struct {
		reviews []github.Review
		code    int
		says    string
	}{
		"none": {nil, 3, "nobody who may write has approved it"},
		"approved": {
			[]github.Review{of("mona", "APPROVED", d.patch)},
			0,
			"ci, unmerged (packer-hybrid.hcl:39), approved by mona",
		},
		"and talked on": {
			[]github.Review{of("mona", "APPROVED", d.patch), of("mona", "COMMENTED", d.patch)},
			0,
			"approved by mona",
		},
		"of an older commit":       {[]github.Review{of("mona", "APPROVED", d.main)}, 3, "nobody"},
		"of a commit that is gone": {[]github.Review{of("mona", "APPROVED", "")}, 3, "nobody"},
		"by who asks":              {[]github.Review{of("mara", "APPROVED", d.patch)}, 3, "nobody"},
		"by whose change it is":    {[]github.Review{of("otto", "APPROVED", d.patch)}, 3, "nobody"},
		"by a reader":              {[]github.Review{of("nils", "APPROVED", d.patch)}, 3, "nobody"},
		"by a reader and a writer": {
			[]github.Review{of("nils", "APPROVED", d.patch), of("mona", "APPROVED", d.patch)},
			0,
			"approved by mona",
		},
		"withdrawn": {[]github.Review{
			of("mona", "APPROVED", d.patch),
			of("mona", "CHANGES_REQUESTED", d.patch),
		}, 3, "nobody"},
		"dismissed":        {[]github.Review{of("mona", "DISMISSED", d.patch)}, 3, "nobody"},
		"only asked about": {[]github.Review{of("mona", "COMMENTED", d.patch)}, 3, "nobody"},
		"withdrawn on another": {[]github.Review{
			of("mona", "APPROVED", d.patch),
			of("mona", "CHANGES_REQUESTED", d.main),
		}, 3, "nobody"},
		"on the second of two pages": {
			append(many(130, of("nils", "COMMENTED", d.main)), of("mona", "APPROVED", d.patch)), 0,
			"approved by mona",
		},
		"more than are read": {many(1001, of("nils", "COMMENTED", d.main)), 3, "has more than 1000 reviews"},
	} {
		d.hub.SetReviews(c.reviews...)
		code, log, outputs := d.step(t, "workflow_dispatch", dispatchOf(d.patch, "build debian-12"), nil, "--decide")
		if code != c.code || !strings.Contains(log, c.says) || (code == 0) != (outputs["sha"] == d.patch) {
			t.Errorf("%s: exit code %d, want %d and %q, outputs %v\n%s", name, code, c.code, c.says, outputs, log)
		}
	}
	d.hub.SetReviews(of("mona", "APPROVED", d.patch))
	for command, says := range map[string]string{
		"build --env example": "the environment example is for merged code only",
		"publish":             "only merged code is published",
		"publish --dry-run":   "only merged code is published",
		"reap":                "only merged code removes things from a platform",
	} {
		if code, log, _ := d.step(t, "workflow_dispatch", dispatchOf(d.patch, command), nil, "--decide"); code != 3 ||
			!strings.Contains(log, says) {
			t.Errorf("%s: exit code %d, want %q\n%s", command, code, says, log)
		}
	}
	again := []string{"GITHUB_RUN_ATTEMPT=2"}
	for event, payload := range map[string]string{
		"issue_comment":     commentOf("build debian-12"),
		"workflow_dispatch": dispatchOf(d.patch, "build debian-12"),
	} {
		if _, log, outputs := d.step(t, event, payload, again, "--decide"); outputs["sha"] != "" ||
			!strings.Contains(log, "this run was started again") {
			t.Errorf("%s started again: %v\n%s", event, outputs, log)
		}
	}
	_, log, outputs := d.step(t, "issue_comment", commentOf("build debian-12"), nil, "--decide")
	if decision, err := ci.ParseDecision(outputs["decision"]); err != nil || decision.Merged || decision.SHA != d.patch ||
		decision.Change != "7" || decision.ReplyTo != "9" {
		t.Errorf("%+v, %v\n%s", decision, err, log)
	}
}

func many(n int, one github.Review) []github.Review {
	all := make([]github.Review, n)
	for i := range all {
		all[i] = one
	}
	return all
}

// What GitHub may answer instead of reviews is no approval, and no crash.
func TestReviewsThatAreNone(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  unmerged = [\"lab\"]")
	for rule, want := range map[string]int{
		`GET /repos/*/*/pulls/*/reviews status=200 reason="<html>"`: 1,
		`GET /repos/*/*/pulls/*/reviews status=502`:                 1,
		`GET /repos/*/*/pulls/*/reviews status=403`:                 1,
		`GET /repos/*/*/commits/*/pulls status=404 reason="x"`:      1,
		`GET /repos/*/*/collaborators/** status=404 reason="x"`:     1,
	} {
		if err := d.hub.Faults().Load(rule); err != nil {
			t.Fatal(err)
		}
		code, log, outputs := d.step(t, "workflow_dispatch", dispatchOf(d.patch, "build debian-12"), nil, "--decide")
		if code != want || outputs["decision"] != "" || strings.Contains(log, jobToken[:12]) &&
			!strings.Contains(log, "::add-mask::") {
			t.Errorf("%s: exit code %d, %v\n%s", rule, code, outputs, log)
		}
		d.hub.Faults().Clear()
	}
}

// All outputs of a decision, and what the jobs after it take of it.
func TestDecisionOfAPush(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  runners = { vsphere = [\"self-hosted\", \"vsphere\"] }")
	push := fmt.Sprintf(`{"ref":"refs/heads/main","after":%q,"head_commit":{"id":%[1]q},"repository":{"full_name":"o/r","default_branch":"main"},"sender":{"id":4,"login":"mara"}}`, d.main)
	code, log, outputs := d.step(t, "push", push, nil, "--decide")
	for name, want := range map[string]string{
		"sha": d.main, "plan": "true", "release": "false", "reap": "false", "platforms": "[]",
		"runners":      `{"azure":["ubuntu-latest"],"proxmox":["ubuntu-latest"],"vsphere":["self-hosted","vsphere"]}`,
		"environments": `{"azure":"lab-azure","proxmox":"lab-proxmox","vsphere":"lab-vsphere"}`,
	} {
		if outputs[name] != want {
			t.Errorf("the output %s is %s, want %s (exit code %d)\n%s", name, outputs[name], want, code, log)
		}
	}
	if !strings.Contains(log, "warning: the block ci of packer-hybrid.hcl names no runners for proxmox, azure: ") ||
		!strings.Contains(log, "go to GitHub's own ubuntu-latest") {
		t.Errorf("nothing is said of platforms without runners\n%s", log)
	}
	decision, err := ci.ParseDecision(outputs["decision"])
	if err != nil || decision.Run != "11" || !decision.Merged || decision.Env != "lab" || len(decision.Lines) != 1 ||
		decision.Lines[0] != "build --env lab" ||
		decision.Rule != "merged into main; the lines for a push to the default branch (packer-hybrid.hcl:39)" {
		t.Errorf("%+v, %v", decision, err)
	}
	given := ci.DecisionVariable + "=" + outputs["decision"]
	// The event says other things; it counts for nothing.
	other := dispatchOf(d.main, "status --env example")
	for name, c := range map[string]struct {
		env  []string
		args []string
		code int
		says string
	}{
		"another run": {
			[]string{given, "GITHUB_RUN_ID=12"},
			[]string{"--plan"},
			3,
			"the decision is for the run 11, and this one is \"12\"",
		},
		"no run":      {[]string{given, "GITHUB_RUN_ID="}, []string{"--plan"}, 3, "the decision is for the run 11"},
		"no decision": {[]string{ci.DecisionVariable + "="}, []string{"--plan"}, 3, "is no decision"},
		"null":        {[]string{ci.DecisionVariable + "=null"}, []string{"--plan"}, 3, "is no decision"},
		"another platform": {[]string{
			given, "PACKER_HYBRID_TARGET=debian-12@hyperv",
			"PACKER_HYBRID_DIGEST=" + strings.Repeat("0", 64),
		}, []string{"--part"}, 3, "this run's decision is not about"},
		"a path": {[]string{
			given, "PACKER_HYBRID_TARGET=../x@vsphere",
			"PACKER_HYBRID_DIGEST=" + strings.Repeat("0", 64),
		}, []string{"--part"}, 3, "is no target"},
		"status of the event": {[]string{given}, []string{"--collect", "nothing"}, 3, "::group::packer-hybrid collect"},
	} {
		if code, log, _ := d.step(t, "workflow_dispatch", other, c.env, c.args...); code != c.code ||
			!strings.Contains(log, c.says) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", name, code, c.code, c.says, log)
		}
	}
	d.git("checkout", "-q", "change")
	if code, log, _ := d.step(t, "push", push, []string{given}, "--plan"); code != 3 ||
		!strings.Contains(log, "and the checkout is at "+d.patch) {
		t.Errorf("another checkout: exit code %d\n%s", code, log)
	}
}

// What failed in a run is planned from the state, for a job for each target.
func TestRetryInSeveralJobs(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "")
	store, err := directory.Open(filepath.Join(d.dir, "state"))
	if err != nil {
		t.Fatal(err)
	}
	run := "20261123t050000-1a2b3c4d"
	rec := hybridcore.Record{
		RunID: run, Request: hybridcore.Request{
			Action: hybridcore.ActionBuild,
			Env:    "lab",
		}, Status: hybridcore.Failed, At: time.Now(), Results: []hybridcore.Result{
			{Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: hybridcore.Failed},
			{Target: "debian-12@azure", Image: "debian-12", Platform: hybridcore.Azure, Status: hybridcore.Built},
		},
	}
	if err := store.Append(t.Context(), rec, nil); err != nil {
		t.Fatal(err)
	}
	_, log, outputs := d.step(t, "workflow_dispatch", dispatchOf(d.main, "build --retry-failed "+run), nil, "--decide")
	env := []string{ci.DecisionVariable + "=" + outputs["decision"], "PACKER_HYBRID_CACHE=" + toolCache(t)}
	code, planned, outputs := d.step(t, "workflow_dispatch", dispatchOf(d.main, "build"), env, "--plan")
	if !strings.Contains(outputs["matrix"], `"target":"debian-12@vsphere"`) ||
		strings.Count(outputs["matrix"], `"target"`) != 1 || code != 0 {
		t.Errorf("exit code %d, the matrix is %s\n%s\n%s", code, outputs["matrix"], log, planned)
	}
}
