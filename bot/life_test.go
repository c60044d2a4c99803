// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:32:47Z
// Spec: openspec/specs/bot/spec.md#requirement-approval-by-another-person
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package bot_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
)

var approveValue = regexp.MustCompile(`"action_id":"ph-approve","value":"([^" ]+) ([0-9a-f]{40}) ([0-9a-f]{64})"`)

// waiting waits for a message that asks for an approval of a commit, and gives
// the run and the plan.
func (b *bed) waiting(commit string) (run, plan string) {
	b.t.Helper()
	m := b.seen("has to approve commit "+commit+", plan ", "ph-approve")
	found := approveValue.FindStringSubmatch(m.Blocks)
	if found == nil || found[2] != commit {
		b.t.Fatalf("the button does not name the commit: %s", m.Blocks)
	}
	return found[1], found[3]
}

// TestApproval denies whoever must not approve, then takes another operator's
// approval of the commit that was shown.
func TestApproval(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	b.say("U0002", "build debian-12 --env prod")
	id, plan := b.waiting(commitA)
	denied := func(user, value, why string) {
		t.Helper()
		before := len(b.log.lines(t, "decision"))
		b.press(user, "ph-approve", value)
		line := b.last(t, before)
		//nolint:errcheck,forcetypeassert // a string, or the test fails
		if line["allow"] != false || line["user"] != user || !strings.Contains(line["why"].(string), why) {
			t.Errorf("audit: %v", line)
		}
		b.seen("Denied: " + why)
	}
	denied("U0002", id+" "+commitA+" "+plan, "who asked cannot approve")
	denied("U0001", id+" "+commitA+" "+plan, "an approval needs role operator")
	denied("U0009", id+" "+commitA+" "+plan, "you have no role")
	denied("U0003", id+" "+commitB+" "+plan, "the approval is for another commit")
	if n := len(b.ci.taken()); n != 0 {
		t.Fatalf("%d runs before the approval", n)
	}
	b.ci.set(func(c *ci) { c.head = commitB })
	denied("U0003", id+" "+commitA+" "+plan, "the branch has moved from aaaaaaaaaaaa to bbbbbbbbbbbb")
	if again, _ := b.waiting(commitB); again != id {
		t.Errorf("the message of run %s became one of %s", id, again)
	}
	denied("U0003", id+" "+commitA+" "+plan, "the approval is for another commit")
	b.press("U0003", "ph-approve", id+" "+commitB+" "+plan)
	b.seen("Running", "approved by U0003")
	orders := b.ci.taken()
	if len(orders) != 1 || orders[0].Commit != commitB || orders[0].Request != id {
		t.Fatalf("orders: %+v", orders)
	}
	if ticket, err := b.keys.Open(orders[0].Ticket); err != nil || len(ticket.Approvals) != 1 ||
		ticket.Approvals[0].By.User != "U0003" || ticket.Plan.Digest() != plan {
		t.Errorf("the ticket is %+v, %v", ticket, err)
	}
	b.press("U0003", "ph-approve", id+" "+commitB+" "+plan)
	b.seen("waits for an approval")
	b.clean()
}

// TestExpired ends a command that nobody approved in time.
func TestExpired(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.project = strings.Replace(project, `roles        = ["operator"]`, `roles = ["operator"]`+"\nwithin = \"1m\"", 1)
	b.start(false)
	b.say("U0002", "build debian-12 --env prod")
	id, plan := b.waiting(commitA)
	b.stop()
	b.later = 61 * time.Second
	b.start(false)
	b.press("U0003", "ph-approve", id+" "+commitA+" "+plan)
	b.seen("Denied: the 1m0s for an approval are over")
	if n := len(b.ci.taken()); n != 0 {
		t.Errorf("%d runs", n)
	}
}

