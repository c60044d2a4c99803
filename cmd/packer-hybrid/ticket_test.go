// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:36:09Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	forgegithub "github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/runner/job"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// ticketBot is the policy of the jobs: whoever views needs no approval in the lab,
// and one of an operator elsewhere.
const ticketBot = `
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  role "viewer" {
    users = ["U0001"]
    allow {
      verbs        = ["plan"]
      environments = ["*"]
    }
  }
  role "operator" {
    users = ["U0002"]
    allow {
      verbs        = ["plan", "build"]
      environments = ["example"]
    }
  }
  approval {
    verbs        = ["*"]
    environments = ["example"]
    roles        = ["operator"]
  }
}
`

const (
	ticketRequest = "20261123t050000-1a2b3c4d"
	ticketPlan    = "plan debian-12 --env lab --targets vsphere"
	prodPlan      = "plan debian-12 --env example --targets vsphere"
)

var ticketKey = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))

// ticketJob is a checkout in a pipeline of GitLab that the bot has made.
type ticketJob struct {
	site
	env map[string]string
	at  string // commit
}

func newTicketJob(t *testing.T) ticketJob {
	t.Helper()
	j := ticketJob{site: site{t, t.TempDir()}}
	if code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: t.Output(), Err: t.Output()},
		[]string{"init", j.dir}, nil); code != 0 {
		t.Fatalf("init: exit code %d", code)
	}
	file := filepath.Join(j.dir, "packer-hybrid.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, ticketBot...), 0o600); err != nil {
		t.Fatal(err)
	}
	j.git("init", "-q", "-b", "main", "--template=")
	j.git("add", "-A")
	j.git("commit", "-q", "-m", "base")
	j.at = j.head()
	j.env = map[string]string{
		"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "api", "CI_PROJECT_PATH": "o/r", "CI_PROJECT_ID": "7",
		"CI_PIPELINE_ID": "500", "CI_COMMIT_SHA": j.at,
		"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "PATH": os.Getenv("PATH"), "HOME": t.TempDir(),
		"PACKER_HYBRID_STATE": t.TempDir(), policy.KeyVariable: ticketKey, "PACKER_HYBRID_REQUEST_ID": ticketRequest,
		"PACKER_HYBRID_COMMAND": ticketPlan,
	}
	return j
}

// ticket is one for the job's command, with some of it changed.
func (j ticketJob) ticket(change func(*policy.Ticket)) policy.Ticket {
	t := policy.Ticket{
		Audience: policy.Audience{
			System: "gitlab", Repository: "o/r",
			File: ".gitlab-ci.yml",
		}, Expires: time.Now().Add(time.Hour), Request: ticketRequest,
		Person: policy.Person{Team: "T0001", Channel: "C0001", User: "U0001"}, Verb: "plan", Commit: j.at,
		Cells: []policy.Cell{{Env: "lab", Image: "debian-12", Platform: hybridcore.VSphere}},
	}
	if change != nil {
		change(&t)
	}
	return t
}

func (j ticketJob) seal(ticket policy.Ticket) string {
	j.tb.Helper()
	keys, err := policy.ParseKeys(ticketKey)
	if err != nil {
		j.tb.Fatal(err)
	}
	sealed, err := keys.Seal(ticket)
	if err != nil {
		j.tb.Fatal(err)
	}
	return string(sealed)
}

// ci runs packer-hybrid ci with a ticket and variables that are changed.
func (j ticketJob) ci(ticket string, change map[string]string) (int, string) {
	j.tb.Helper()
	all := map[string]string{"PACKER_HYBRID_TICKET": ticket}
	maps.Copy(all, j.env)
	maps.Copy(all, change)
	var environ []string
	for name, value := range all {
		environ = append(environ, name+"="+value)
	}
	var out bytes.Buffer
	code := run(j.tb.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out}, []string{"ci", "-C", j.dir},
		environ)
	return code, out.String()
}

