// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:31:00Z
// Spec: openspec/specs/leases/spec.md#requirement-a-lease-is-released-by-hand
// Diagram: openspec/specs/leases/diagram.md#released-by-hand

package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	forgegithub "github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
)

// releaseLine is what the bot makes of a command in Slack.
const releaseLine = `lease release debian-12@vsphere --reason "ci-a burnt down; it's gone" --env lab`

// releaseJob is a job of the bot with a state in which a run of a host that is gone holds a target.
func releaseJob(t *testing.T) ticketJob {
	t.Helper()
	j := newTicketJob(t)
	j.at = j.lets("lease-release")
	former := filepath.Join("..", "..", "hybridcore", "state", "directory", "testdata", "former")
	if err := os.CopyFS(j.env["PACKER_HYBRID_STATE"], os.DirFS(former)); err != nil {
		t.Fatal(err)
	}
	maps.Copy(j.env, map[string]string{"CI_COMMIT_SHA": j.at, "PACKER_HYBRID_COMMAND": releaseLine})
	return j
}

// release is a ticket for the release.
func (j ticketJob) release(change func(*policy.Ticket)) string {
	return j.seal(j.ticket(func(t *policy.Ticket) {
		t.Verb = "lease-release"
		if change != nil {
			change(t)
		}
	}))
}

// plans runs the job that plans.
func (j ticketJob) plans(args []string, change map[string]string) (int, string) {
	j.tb.Helper()
	all := maps.Clone(j.env)
	maps.Copy(all, change)
	var environ []string
	for name, value := range all {
		environ = append(environ, name+"="+value)
	}
	var out bytes.Buffer
	code := run(j.tb.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out},
		append([]string{"ci", "-C", j.dir}, args...), environ)
	return code, out.String()
}

// released checks that a lease is free, and that its record says by whom and why.
func (j ticketJob) released(code int, said string) {
	j.tb.Helper()
	if code != 0 || !strings.Contains(said, "released: the lease of lab/debian-12@vsphere, held by run run-dead") {
		j.tb.Errorf("exit code %d\n%s", code, said)
	}
	var out bytes.Buffer
	environ := []string{"PATH=" + os.Getenv("PATH"), "PACKER_HYBRID_STATE=" + j.env["PACKER_HYBRID_STATE"]}
	status := run(j.tb.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &out},
		[]string{"status", "-C", j.dir}, environ)
	if want := regexp.MustCompile(`its lease was released by U0001 at .* UTC: ci-a burnt down; it's gone`); status != 0 ||
		!want.Match(out.Bytes()) {
		j.tb.Errorf("status: exit code %d\n%s", status, out.Bytes())
	}
	record, err := os.ReadFile(filepath.Join(j.env["PACKER_HYBRID_STATE"], "runs", ticketRequest+".json"))
	if err != nil || !bytes.Contains(record, []byte(`"reason":"ci-a burnt down; it's gone"`)) ||
		!bytes.Contains(record, []byte(`"actor":"U0001"`)) {
		j.tb.Errorf("the record: %v\n%s", err, record)
	}
}

// TestReleaseOnGitLab releases a lease in the job that plans, by a ticket of the bot.
func TestReleaseOnGitLab(t *testing.T) {
	t.Parallel()
	j := releaseJob(t)
	plan := []string{"--plan"}
	code, said := j.plans(plan, map[string]string{"PACKER_HYBRID_TICKET": j.release(func(t *policy.Ticket) {
		t.Person.User = "U0002" // an operator, without this verb
	})})
	if code != 3 || !strings.Contains(said, "no rule of your roles (operator) allows lease-release") {
		t.Errorf("another user: exit code %d\n%s", code, said)
	}
	code, said = j.plans(plan, map[string]string{"PACKER_HYBRID_TICKET": j.ticketOf("plan")})
	if code != 3 || !strings.Contains(said, "ticket is for another command than lease-release") {
		t.Errorf("another ticket: exit code %d\n%s", code, said)
	}
	j.released(j.plans(plan, map[string]string{"PACKER_HYBRID_TICKET": j.release(nil)}))
	if answer, err := os.ReadFile(filepath.Join(j.dir, "artifacts", "answer.json")); err != nil ||
		!bytes.Contains(answer, []byte(`"status": "freed"`)) {
		t.Errorf("the answer: %v\n%s", err, answer)
	}
}

func (j ticketJob) ticketOf(verb string) string {
	return j.seal(j.ticket(func(t *policy.Ticket) { t.Verb = verb }))
}

// TestReleaseOnGitHub decides, and releases a lease in the job that plans.
func TestReleaseOnGitHub(t *testing.T) {
	t.Parallel()
	j := releaseJob(t)
	hub, err := github.Start(t.Context(), github.Config{
		Repository: "o/r", Token: jobToken, Commits: []string{j.at}, Branch: "main",
	})
	if err != nil {
		t.Fatal(err)
	}
	defer hub.Close()
	bots, err := forgegithub.NewRuns(forgegithub.RunsConfig{API: hub.URL(), Repository: "o/r", Token: jobToken})
	if err != nil {
		t.Fatal(err)
	}
	ticket := j.release(func(t *policy.Ticket) { t.Audience = bots.Audience() })
	order := cirun.Order{Request: ticketRequest, Line: releaseLine, Ref: "main", Commit: j.at, Ticket: []byte(ticket)}
	made, err := bots.Dispatch(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	inputs, _ := hub.Dispatches()[0]["inputs"].(map[string]any)
	event, err := json.Marshal(map[string]any{
		"ref": "refs/heads/main", "inputs": inputs, "sender": map[string]any{"id": 2, "login": "bot"},
		"repository": map[string]any{"id": 1, "full_name": "o/r", "default_branch": "main"},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, data := range map[string][]byte{"event.json": event, "output": nil} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{
		"GITLAB_CI": "", "GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "workflow_dispatch",
		"GITHUB_EVENT_PATH": filepath.Join(dir, "event.json"), "GITHUB_REPOSITORY": "o/r", "GITHUB_SHA": j.at,
		"GITHUB_RUN_ID": made.ID, "GITHUB_WORKFLOW_REF": "o/r/.github/workflows/images.yml@refs/heads/main",
		"GITHUB_API_URL": hub.URL(), "GITHUB_TOKEN": jobToken, "GITHUB_OUTPUT": filepath.Join(dir, "output"),
	}
	if code, said := j.plans([]string{"--decide"}, env); code != 0 {
		t.Fatalf("decide: exit code %d\n%s", code, said)
	}
	outputs, err := os.ReadFile(filepath.Join(dir, "output"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for _, one := range regexp.MustCompile(`(?m)^(\w+)(?:=(.*)|<<(\S+)\n((?s:.*?))\n\S+)$`).FindAllStringSubmatch(
		string(outputs), -1) {
		values[one[1]] = one[2] + one[4]
	}
	if values["plan"] != "true" || values["reap"] != "false" || values["release"] != "false" {
		t.Errorf("the outputs: %s", outputs)
	}
	env["PACKER_HYBRID_DECISION"] = values["decision"]
	j.released(j.plans([]string{"--plan"}, env))
}

// TestReleaseLocal releases a lease by a run that the bot starts on its machine.
func TestReleaseLocal(t *testing.T) {
	t.Parallel()
	j := releaseJob(t)
	ticket := j.release(func(t *policy.Ticket) { t.Audience = dispatch.LocalAudience(j.dir) })
	_, code, said := j.order(cirun.Order{
		Request: ticketRequest, Line: releaseLine, Ref: "main", Commit: j.at, Ticket: []byte(ticket),
	}, ticketKey)
	j.released(code, said)
}