// TestRoleTakenAway denies at the dispatch what was allowed before.
func TestRoleTakenAway(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.ci.headFail = &cirun.LaterError{After: 100 * time.Millisecond, Err: errors.New("502")}
	b.start(false)
	b.say("U0001", "build debian-12")
	b.seen("Queued")
	b.mu.Lock()
	b.project = strings.Replace(project, `users  = ["U0001"]`, `users  = ["U0008"]`, 1)
	b.mu.Unlock()
	b.ci.set(func(c *ci) { c.headFail = nil })
	b.seen("Denied: build debian-12", "you have no role")
	lines := b.log.lines(t, "decision")
	if len(lines) != 2 || lines[1]["allow"] != false || len(b.ci.taken()) != 0 {
		t.Errorf("audit: %v, orders %v", lines, b.ci.taken())
	}
	b.clean()
}

// decided counts the decisions on commands.
func decided(lines []map[string]any) int {
	n := 0
	for _, line := range lines {
		if line["at"] == "intake" {
			n++
		}
	}
	return n
}

// TestOneAtATime asks for the same build many times: one runs, one waits, and
// the others join it.
func TestOneAtATime(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	b.say("U0001", "build debian-12")
	b.seen("Running")
	for range 10 {
		b.say("U0001", "build debian-12")
	}
	b.say("U0002", "build debian-12 --targets vsphere") // shares a target
	b.say("U0002", "build ubuntu-24.04")                // shares none
	b.seen("build ubuntu-24.04", "Running")
	lines := b.log.wait(t, "decision", func(lines []map[string]any) bool { return decided(lines) == 13 })
	joined := 0
	for _, line := range lines {
		if line["joined"] != nil {
			joined++
		}
	}
	if joined != 9 || len(b.ci.taken()) != 2 {
		t.Errorf("%d joined, orders %+v", joined, b.ci.taken())
	}
	b.clean()
}

// TestDispatchFaults asks a CI system that fails: the user sees queued, then
// the run, and there is one run.
func TestDispatchFaults(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*ci)
		want   string
		runs   int
	}{
		"head is not known": {func(c *ci) {
			n := 0
			c.headFail = errors.New("502")
			c.answer = func(int) error { n++; return nil }
		}, "Queued", 0},
		"a limit": {func(c *ci) {
			n := 0
			c.answer = func(int) error {
				if n++; n < 3 {
					return &cirun.LaterError{After: time.Millisecond, Err: errors.New("secondary limit")}
				}
				return nil
			}
		}, "Running", 1},
		"a lost answer": {func(c *ci) {
			c.lost, c.hidden = true, 1
			c.answer = func(int) error { return errors.New("unexpected EOF") }
		}, "Running", 1},
		"no such workflow": {func(c *ci) {
			c.answer = func(int) error { return hybridcore.Blockedf("there is no workflow <!channel> images.yml") }
		}, "there is no workflow", 0},
		"not an object ID": {func(c *ci) { c.head = "main; rm -rf" }, "Queued", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			test.change(b.ci)
			b.start(false)
			b.say("U0001", "build debian-12")
			b.seen("build debian-12 --env lab", test.want)
			if test.want == "Queued" {
				b.log.wait(t, "trying again", func(lines []map[string]any) bool { return len(lines) > 0 })
			}
			if n := len(b.ci.taken()); n != test.runs {
				t.Errorf("%d runs, want %d", n, test.runs)
			}
			b.clean()
		})
	}
}

// TestCancel ends what waits at once, and what runs through the CI system.
func TestCancel(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	b.say("U0002", "build debian-12 --env prod")
	id, _ := b.waiting(commitA)
	b.press("U0003", "ph-cancel", id)
	b.seen("cancelled before it began", "cancelled by U0003")
	b.say("U0001", "build debian-12")
	b.seen("debian-12 --env lab", "Running")
	running := b.ci.taken()[0].Request
	b.say("U0001", "cancel "+running)
	b.seen("Cancelling", "cancelled by U0001")
	b.say("U0001", "runs")
	if m := b.seen(running + "  U0001  build debian-12 --env lab: Cancelling"); strings.Contains(m.Text, id) {
		t.Error("a developer sees a run in prod")
	}
	b.say("U0002", "runs")
	b.seen(running, id+"  U0002  build debian-12 --env prod: Cancelled")
	b.clean()
}

