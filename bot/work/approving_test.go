// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:20:52Z
// Spec: openspec/specs/bot/spec.md#requirement-approval-by-another-person
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package work

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
)

const lena = "U0LENA"

func ticketKeys(t *testing.T) policy.Keys {
	t.Helper()
	keys, err := policy.ParseKeys(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

// ticket is the ticket of a run, opened.
func (r *rig) ticket(id string) policy.Ticket {
	r.t.Helper()
	ticket, err := r.with.Tickets.Keys.Open(r.ci.runs[id].Ticket)
	if err != nil {
		r.t.Fatal(err)
	}
	return ticket
}

// approvals has a rig ask for the approvals of leads and of operators.
func (r *rig) approvals(needs ...policy.Need) func(user string) policy.Snapshot {
	bot := config.Bot{Teams: []string{team}, Channels: []string{channel}, Rate: 10, Line: 1, Roles: []config.Role{
		{Name: "operator", Users: []string{mara, lena}}, {Name: "lead", Users: []string{mara, noor}},
	}}
	r.with.Decide = func(_ context.Context, j jobs.Job) (policy.Decision, bool, error) {
		d := policy.Decision{Allow: true, Need: needs}
		p := j.Pending()
		p.Needs = needs
		return d, j.Plan == nil || len(p.Missing(bot)) > 0, nil
	}
	r.steps.pause = func(time.Duration) time.Duration { return time.Millisecond } // an approval must not expire
	return func(user string) policy.Snapshot {
		return policy.Snapshot{Bot: bot, Person: policy.Person{Team: team, Channel: channel, User: user}}
	}
}

// awaiting says whether the message of a job shows that it waits.
func (r *rig) awaiting(id string) func() bool {
	return func() bool { j := r.job(id); return j.State == jobs.Awaiting && j.Message.Sent == j.Message.Want }
}

var lead = policy.Need{Roles: []string{"lead"}, Within: 30 * time.Minute, Rule: "approval of a lead"}

// plans gives each commit a plan of its own.
func plans(_ context.Context, commit string, cells []policy.Cell) policy.Plan {
	inputs := map[string]map[string]string{}
	for _, cell := range cells {
		inputs[cell.String()] = map[string]string{"commit": commit}
	}
	return policy.NewPlan(cells, inputs)
}

func TestApproval(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with.Plan = plans
	snapshot := r.approvals(lead)
	id := r.ask(1, nil)
	r.until("awaiting", r.awaiting(id))
	plan := func(commit string) string { return plans(t.Context(), commit, r.job(id).Cells).Digest() }
	for _, c := range []struct {
		user, head, seen, plan string
		allow                  bool
		shows                  string
	}{
		{mara, commit, commit, plan(commit), false, commit},          // the requester
		{noor, commit, moved, plan(commit), false, commit},           // of another message
		{noor, commit, commit, plan(moved), false, commit},           // of another plan
		{noor, commit, commit, "", false, commit},                    // of none
		{noor, commit, commit, plan(commit)[:11], false, commit},     // of what many plans begin with
		{mara, moved, commit, plan(commit), false, commit},           // who may not approve does not change what is shown
		{noor, moved, commit, plan(commit), false, moved},            // the branch has moved
		{noor, moved, moved, plan(commit), false, moved},             // and has another plan
		{noor, moved, moved, plan(moved)[:shownDigits], true, moved}, // as the message shows it
	} {
		r.ci.head = c.head
		d, err := r.Approve(t.Context(), id, policy.Seen{Commit: c.seen, Plan: c.plan}, snapshot(c.user))
		if err != nil || d.Allow != c.allow || r.job(id).Commit != c.shows {
			t.Errorf("%+v: %+v %v, shows %s", c, d, err, r.job(id).Commit)
		}
		if !c.allow {
			r.until("the message", r.awaiting(id))
		}
	}
	r.until("the end", r.shown(id))
	ticket := r.ticket(id)
	if ticket.Commit != moved || ticket.Plan.Digest() != plan(moved) || len(ticket.Approvals) != 1 ||
		ticket.Approvals[0].By.User != noor {
		t.Errorf("the ticket is %+v", ticket)
	}
	if ticket.Audience.System != "test" || ticket.Expires.Sub(begin) < policy.TicketLife || ticket.Shown.IsZero() {
		t.Errorf("the ticket is for %v until %s", ticket.Audience, ticket.Expires)
	}
	states := strings.Join(r.hub.all()[0].States, "\n")
	for _, want := range []string{
		"ph-approve", id + " " + moved + " " + plan(moved), "plan " + plan(moved)[:shownDigits],
		"lab/debian-12@vsphere",
	} {
		if !strings.Contains(states, want) {
			t.Errorf("the message lacks %q: %s", want, states)
		}
	}
	if _, err := r.Approve(t.Context(), id, policy.Seen{Commit: moved, Plan: plan(moved)}, snapshot(noor)); err == nil {
		t.Error("what has ended was approved")
	}
}

// TestTwoRules waits for an approval of each rule, and shows who gave them; a
// restart between them forgets none.
func TestTwoRules(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	snapshot := r.approvals(lead, policy.Need{
		Roles: []string{"operator"}, Within: time.Hour,
		Rule: "approval of an operator",
	})
	id := r.ask(1, nil)
	r.until("awaiting", r.awaiting(id))
	approve := func(user string) policy.Decision {
		t.Helper()
		j := r.job(id)
		d, err := r.Approve(t.Context(), id, policy.Seen{Commit: j.Commit, Plan: j.Plan.Digest()}, snapshot(user))
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if d := approve(noor); !d.Allow || d.Rule != "approval of a lead" {
		t.Fatalf("%+v", d)
	}
	if d := approve(noor); d.Allow || !strings.Contains(d.Why, "an approval needs role operator") {
		t.Errorf("a lead approves for operators: %+v", d)
	}
	r.until("the message", r.awaiting(id))
	if len(r.ci.asked) > 0 || !r.hub.showed("Approved by "+noor+" as lead") ||
		!r.hub.showed("Open: role operator, until 06:0") {
		t.Fatalf("%d runs; the message was %s", len(r.ci.asked), strings.Join(r.hub.all()[0].States, "\n"))
	}
	if err := r.with.Store.Close(); err != nil {
		t.Fatal(err)
	}
	r.open()
	snapshot = r.approvals(lead, policy.Need{
		Roles: []string{"operator"}, Within: time.Hour,
		Rule: "approval of an operator",
	})
	if d := approve(lena); !d.Allow {
		t.Fatalf("%+v", d)
	}
	r.until("the end", r.shown(id))
	if got := fmt.Sprint(r.ticket(id).Approvals); !strings.Contains(got, noor) || !strings.Contains(got, lena) ||
		len(r.ci.asked) != 1 {
		t.Errorf("the ticket has %s, %d dispatches", got, len(r.ci.asked))
	}
	if !r.hub.showed("approved by " + noor + " · approved by " + lena) {
		t.Errorf("the message was %s", strings.Join(r.hub.all()[0].States, "\n"))
	}
}

// TestOtherPlan has a rule become open between the approval and the dispatch: the
// approvals are void, and the message shows the plan of the commit of now.
func TestOtherPlan(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with.Plan = plans
	snapshot := r.approvals(lead)
	id := r.ask(1, nil)
	r.until("awaiting", r.awaiting(id))
	first := r.job(id).Plan.Digest()
	if d, err := r.Approve(t.Context(), id, policy.Seen{Commit: commit, Plan: first}, snapshot(noor)); err != nil ||
		!d.Allow {
		t.Fatal(d, err)
	}
	snapshot = r.approvals(lead, policy.Need{
		Roles: []string{"operator"}, Within: time.Hour,
		Rule: "approval of an operator",
	})
	r.ci.head = moved
	r.until("awaiting anew", func() bool { return r.awaiting(id)() && r.job(id).Commit == moved })
	job := r.job(id)
	if len(job.Approvals()) > 0 || len(job.Open()) != 2 || job.Plan.Digest() == first || len(r.ci.asked) > 0 {
		t.Fatalf("the job is %+v", job)
	}
	if d, err := r.Approve(t.Context(), id, policy.Seen{Commit: moved, Plan: first}, snapshot(noor)); err != nil ||
		d.Allow {
		t.Errorf("the old plan was approved: %+v, %v", d, err)
	}
}

func TestNobodyApproves(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	needs := policy.Needs{
		{Roles: []string{"operator"}, Within: time.Hour},
		{Roles: []string{"lead"}, Within: -time.Second},
	}
	r.with.Decide = func(context.Context, jobs.Job) (policy.Decision, bool, error) {
		return policy.Decision{Allow: true, Need: needs}, true, nil
	}
	id := r.ask(1, nil)
	r.until("the end", r.shown(id))
	if job := r.job(id); job.State != jobs.Expired || len(r.ci.asked) > 0 ||
		!strings.Contains(job.Outcome.Why, "nobody with role lead") {
		t.Errorf("the job is %+v", job)
	}
}

// TestEarlierVersion goes on with jobs that an earlier version wrote down: one that
// waits, one that was approved without a plan, and one that has ended.
func TestEarlierVersion(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with.Plan = plans
	snapshot := r.approvals(lead)
	const row = `{"command":{"id":"ID","at":"2026-11-23T05:00:00Z","door":"http",
"team":"T0TEAM","channel":"C0ROOM","user":"U0MARA","text":"build"},
"request":{"action":"build","env":"lab"},"line":"build debian-12 --env lab",
"cells":[{"env":"lab","image":"debian-12","platform":"PLATFORM"}],"state":"STATE",
"person":{"team":"T0TEAM","channel":"C0ROOM","user":"U0MARA"},
"decision":{"allow":true,"rule":"r","why":"w","need":{"roles":["lead"],"within_ns":1800000000000,"rule":"approval"}},
"commit":"COMMIT","shown":"2026-11-23T05:00:00Z"MORE,"message":{"want":1,"sent":0}}`
	const approved = `,"approver":{"team":"T0TEAM","channel":"C0ROOM","user":"U0NOOR"},"approved":"2026-11-23T05:01:00Z"`
	for id, with := range map[string][]string{
		"old-awaiting": {"STATE", "awaiting", "MORE", "", "PLATFORM", "vsphere"}, "old-approved": {
			"STATE", "queued", "MORE",
			approved, "PLATFORM", "azure",
		},
		"old-done": {
			"STATE", "done", "MORE", approved + `,"outcome":{"status":"built","at":"2026-11-23T05:20:00Z"}`,
			"PLATFORM", "proxmox",
		},
	} {
		body := strings.NewReplacer(append([]string{"ID", id, "COMMIT", commit}, with...)...).Replace(row)
		err := r.with.Store.Change(t.Context(), func(tx *store.Tx) error {
			if err := tx.Put(store.Row{ID: id, State: with[1], Body: []byte(body)}); err != nil || with[1] != "queued" {
				return err
			}
			return tx.Send(jobs.QueueDispatch, []byte(id), 0)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	_, blocks := chat.Message(r.job("old-done"))
	if text, err := json.Marshal(blocks); err != nil || !strings.Contains(string(text), "approved by "+noor) {
		t.Errorf("the message of what has ended is %s, %v", text, err)
	}
	r.until("awaiting", r.awaiting("old-approved"))
	if len(r.ci.asked) > 0 || r.job("old-approved").Plan == nil {
		t.Fatal("what was approved without a plan is carried out")
	}
	if status, said := chat.Headline(r.job("old-awaiting")); status != "Waits for approval" ||
		!strings.Contains(said, "Open: role lead, until 05:30 UTC") {
		t.Errorf("it shows %s: %s", status, said)
	}
	if d, err := r.Approve(t.Context(), "old-awaiting", policy.Seen{Commit: commit}, snapshot(noor)); err != nil ||
		d.Allow {
		t.Errorf("a button of the earlier version: %+v %v", d, err)
	}
	for _, id := range []string{"old-awaiting", "old-approved"} {
		r.until("the plan", r.awaiting(id))
		if d, err := r.Approve(t.Context(), id, policy.Seen{Commit: commit, Plan: r.job(id).Plan.Digest()},
			snapshot(noor)); err != nil || !d.Allow {
			t.Fatalf("%s: %+v %v", id, d, err)
		}
		r.until("the end", r.shown(id))
	}
	if r.job("old-approved").Outcome.Status != hybridcore.Built || len(r.ci.asked) != 2 {
		t.Errorf("%d dispatches", len(r.ci.asked))
	}
}
