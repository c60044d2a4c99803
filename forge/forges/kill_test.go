// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:20:00Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package forges_test

import (
	"context"
	"encoding/base64"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	gh "github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

var kills = flag.Int("kills", 6, "how often TestKilled kills the bot; make test-nightly does it 50 times")

const signing = "signing-secret-1"

const policyText = `project {
  name                = "x"
  default_environment = "lab"
}
environment "lab" {}
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  rate     = 600
  role "operator" {
    users = ["U0001"]
    allow {
      verbs        = ["*"]
      environments = ["*"]
    }
  }
}
`

// TestMain lets the test binary be a bot.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "bot" {
		os.Exit(serveBot(os.Args[2:]))
	}
	os.Exit(m.Run())
}

// newBot is a whole bot on GitHub, with its queue in a folder.
func newBot(ctx context.Context, dir, api string, system *gh.Runs, log io.Writer) (*bot.Bot, error) {
	queue, err := store.Open(ctx, store.Options{Dir: dir})
	if err != nil {
		return nil, err
	}
	b := &bot.Bot{
		Store: queue, Chat: chat.New("xoxb-1", "xapp-1", api), Log: slog.New(slog.NewTextHandler(log, nil)),
		Metrics: bot.NewMetrics(queue), Now: time.Now, Pace: 10 * time.Millisecond,
		Site: func() (bot.Site, error) {
			p, err := config.LoadFS(fstest.MapFS{config.FileName: {Data: []byte(policyText)}})
			images := []hybridcore.Image{{Name: "debian-12", Platforms: []hybridcore.Platform{hybridcore.VSphere}}}
			return bot.Site{Bot: p.Bot, Environments: p.Environments, DefaultEnv: p.DefaultEnv, Images: images}, err
		},
	}
	keys, err := policy.ParseKeys(base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	if err != nil {
		return nil, err
	}
	b.Tickets = policy.Tickets{Keys: keys, Audience: policy.Audience{System: "test"}}
	b.StartWorker(system, system, "main", 3*time.Second)
	return b, nil
}

// serveBot serves a bot with both doors: DIR SLACK GITHUB DOOR.
func serveBot(args []string) int {
	err := func() error {
		ctx := context.Background()
		system, err := gh.NewRuns(gh.RunsConfig{
			API: args[2], Repository: "o/r", Token: token,
			Timeout: 5 * time.Second,
		})
		if err != nil {
			return err
		}
		b, err := newBot(ctx, args[0], args[1], system, os.Stderr)
		if err != nil {
			return err
		}
		door, err := new(net.ListenConfig).Listen(ctx, "tcp", args[3])
		if err != nil {
			return err
		}
		admin, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		return bot.Serve(ctx, bot.Service{
			Bot: b, Secret: signing, Door: door, Socket: true, Admin: admin,
			Grace: time.Second,
		})
	}()
	fmt.Fprintln(os.Stderr, err)
	return 1
}

// doomed is a bot that is killed, with its surroundings.
type doomed struct {
	t     *testing.T
	hub   *github.Server
	slack *slack.Server
	dir   string
	door  string // HOST:PORT

	mu      sync.Mutex
	acked   map[string]bool // command → acknowledged
	repeats map[string]int  // door → commands that the bot had already
	first   chan struct{}   // closed with the first acknowledgement of a round
}

// Write takes the log of the bot.
func (d *doomed) Write(lines []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for line := range strings.Lines(string(lines)) {
		for _, door := range []string{"http", "socket"} {
			if strings.Contains(line, "rule=once") && strings.Contains(line, "door="+door) {
				d.repeats[door]++
			}
		}
	}
	return d.t.Output().Write(lines)
}

// TestKilled kills the bot with SIGKILL at random moments while commands come
// in through both doors, are dispatched, followed and shown: each fourth time
// just when they come in. Each acknowledged command is then dispatched once, and
// its final message is there, once. Slack sends two of three again until they are
// acknowledged, and one of these although it was, as if that had been lost on its
// way; the others are dispatched at most once.
func TestKilled(t *testing.T) {
	t.Parallel()
	d := newDoomed(t)
	ctx, end := context.WithCancel(t.Context())
	var helpers sync.WaitGroup
	helpers.Go(func() { drive(ctx, d.hub) })
	states := map[string]int{}
	for n := range *kills {
		child := d.start()
		d.round()
		var senders sync.WaitGroup
		for i, again := range []bool{true, true, false} {
			socket := (n+i)%2 == 0
			senders.Go(func() { d.send(ctx, fmt.Sprintf("plan debian-12 --base k%d-%d", n, i), socket, again, i == 0) })
		}
		var first <-chan struct{}
		if n%4 == 0 {
			first = d.first // the others are being acknowledged, or are not
		}
		select {
		case <-time.After(time.Duration(rand.IntN(1600)) * time.Millisecond): // any moment is as good
		case <-first:
		}
		d.kill(child)
		d.count(states)
		child = d.start() // what was not acknowledged is sent again, as Slack does
		senders.Wait()
		<-time.After(time.Duration(rand.IntN(300)) * time.Millisecond)
		d.kill(child)
	}
	child := d.start()
	late, stop := context.WithTimeout(t.Context(), 5*time.Minute)
	defer stop()
	err := d.slack.Wait(late, func(all []slack.Message, _ []slack.View) bool { return len(d.unfinished(all)) == 0 })
	if err != nil {
		t.Errorf("%v; without a final message: %v", err, d.unfinished(d.slack.Messages()))
	}
	d.kill(child)
	end()
	helpers.Wait()
	d.once()
	t.Logf("%d kills, %d commands, of which %d were acknowledged; states of jobs at the kills: %v; sent again although "+
		"they were stored: %v",
		2**kills+1, 3**kills, len(d.acked), states, d.repeats)
}

func newDoomed(t *testing.T) *doomed {
	t.Helper()
	free, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &doomed{
		t: t, hub: hub(t, "", nil), dir: t.TempDir(), door: free.Addr().String(), acked: map[string]bool{},
		repeats: map[string]int{},
	}
	_ = free.Close()
	if err := d.hub.Faults().Load(
		"POST /repos/o/r/actions/** nth=5 status=502 after\nPOST /repos/o/r/actions/** nth=8 status=502\nPOST " +
			"/repos/o/r/actions/** nth=11 drop after"); err != nil {
		t.Fatal(err)
	}
	d.slack = chatSim(t)
	return d
}

// chat is a Slack for a bot with both doors.
func chatSim(t *testing.T) *slack.Server {
	t.Helper()
	s, err := slack.Start(t.Context(),
		slack.Config{
			Token: "xoxb-1", AppToken: "xapp-1", Secret: signing, Team: "T0001", Channels: []string{"C0001"},
			Users: []string{"U0001"},
		})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, v := range s.Violations() {
			t.Error("Slack's reference: ", v)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// start starts the bot, and waits for its door.
func (d *doomed) start() *exec.Cmd {
	d.t.Helper()
	self, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.CommandContext(d.t.Context(), self, "bot", d.dir, d.slack.API(), d.hub.URL(), d.door)
	cmd.Stderr = d
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		c, err := (&net.Dialer{Timeout: time.Second}).DialContext(d.t.Context(), "tcp", d.door)
		if err == nil {
			_ = c.Close()
			return cmd
		}
		<-time.After(20 * time.Millisecond)
	}
	d.t.Fatal("the bot does not start")
	return nil
}

func (d *doomed) kill(cmd *exec.Cmd) {
	d.t.Helper()
	if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		d.t.Fatal(err)
	}
	_ = cmd.Wait() // killed
}

// round begins to wait for a first acknowledgement.
func (d *doomed) round() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.first = make(chan struct{})
}

