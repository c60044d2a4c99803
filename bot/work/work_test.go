// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:34:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

const (
	team    = "T0TEAM"
	channel = "C0ROOM"
	mara    = "U0MARA"
	noor    = "U0NOOR"
)

var (
	commit = strings.Repeat("c0ffee00", 5)
	moved  = strings.Repeat("beef0000", 5)
	begin  = time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)
)

// clock goes on by what is waited, without waiting.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pause(d time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return time.Millisecond
}

// system is a CI system whose answers a test gives.
type system struct {
	mu       sync.Mutex
	clock    *clock
	head     string
	refuse   []error // of the next dispatches; nil takes the run
	lose     int     // how many answers of runs that were taken are lost
	blind    int     // how often Find does not see them yet
	fails    int     // how often anything else fails
	runs     map[string]cirun.Order
	asked    []time.Time      // dispatches
	progress []cirun.Progress // one a look; the last one stays
	looks    int
	stopped  []string
	gate     func() // before whatever comes after a failure
	failed   bool
	seen     func(text string) bool
}

// enter waits until the user has seen that something failed.
func (s *system) enter() {
	s.mu.Lock()
	gate, failed := s.gate, s.failed
	s.mu.Unlock()
	if gate != nil && failed {
		gate()
	}
}

func (s *system) Head(context.Context, string) (string, error) {
	s.enter()
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.head, s.failure()
}

func (s *system) failure() error {
	if s.fails > 0 {
		s.fails--
		s.failed = true
		return errors.New("502")
	}
	return nil
}

func (s *system) Find(_ context.Context, o cirun.Order) (cirun.Run, bool, error) {
	s.enter()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failure(); err != nil {
		return cirun.Run{}, false, err
	}
	_, ok := s.runs[o.Request]
	if ok && s.blind > 0 {
		s.blind--
		return cirun.Run{}, false, nil
	}
	return cirun.Run{ID: "run-" + o.Request, URL: "https://ci.example/" + o.Request}, ok, nil
}

func (s *system) Dispatch(_ context.Context, o cirun.Order) (cirun.Run, error) {
	s.enter()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, s.clock.Now())
	if len(s.refuse) > 0 {
		err := s.refuse[0]
		s.refuse = s.refuse[1:]
		if err != nil {
			s.failed = true
			return cirun.Run{}, err
		}
	}
	if _, twice := s.runs[o.Request]; twice {
		panic("a second run of " + o.Request)
	}
	s.runs[o.Request] = o
	if s.lose > 0 {
		s.lose--
		s.failed = true
		return cirun.Run{}, errors.New("no answer")
	}
	return cirun.Run{ID: "run-" + o.Request, URL: "https://ci.example/" + o.Request}, nil
}

// Status goes on when the user has seen what it said last.
func (s *system) Status(context.Context, cirun.Order, cirun.Run) (cirun.Progress, error) {
	s.mu.Lock()
	seen, step := s.seen, "Running"
	if s.looks > 0 && s.looks <= len(s.progress) && len(s.progress[s.looks-1].Targets) > 0 {
		step = s.progress[s.looks-1].Targets[0].Step
	}
	s.mu.Unlock()
	for end := time.Now().Add(10 * time.Second); seen != nil && !seen(step) && time.Now().Before(end); {
		<-time.After(2 * time.Millisecond)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.failure(); err != nil {
		return cirun.Progress{}, err
	}
	p := s.progress[min(s.looks, len(s.progress)-1)]
	s.looks++
	return p, nil
}

func (s *system) Cancel(_ context.Context, run cirun.Run) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = append(s.stopped, run.ID)
	s.progress = []cirun.Progress{{Done: true, Outcome: cirun.Outcome{Status: hybridcore.Cancelled}}}
	return nil
}

// rig is a worker with its surroundings.
type rig struct {
	*Worker

	t     *testing.T
	ci    *system
	hub   *slackFake
	clock *clock
	dir   string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	c := &clock{now: begin}
	ci := &system{clock: c, head: commit, runs: map[string]cirun.Order{}, progress: []cirun.Progress{
		{Targets: []cirun.Target{{Name: "debian-12@vsphere", Status: "queued"}}},
		{Targets: []cirun.Target{{Name: "debian-12@vsphere", Status: "running", Step: "Creating VM"}}},
		{Targets: []cirun.Target{{Name: "debian-12@vsphere", Status: "running", Step: "Provisioning with Ansible"}}},
		{
			Done: true, Targets: []cirun.Target{{
				Name: "debian-12@vsphere", Status: "built", Artifact: "debian-12-1",
				Duration: time.Minute,
			}},
			Outcome: cirun.Outcome{Status: hybridcore.Built},
		},
	}}
	r := &rig{t: t, ci: ci, hub: newSlack(t), clock: c, dir: t.TempDir()}
	r.open()
	return r
}