// TestTicket gives jobs tickets that are theirs, and all kinds that are not.
func TestTicket(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	with := func(do func(*policy.Ticket)) string { return j.seal(j.ticket(do)) }
	good := with(nil)
	broken := []byte(good)
	broken[len(broken)/2] ^= 1
	otherKey := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("o", 32)))
	const plans, elsewhere = "debian-12@vsphere", "the bot's ticket is not for this job: it is for "
	for _, test := range []struct {
		name   string
		ticket string
		change map[string]string
		code   int
		says   string
	}{
		{"allowed", good, nil, 0, plans},
		{"by the project's number", with(func(t *policy.Ticket) { t.Audience.Repository = "7" }), nil, 0, plans},
		{"of all images that the command means", good, map[string]string{"PACKER_HYBRID_COMMAND": "plan"}, 0, plans},
		{"with the old key", good, map[string]string{policy.KeyVariable: otherKey + "," + ticketKey}, 0, plans},
		{
			"no key", good,
			map[string]string{policy.KeyVariable: ""},
			3,
			"PACKER_HYBRID_TICKET_KEY is not set: make one with `openssl rand -base64 32`",
		},
		{"a short key", good, map[string]string{policy.KeyVariable: "AAAA"}, 3, "has 3 bytes, and needs 32"},
		{"another key", good, map[string]string{policy.KeyVariable: otherKey}, 3, "its MAC is not by a key"},
		{"changed", string(broken), nil, 3, "its MAC is not by a key"},
		{
			"without a MAC, as earlier versions had it", `{"verb":"plan","commit":"` + j.at + `"}`, nil, 3,
			"the bot's ticket cannot be used",
		},
		{
			"over", with(func(t *policy.Ticket) { t.Expires = time.Now().Add(-time.Second) }), nil, 3,
			"the bot's ticket is not for this job: it ended at",
		},
		{"another system", with(func(t *policy.Ticket) { t.Audience.System = "github" }), nil, 3, elsewhere +
			"github o/r .gitlab-ci.yml, and this is gitlab o/r .gitlab-ci.yml"},
		{"another project", good, map[string]string{"CI_PROJECT_PATH": "o/fork", "CI_PROJECT_ID": "8"}, 3, elsewhere +
			"gitlab o/r"},
		{"another pipeline file", good, map[string]string{"CI_CONFIG_PATH": "evil.yml"}, 3, elsewhere + "gitlab o/r"},
		{
			"another request", good,
			map[string]string{"PACKER_HYBRID_REQUEST_ID": "20261123t050000-ffffffff"},
			3,
			"the bot's ticket is for request",
		},
		{"no request", good, map[string]string{"PACKER_HYBRID_REQUEST_ID": ""}, 3, "the bot's ticket is for request"},
		{
			"another user", with(func(t *policy.Ticket) { t.Person.User = "U0009" }), nil, 3,
			"denied by bot, default (packer-hybrid.hcl:",
		},
		{
			"another verb", good,
			map[string]string{"PACKER_HYBRID_COMMAND": "build debian-12 --env lab"},
			3,
			"ticket is for another command than build",
		},
		{
			"a role without the verb", with(func(t *policy.Ticket) { t.Verb = "build" }),
			map[string]string{"PACKER_HYBRID_COMMAND": "build debian-12 --env lab"},
			3, "no rule of your roles (viewer) " +
				"allows build",
		},
		{
			"another environment", good,
			map[string]string{"PACKER_HYBRID_COMMAND": prodPlan},
			3,
			"ticket is for another command than plan",
		},
		{
			"another commit", with(func(t *policy.Ticket) { t.Commit = strings.Repeat("0", 40) }), nil, 3,
			"the command is for commit 000000000000",
		},
		{"no targets", with(func(t *policy.Ticket) { t.Cells = nil }), nil, 3, "ticket is for another command"},
	} {
		code, said := j.ci(test.ticket, test.change)
		if code != test.code || !strings.Contains(said, test.says) || test.code > 0 && strings.Contains(said, "1 to build") {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", test.name, code, test.code, test.says, said)
		}
		if strings.Contains(said, "ubuntu-24.04") || strings.Contains(said, ticketKey) {
			t.Errorf("%s: it shows what it must not\n%s", test.name, said)
		}
	}
}