// signal notes an acknowledgement. The caller holds the lock.
func (d *doomed) signal() {
	select {
	case <-d.first:
	default:
		close(d.first)
	}
}

// send sends one command, until it is acknowledged if it is to be sent again:
// the same one, as Slack does. The first acknowledgement may be lost.
func (d *doomed) send(ctx context.Context, text string, socket, again, lost bool) {
	from := slack.From{Channel: "C0001", User: "U0001"}
	body, envelope := d.slack.SlashBody(from, text), d.slack.SlashEnvelope(from, text)
	for try := 0; ctx.Err() == nil && (try == 0 || again); try++ {
		acked := false
		if envelope.Attempt = try; socket {
			acked = d.slack.Deliver(ctx, envelope) == nil
		} else {
			var more []string
			if try > 0 {
				more = []string{fmt.Sprintf("X-Slack-Retry-Num: %d", try)}
			}
			status, _, err := d.slack.Send(ctx, "http://"+d.door+bot.DoorPath, body, time.Now(), more...)
			acked = err == nil && status == http.StatusOK
		}
		if acked {
			d.mu.Lock()
			d.signal()
			d.acked[text] = true
			d.mu.Unlock()
			if !lost {
				return
			}
			lost = false
		}
		<-time.After(50 * time.Millisecond)
	}
}