// open is a new worker on the same store, as after a restart.
func (r *rig) open() {
	r.t.Helper()
	s, err := store.Open(r.t.Context(), store.Options{Dir: r.dir})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = s.Close() })
	r.Worker = New(Options{
		Store: s, Chat: chat.New("xoxb-1", "", r.hub.URL()), Dispatcher: r.ci, Follower: r.ci, Ref: "main",
		ListDelay: time.Minute,
		Decide: func(context.Context, jobs.Job) (policy.Decision, bool, error) {
			return policy.Decision{Allow: true, Rule: "role operator"}, false, nil
		},
		Audit:   func(jobs.Job, policy.Decision) {},
		Tickets: policy.Tickets{Keys: ticketKeys(r.t), Audience: policy.Audience{System: "test"}},
		Log:     slog.New(slog.NewTextHandler(r.t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug})), Now: r.clock.Now,
		Pace: time.Millisecond,
	})
	r.steps.pause = r.clock.pause
}

// ask puts a job in.
func (r *rig) ask(n int, change func(*jobs.Job)) string {
	r.t.Helper()
	id := fmt.Sprintf("20261123t050000-%08d", n)
	person := policy.Person{Team: team, Channel: channel, User: mara}
	job := jobs.Job{
		Command: door.Command{ID: id, At: r.clock.Now(), Team: team, Channel: channel, User: mara}, State: jobs.Queued,
		Person:  person,
		Request: hybridcore.Request{Action: hybridcore.ActionBuild, Env: "lab"}, Line: "build debian-12 --env lab",
		Cells: []policy.Cell{{Env: "lab", Image: "debian-12", Platform: hybridcore.VSphere}},
	}
	if change != nil {
		change(&job)
	}
	if err := r.with.Store.Change(r.t.Context(), func(tx *store.Tx) error { return jobs.Enqueue(tx, &job) }); err != nil {
		r.t.Fatal(err)
	}
	return id
}

// until works until it is so.
func (r *rig) until(what string, so func() bool) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.t.Context(), 30*time.Second)
	defer cancel()
	done := make(chan struct{})
	go func() { defer close(done); r.Run(ctx) }()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil && !so() {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		r.t.Errorf("waited in vain for: %s", what)
	}
	cancel()
	<-done
}

// job is a job now.
func (r *rig) job(id string) jobs.Job {
	r.t.Helper()
	job, found, err := jobs.Get(r.t.Context(), r.with.Store, id)
	if err != nil || !found {
		r.t.Fatalf("job %s: %v %v", id, found, err)
	}
	return job
}

// shown says whether Slack has the last state of a job that has ended.
func (r *rig) shown(id string) func() bool {
	return func() bool {
		job, _, err := jobs.Get(context.WithoutCancel(r.t.Context()), r.with.Store, id)
		return err == nil && job.State.Final() && job.Message.Sent == job.Message.Want &&
			(len(chat.Cause(job)) == 0 || job.Message.Thread)
	}
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ci.seen = r.hub.showed
	id := r.ask(1, nil)
	r.until("the end", r.shown(id))
	if job := r.job(id); job.State != jobs.Done || job.Outcome.Status != hybridcore.Built || job.Run.ID != "run-"+id ||
		job.Commit != commit {
		t.Errorf("the job is %+v", job)
	}
	all := r.hub.all()
	if len(all) != 1 || all[0].Channel != channel {
		t.Fatalf("messages: %+v", all)
	}
	last := all[0].States[len(all[0].States)-1]
	if !strings.Contains(last, "Built: build debian-12") || !strings.Contains(last, "debian-12-1") ||
		!strings.Contains(last, "1m0s") {
		t.Errorf("the last state is %s", last)
	}
	// none is left out: see system.Status
	if !all[0].ordered("Running", "Creating VM", "Provisioning with Ansible", "Built") {
		t.Errorf("the states are out of order: %q", all[0].States)
	}
	for what, text := range map[string]string{
		"the order":  r.ci.runs[id].Line,
		"the ticket": fmt.Sprint(r.ticket(id).Cells),
	} {
		if !strings.Contains(text, "debian-12") {
			t.Errorf("%s is %s", what, text)
		}
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*system)
		asked  int
		least  time.Duration // between the first and the last dispatch
		note   string
		status hybridcore.Status
	}{
		"secondary limit": {
			func(s *system) {
				s.refuse = []error{&cirun.LaterError{After: 30 * time.Second, Err: errors.New("403 secondary limit")}}
			}, 2, 30 * time.Second, "403 secondary limit", hybridcore.Built,
		},
		"answer lost":            {func(s *system) { s.lose = 1 }, 1, 0, "no answer", hybridcore.Built},
		"answer lost, list late": {func(s *system) { s.lose, s.blind = 1, 4 }, 1, 0, "no answer", hybridcore.Built},
		"unknown, and there is none": {
			func(s *system) { s.refuse = []error{errors.New("502")} }, 2, time.Minute, "502", hybridcore.Built,
		},
		"502 for long": {func(s *system) { s.fails = 8 }, 1, 0, "502", hybridcore.Built},
		"no such workflow": {
			func(s *system) { s.refuse = []error{hybridcore.Usagef("no workflow images.yml")} }, 1, 0, "", hybridcore.Failed,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			c.change(r.ci)
			r.ci.gate = func() {
				for end := time.Now().Add(10 * time.Second); !r.hub.showed(c.note) && time.Now().Before(end); {
					<-time.After(2 * time.Millisecond)
				}
			}
			id := r.ask(1, nil)
			r.until("the end", r.shown(id))
			if got := len(r.ci.asked); got != c.asked {
				t.Fatalf("%d dispatches, want %d", got, c.asked)
			}
			if took := r.ci.asked[len(r.ci.asked)-1].Sub(r.ci.asked[0]); took < c.least {
				t.Errorf("tried again after %s, want %s", took, c.least)
			}
			if got := r.job(id).Outcome.Status; got != c.status {
				t.Errorf("the outcome is %s", got)
			}
			states := strings.Join(r.hub.all()[0].States, "\n")
			if c.note != "" && !strings.Contains(states, "Queued") || !strings.Contains(states, c.note) {
				t.Errorf("the user saw %s", states)
			}
		})
	}
}