// TestOperations asks for health and metrics, and breaks the store.
func TestOperations(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	b.say("U0001", "build debian-12")
	b.seen("Running")
	ask := func(path string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.admin+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var text strings.Builder
		_, _ = fmt.Fprint(&text, resp.Status)
		_ = resp.Write(&text)
		_ = resp.Body.Close()
		return resp.StatusCode, text.String()
	}
	for _, path := range []string{"/healthz", "/readyz"} {
		if status, text := ask(path); status != 200 {
			t.Errorf("%s: %s", path, text)
		}
	}
	_, metrics := ask("/metrics")
	for _, want := range []string{
		`packer_hybrid_bot_commands_total{door="http",outcome="accepted"} 1`,
		`packer_hybrid_bot_decisions_total{result="allowed"} 1`,
		`packer_hybrid_bot_queue_length{queue="follow"} 1`, `packer_hybrid_bot_acknowledge_seconds_count{door="http"} 1`,
		"go_goroutines",
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("the metrics lack %s", want)
		}
	}
	b.stop()
	b.start(false)
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	if status, _ := ask("/healthz"); status != http.StatusServiceUnavailable {
		t.Errorf("with a closed store: %d", status)
	}
	if status, _, err := b.slack.Slash(t.Context(), b.door, from("U0001"), "build"); err != nil ||
		status != http.StatusServiceUnavailable {
		t.Errorf("a command that cannot be stored is answered %d, %v", status, err)
	}
}

// TestStatusByTheState answers status without a run where the bot reads the state, to whom it is allowed only.
func TestStatusByTheState(t *testing.T) {
	t.Parallel()
	for name, socket := range map[string]bool{"HTTP": false, "Socket Mode": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			var asked []hybridcore.Request
			fails := errors.New("the disk <!channel> is gone")
			b.state = func(_ context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
				if asked = append(asked, req); len(asked) > 1 {
					return hybridcore.Answer{}, fails
				}
				return hybridcore.Answer{Status: &hybridcore.StatusReport{Targets: map[string]hybridcore.Current{
					"lab/debian-12@vsphere": {RunID: "run-1", Artifact: &hybridcore.Artifact{ID: "debian-12-run-1"}},
				}}}, nil
			}
			b.start(socket)
			b.say("U0009", "status")
			b.seen("Denied")
			b.say("U0001", "status debian-12")
			b.seen("Status: status debian-12", "1 target built", "lab/debian-12@vsphere", "debian-12-run-1")
			b.say("U0001", "status")
			b.seen("Failed: status", "the state cannot be read: the disk")
			if n := len(b.ci.taken()); n != 0 || len(asked) != 2 || asked[0].Env != "lab" || len(asked[0].Images) != 1 {
				t.Errorf("%d runs, asked for %+v", n, asked)
			}
			b.clean()
		})
	}
}

// TestInspect shows the record of a run by the state, to whom the status of its targets is allowed only.
func TestInspect(t *testing.T) {
	t.Parallel()
	for name, socket := range map[string]bool{"HTTP": false, "Socket Mode": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.state = func(_ context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
				env := map[string]string{"": "lab", "run-lab": "lab", "run-prod": "prod"}[req.Record]
				if env == "" || req.Action != hybridcore.ActionInspect {
					return hybridcore.Answer{}, hybridcore.Usagef("no run %q is recorded; the last one is run-lab", req.Record)
				}
				return hybridcore.Answer{Record: &hybridcore.Record{
					RunID: "run-" + env, Request: hybridcore.Request{Action: hybridcore.ActionBuild, Env: env},
					Status: hybridcore.Failed, Results: []hybridcore.Result{{
						Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: hybridcore.Failed,
						Failure: &hybridcore.Failure{Step: "ssh", Message: "no route <!channel>"},
					}},
				}}, nil
			}
			b.start(socket)
			b.say("U0009", "inspect run-lab")
			b.seen("Denied: you have no role")
			b.say("U0001", "inspect --env lab")
			b.seen("/packer-hybrid inspect [RUN]")
			b.say("U0001", "inspect run-lab")
			b.seen("Record: inspect run-lab", "run-lab, build of lab", "failed: ssh", "debian-12@vsphere: no route")
			b.say("U0001", "inspect")
			b.seen("Record: inspect\"", "run-lab, build of lab")
			b.say("U0001", "inspect run-prod")
			b.seen("Denied: inspect run-prod", "allows status of prod/debian-12@vsphere")
			b.say("U0002", "inspect run-prod")
			b.seen("Record: inspect run-prod", "run-prod, build of prod")
			b.say("U0002", "inspect run-gone")
			b.seen("Failed: inspect run-gone", "is recorded; the last one is run-lab")
			if n := len(b.ci.taken()); n != 0 {
				t.Errorf("%d runs", n)
			}
			b.clean()
		})
	}
}