// drive ends the runs at GitHub some time after their dispatch.
func drive(ctx context.Context, hub *github.Server) {
	seen := map[int64]int{}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		for _, run := range hub.Runs() {
			number, _ := run["id"].(float64)
			id := int64(number)
			switch seen[id]++; seen[id] {
			case 3:
				hub.SetRun(id, "in_progress", "")
			case 12:
				hub.SetRun(id, "completed", "success")
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
}

// count adds up the states of the jobs that the dead bot left.
func (d *doomed) count(states map[string]int) {
	d.t.Helper()
	s, err := store.Open(d.t.Context(), store.Options{Dir: d.dir})
	if err != nil {
		d.t.Fatal(err)
	}
	defer s.Close()
	rows, err := s.Latest(d.t.Context(), 1000)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, row := range rows {
		states[row.State]++
	}
	waiting, err := s.Waiting(d.t.Context(), store.Intake)
	if err != nil {
		d.t.Fatal(err)
	}
	states["received"] += waiting
}

// unfinished are the acknowledged commands whose message does not show the end.
func (d *doomed) unfinished(all []slack.Message) []string {
	last := map[string]string{}
	for _, m := range all {
		last[m.TS] = m.Shown()
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	var left []string
	for text := range d.acked {
		done := false
		for _, shown := range last {
			done = done || strings.Contains(shown, text+" ") && strings.Contains(shown, "Done: ")
		}
		if !done {
			left = append(left, text)
		}
	}
	return left
}

// once checks that each acknowledged command was dispatched once and has one
// message, and that no other was dispatched twice.
func (d *doomed) once() {
	d.t.Helper()
	dispatched, requests := map[string]int{}, map[string]int{}
	for _, o := range d.hub.Dispatches() {
		inputs, _ := o["inputs"].(map[string]any)
		line, _, _ := strings.Cut(fmt.Sprint(inputs["command"]), " --env")
		dispatched[line]++
		requests[fmt.Sprint(inputs["request_id"])]++
	}
	messages := map[string]map[string]bool{}
	for _, m := range d.slack.Messages() {
		for text := range d.acked {
			if strings.Contains(m.Shown(), text+" ") {
				if messages[text] == nil {
					messages[text] = map[string]bool{}
				}
				messages[text][m.TS] = true
			}
		}
	}
	for text := range d.acked {
		if dispatched[text] != 1 || len(messages[text]) != 1 {
			d.t.Errorf("%q was dispatched %d times, and has %d messages", text, dispatched[text], len(messages[text]))
		}
	}
	for text, n := range dispatched {
		if n != 1 {
			d.t.Errorf("%q was dispatched %d times", text, n)
		}
	}
	for request, n := range requests {
		if n != 1 {
			d.t.Errorf("request %s was dispatched %d times", request, n)
		}
	}
	if d.repeats["http"] == 0 || d.repeats["socket"] == 0 {
		d.t.Errorf("the bot saw no command again over one of the doors: %v", d.repeats)
	}
	if len(d.acked) < 2**kills || len(requests) < len(d.acked) || len(requests) > 3**kills {
		d.t.Errorf("%d of %d commands were acknowledged and %d dispatched", len(d.acked), 3**kills, len(requests))
	}
}