// TestApprovedPlan runs a command that was approved: with the approved plan, then
// with another one.
func TestApprovedPlan(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	j.env["PACKER_HYBRID_COMMAND"] = prodPlan
	cells := []policy.Cell{{Env: "example", Image: "debian-12", Platform: hybridcore.VSphere}}
	redactor, _ := redact.New()
	a := &job.Host{Process: process.Process{Environ: []string{"PATH=" + os.Getenv("PATH")}, Redactor: redactor}}
	plan := a.Plans(j.dir)(t.Context(), j.at, cells)
	if plan.Unknown != "" || len(plan.Targets["example/debian-12@vsphere"]) != 64 {
		t.Fatalf("the bot's plan is %+v", plan)
	}
	if other := a.Plans(j.dir)(t.Context(), strings.Repeat("ab", 20), cells); other.Unknown == "" ||
		!strings.Contains(other.String(), "only the names of its targets are known") {
		t.Errorf("of a commit that is not there: %s", other)
	}
	approved := func(do func(*policy.Ticket)) string {
		return j.seal(j.ticket(func(t *policy.Ticket) {
			now := time.Now()
			t.Cells, t.Plan, t.Shown = cells, &plan, now
			t.Approvals = []policy.Approval{{By: policy.Person{Team: "T0001", Channel: "C0001", User: "U0002"}, At: now}}
			if do != nil {
				do(t)
			}
		}))
	}
	unknown := policy.UnknownPlan(cells, "no checkout")
	other := policy.Plan{Targets: map[string]string{"example/debian-12@vsphere": strings.Repeat("0", 64)}}
	secrets := map[string]string{
		"PKR_VAR_vsphere_endpoint": "vc.example",
		"PKR_VAR_vsphere_password": "a-password-of-a-test",
	}
	larger := map[string]string{"PKR_VAR_vm_disk_size_mb": "99999"}
	script := filepath.Join(j.dir, "templates", "common.pkr.hcl")
	changed := func(do func()) {
		t.Helper()
		before, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(script, append(before, "\n# changed after the checkout\n"...), 0o600); err != nil {
			t.Fatal(err)
		}
		do()
		if err := os.WriteFile(script, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := func(name, ticket string, change map[string]string, code int, says ...string) {
		t.Helper()
		got, said := j.ci(ticket, change)
		for _, part := range says {
			if got != code || !strings.Contains(said, part) {
				t.Errorf("%s: exit code %d, want %d and %q\n%s", name, got, code, part, said)
			}
		}
	}
	const another = "the plan is not the approved one"
	want("the approved plan", approved(nil), secrets, 0, "debian-12@vsphere")
	want("a bot without the commit", approved(func(t *policy.Ticket) { t.Plan = &unknown }), secrets, 0,
		"debian-12@vsphere")
	want("no plan", approved(func(t *policy.Ticket) { t.Plan = nil }), nil, 3,
		"an approval of the plan is needed, and there is none")
	want("no approval", approved(func(t *policy.Ticket) { t.Approvals = nil }), nil, 3,
		"an approval is needed by another person with role operator")
	want("another digest", approved(func(t *policy.Ticket) { t.Plan = &other }), nil, 3, another,
		"another digest here for example/debian-12@vsphere")
	want("a variable of the environment", approved(nil), larger, 3, another, plan.Short(),
		"example/debian-12@vsphere: var:vm_disk_size_mb is 99999, and ", "in the commit")
	want("the same without digests", approved(func(t *policy.Ticket) { t.Plan = &unknown }), larger, 3, another,
		"var:vm_disk_size_mb is 99999")
	changed(func() {
		want("a file that was changed", approved(nil), nil, 3, another, "example/debian-12@vsphere: ", "common.pkr.hcl")
	})
	want("as before", approved(nil), nil, 0, "debian-12@vsphere")
}

// TestTicketByTheDefaultBranch uses a ticket at a commit whose own rules allow it,
// and those of the default branch do not any more.
func TestTicketByTheDefaultBranch(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	good := j.seal(j.ticket(nil))
	file := filepath.Join(j.dir, "packer-hybrid.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.ReplaceAll(text, []byte(`"U0001"`), []byte(`"U0003"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	j.git("commit", "-q", "-a", "-m", "another viewer")
	j.git("checkout", "-q", "--detach", j.at)
	code, said := j.ci(good, map[string]string{
		"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1",
		"CI_COMMIT_REF_PROTECTED": "true",
	})
	if want := "denied by bot, default (packer-hybrid.hcl:"; code != hybridcore.ExitBlocked ||
		!strings.Contains(said, want) {
		t.Errorf("exit code %d, want 3 and %q\n%s", code, want, said)
	}
}

// TestStateOfACommit runs a job whose state came with the commit.
func TestStateOfACommit(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	delete(j.env, "PACKER_HYBRID_STATE")
	if err := os.MkdirAll(filepath.Join(j.dir, "state", "snapshot"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(j.dir, "state", "snapshot", "00000001"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	without := map[string]string{"PACKER_HYBRID_REQUEST_ID": ""}
	if code, said := j.ci("", without); strings.Contains(said, "came with the commit") {
		t.Errorf("a state that nobody committed: exit code %d\n%s", code, said)
	}
	j.git("add", "--force", "state")
	j.git("commit", "-q", "-m", "state")
	j.env["CI_COMMIT_SHA"] = j.head()
	code, said := j.ci("", without)
	if want := "state/snapshot/00000001 came with the commit"; code != hybridcore.ExitBlocked ||
		!strings.Contains(said, want) {
		t.Errorf("exit code %d, want 3 and %q\n%s", code, want, said)
	}
}

// TestTicketUsedOnce uses a ticket in several runs of a CI system.
func TestTicketUsedOnce(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	good := j.seal(j.ticket(nil))
	for _, step := range []struct {
		pipeline string
		code     int
		says     string
	}{
		{"500", 0, "debian-12@vsphere"},
		{"500", 0, "debian-12@vsphere"}, // another job or attempt of it
		{"501", 3, "used by another run, gitlab 500"},
		{"499", 3, "used by another run, gitlab 500"},
		{"", 3, "does not know its run"},
	} {
		code, said := j.ci(good, map[string]string{"CI_PIPELINE_ID": step.pipeline})
		if code != step.code || !strings.Contains(said, step.says) {
			t.Errorf("pipeline %s: exit code %d, want %d and %q\n%s", step.pipeline, code, step.code, step.says, said)
		}
	}

	hub, err := github.Start(t.Context(), github.Config{
		Repository: "o/r", Token: jobToken, Commits: []string{j.at},
		Branch: "main",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	bots, err := forgegithub.NewRuns(forgegithub.RunsConfig{API: hub.URL(), Repository: "o/r", Token: jobToken})
	if err != nil {
		t.Fatal(err)
	}
	var runs []string
	for range 2 { // the bot's, and one that somebody started with the same inputs
		r, err := bots.Dispatch(context.WithoutCancel(t.Context()),
			cirun.Order{Request: ticketRequest, Line: ticketPlan, Ref: "main", Commit: j.at})
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r.ID)
	}
	onGitHub := j.seal(j.ticket(func(t *policy.Ticket) { t.Audience = bots.Audience() }))
	event := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(event,
		[]byte(`{"ref":"refs/heads/main","inputs":{"command":"`+ticketPlan+`","sha":"`+j.at+`","request_id":"`+ticketRequest+
			`","ticket":"`+onGitHub+
			`"},"repository":{"id":1,"full_name":"o/r","default_branch":"main"},"sender":{"id":2,"login":"bot"}}`),
		0o600); err != nil {
		t.Fatal(err)
	}
	github := func(run string, state string, change map[string]string) (int, string) {
		t.Helper()
		env := map[string]string{
			"GITLAB_CI": "", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "workflow_dispatch", "GITHUB_EVENT_PATH": event,
			"GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": j.at,
			"GITHUB_RUN_ID": run, "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/images.yml@refs/heads/main",
			"GITHUB_API_URL": hub.URL(), "GITHUB_TOKEN": jobToken,
			"PACKER_HYBRID_STATE": state,
		}
		maps.Copy(env, change)
		return j.ci("", env)
	}
	one, two := t.TempDir(), t.TempDir() // machines that share no state
	for _, step := range []struct {
		name, run, state string
		change           map[string]string
		code             int
		says             string
	}{
		{"a later run that comes first", runs[1], two, nil, 3, "there is an older one of it, github " + runs[0]},
		{"the bot's", runs[0], one, nil, 0, "debian-12@vsphere"},
		{"its next attempt", runs[0], one, map[string]string{"GITHUB_RUN_ATTEMPT": "2"}, 0, "debian-12@vsphere"},
		{"a later run", runs[1], one, nil, 3, "there is an older one of it"},
		{"no token", runs[0], two, map[string]string{"GITHUB_TOKEN": ""}, 3, "with the permission actions: read"},
		{
			"another workflow", runs[0], one,
			map[string]string{"GITHUB_WORKFLOW_REF": "o/r/.github/workflows/evil.yml@refs/heads/main"},
			3,
			"is not for this job",
		},
		{"no workflow", runs[0], one, map[string]string{"GITHUB_WORKFLOW_REF": ""}, 3, "is not for this job"},
	} {
		code, said := github(step.run, step.state, step.change)
		if code != step.code || !strings.Contains(said, step.says) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", step.name, code, step.code, step.says, said)
		}
	}
}

// lets gives viewers one more verb, and returns the commit.
func (j ticketJob) lets(verb string) string {
	j.tb.Helper()
	file := filepath.Join(j.dir, "packer-hybrid.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		j.tb.Fatal(err)
	}
	text = bytes.Replace(text, []byte(`verbs        = ["plan"]`), []byte(`verbs        = ["plan", "`+verb+`"]`), 1)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		j.tb.Fatal(err)
	}
	j.git("commit", "-q", "-a", "-m", "viewers may "+verb)
	return j.head()
}

// order runs packer-hybrid for an order as the bot writes it to a folder of its own, and
// returns the folder, the exit code and what was said.
func (j ticketJob) order(order cirun.Order, key string) (dir string, code int, said string) {
	j.tb.Helper()
	text, err := json.Marshal(order)
	if err != nil {
		j.tb.Fatal(err)
	}
	dir = j.tb.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "order.json"), text, 0o600); err != nil {
		j.tb.Fatal(err)
	}
	environ := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "PACKER_HYBRID_STATE=" + j.env["PACKER_HYBRID_STATE"],
		policy.KeyVariable + "=" + key,
	}
	var out bytes.Buffer
	code = run(j.tb.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out},
		[]string{"job", dir, "--repository", j.dir}, environ)
	return dir, code, out.String()
}

// TestTicketForFewer has a command that means more targets than its ticket is for:
// what only reads keeps to the ticket's, what changes something is refused.
func TestTicketForFewer(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	j.at = j.lets("publish")
	j.env["CI_COMMIT_SHA"] = j.at
	ticket := j.seal(j.ticket(func(t *policy.Ticket) { t.Verb = "publish" }))
	publish := map[string]string{"PACKER_HYBRID_COMMAND": "publish --env lab --release v1"}
	code, said := j.ci(ticket, publish)
	if want := `"publish" means lab/debian-12@azure too at commit`; code != hybridcore.ExitBlocked ||
		!strings.Contains(said, want) {
		t.Errorf("exit code %d, want 3 and %q\n%s", code, want, said)
	}
	publish["PACKER_HYBRID_COMMAND"] += " --image debian-12 --targets vsphere"
	if _, said := j.ci(ticket, publish); strings.Contains(said, "the bot's ticket is not for it") {
		t.Errorf("the ticket's own targets: %s", said)
	}
}

// TestNothingOfTheCheckoutIsLeft ends a job early, by a project file that is none:
// what the commit put into artifacts/ is not there for the upload.
func TestNothingOfTheCheckoutIsLeft(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	if err := os.MkdirAll(filepath.Join(j.dir, "artifacts", "report"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"artifacts/packer-hybrid.env": "CI_API_V4_URL=https://elsewhere.example", "artifacts/report/report.json": "{}",
		"packer-hybrid.hcl": "project {",
	} {
		if err := os.WriteFile(filepath.Join(j.dir, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	j.git("add", "--force", "-A")
	j.git("commit", "-q", "-m", "a change")
	if code, said := j.ci("", nil); code == 0 {
		t.Errorf("it ends well:\n%s", said)
	}
	for _, name := range []string{"packer-hybrid.env", "report/report.json"} {
		if _, err := os.Lstat(filepath.Join(j.dir, "artifacts", filepath.FromSlash(name))); err == nil {
			t.Errorf("artifacts/%s of the commit is left for the upload", name)
		}
	}
}