// TestInspectWithoutAState says what the bot needs in order to answer.
func TestInspectWithoutAState(t *testing.T) { throughBoth(t, testInspectWithoutAState) }

func testInspectWithoutAState(t *testing.T, b *bed) {
	t.Helper()
	b.say("U0001", "inspect")
	m := b.seen("Failed: inspect", "the bot cannot read the state", "PACKER_HYBRID_STATE", "keep it in git")
	if n := len(b.ci.taken()); n != 0 || strings.Contains(m.Shown(), "Retry") {
		t.Errorf("%d runs; the message is %s", n, m.Shown())
	}
}

// TestRelease has a run release a lease, for somebody whose role allows it, and not after another run of the target.
func TestRelease(t *testing.T) { throughBoth(t, testRelease) }

func testRelease(t *testing.T, b *bed) {
	t.Helper()
	const line = `lease release lab/debian-12@vsphere --reason "its host is gone -- it's 2"`
	b.say("U0001", "lease release debian-12@vsphere --reason its host is gone")
	b.seen("Denied: ", "allows lease-release of lab/debian-12@vsphere")
	for text, want := range map[string]string{
		"lease release debian-12@vsphere":                        "say why with --reason",
		"lease debian-12@vsphere":                                "Try: /packer-hybrid lease release TARGET --reason TEXT",
		"lease release debian-12@vsphere --reason $(id)":         "the text after --reason holds",
		"lease release debian-12@vsphere --reason x --force":     "unknown flag",
		"lease release debian-13@vsphere --reason \"it's gone\"": "unknown image",
	} {
		b.say("U0002", text)
		b.seen(want)
	}
	b.say("U0002", "build debian-12 --targets vsphere")
	b.seen("Running: build debian-12")
	b.ci.set(func(c *ci) {
		c.status = func() (cirun.Progress, error) {
			request := hybridcore.Request{Action: hybridcore.ActionFree, Env: "lab"}
			record := hybridcore.Record{
				Request: request, Status: hybridcore.FreedDone,
				Freed: &hybridcore.Lease{Key: "lab/debian-12@vsphere", RunID: "run-gone", Owner: "runner@ci-3"},
			}
			answer := hybridcore.Answer{Request: &request, Record: &record}
			return cirun.Progress{Done: true, Outcome: cirun.OutcomeOf(answer)}, nil
		}
	})
	b.say("U0002", "lease release lab/debian-12@vsphere —reason “its host is gone -- it's 2”")
	b.seen("Freed: lease release", "the lease of lab/debian-12@vsphere, which run run-gone of runner@ci-3 held, is free")
	orders := b.ci.taken()
	if len(orders) != 2 || orders[1].Line != line {
		t.Fatalf("%d orders, the last %q", len(orders), orders[len(orders)-1].Line)
	}
	ticket, err := b.keys.Open(orders[1].Ticket)
	want := []policy.Cell{{Env: "lab", Image: "debian-12", Platform: hybridcore.VSphere}}
	if err != nil || ticket.Verb != "lease-release" || ticket.Person.User != "U0002" || !slices.Equal(ticket.Cells, want) {
		t.Errorf("the ticket is %+v, %v", ticket, err)
	}
	request, err := command.Parse(orders[1].Line)
	if err != nil || request.Origin.Reason != "its host is gone -- it's 2" {
		t.Errorf("the job reads %+v, %v", request, err)
	}
}