// A bot that was killed after the CI system took the run finds it.
func TestKilledWhileDispatching(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	id := r.ask(1, func(j *jobs.Job) { j.State, j.Commit, j.Tried = jobs.Dispatching, commit, begin })
	if err := r.with.Store.Change(t.Context(),
		func(tx *store.Tx) error { return tx.Send(jobs.QueueDispatch, []byte(id), 0) }); err != nil {
		t.Fatal(err)
	}
	r.ci.runs[id] = cirun.Order{Request: id}
	r.until("the end", r.shown(id))
	if len(r.ci.asked) != 0 || r.job(id).Run.ID != "run-"+id {
		t.Errorf("%d dispatches", len(r.ci.asked))
	}
}

func TestOneAtATime(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ci.seen = func(string) bool { return r.hub.showed("has a target of it") } // before the first one ends
	first, second := r.ask(1, nil), r.ask(2, nil)
	joined := r.ask(3, func(j *jobs.Job) { j.State, j.Joined = jobs.Joined, "20261123t050000-00000002" })
	r.until("the end", func() bool { return r.shown(first)() && r.shown(second)() && r.shown(joined)() })
	if len(r.ci.asked) != 2 || r.job(joined).Outcome.Status != hybridcore.Built || r.job(joined).Run.ID != "run-"+second {
		t.Errorf("%d dispatches; the joined one is %+v", len(r.ci.asked), r.job(joined))
	}
	waited := ""
	for _, m := range r.hub.all() {
		waited += strings.Join(m.States, "\n")
	}
	if !strings.Contains(waited, "has a target of it") {
		t.Errorf("nobody saw why the second one waits: %s", waited)
	}
}

func TestDeniedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with.Decide = func(context.Context, jobs.Job) (policy.Decision, bool, error) {
		return policy.Decision{Why: "you have no role"}, false, nil
	}
	id := r.ask(1, nil)
	r.until("the end", r.shown(id))
	if job := r.job(id); job.State != jobs.Denied || len(r.ci.asked) > 0 {
		t.Errorf("the job is %+v", job)
	}
}

// Nobody is taken for a member while Slack does not say who is in a group.
func TestGroupsUnknown(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.with.Decide = func(context.Context, jobs.Job) (policy.Decision, bool, error) {
		return policy.Decision{}, false, errors.New("no answer")
	}
	id := r.ask(1, nil)
	r.until("the end", r.shown(id))
	if job := r.job(id); job.State != jobs.Denied || len(r.ci.asked) > 0 || r.clock.Now().Sub(begin) < 10*time.Minute {
		t.Errorf("the job is %+v at %s", job, r.clock.Now())
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.ci.progress = r.ci.progress[1:2] // it goes on
	id := r.ask(1, nil)
	r.until("running", func() bool { return r.job(id).State == jobs.Running })
	by := policy.Person{User: noor}
	if said, err := r.Cancel(t.Context(), id, by); err != nil || !strings.Contains(said, "is being cancelled") {
		t.Fatal(said, err)
	}
	r.until("the end", r.shown(id))
	if job := r.job(id); job.Outcome.Status != hybridcore.Cancelled || len(r.ci.stopped) != 1 {
		t.Errorf("the job is %+v, cancelled %v", job, r.ci.stopped)
	}
	waiting := r.ask(2, nil)
	if _, err := r.Cancel(t.Context(), waiting, by); err != nil {
		t.Fatal(err)
	}
	r.until("the end", r.shown(waiting))
	if said, err := r.Cancel(t.Context(), waiting, by); err != nil || !strings.Contains(said, "has ended already") ||
		len(r.ci.asked) != 1 {
		t.Error(said, err, r.ci.asked)
	}
	if _, err := r.Cancel(t.Context(), "nothing", by); err == nil {
		t.Error("a run that is not there was cancelled")
	}
}
