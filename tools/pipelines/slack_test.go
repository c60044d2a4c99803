// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:26:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

//go:build pipelines

package pipelines_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	forgegithub "github.com/packer-hybrid/packer-hybrid/forge/github"
	forgegitlab "github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

const botBlock = `
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  role "operator" {
    users = ["U0001"]
    allow {
      verbs        = ["build", "plan", "status"]
      environments = ["lab"]
    }
  }
}
`

// TestSlack sends a slash command through a door, and waits for the message
// that shows each step of the build and its artifact.
func TestSlack(t *testing.T) {
	t.Parallel()
	l := startLab(t)
	for _, c := range []struct {
		name   string
		socket bool
		test   func(t *testing.T, l *lab.Lab, socket bool)
	}{
		{"local", false, testSlackLocal},
		{"GitHub", false, testSlackGitHub},
		{"GitHub, Socket Mode", true, testSlackGitHub},
		{"GitLab", false, testSlackGitLab},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, l, c.socket)
		})
	}
}

// withBot is a site whose project has a policy for the bot.
func withBot(t *testing.T, l *lab.Lab) *site {
	t.Helper()
	s := newShortSite(t, l)
	s.secrets[policy.KeyVariable] = ticketKey
	s.write("packer-hybrid.hcl", s.read("packer-hybrid.hcl")+botBlock)
	s.commit("policy of the bot")
	s.git("push", "-q", "origin", "main")
	return s
}

// hires is what a bot needs to have runs made.
type hires interface {
	cirun.Dispatcher
	cirun.Follower
	Audience() policy.Audience
}

// ticketKey is what the bot and its jobs share.
var ticketKey = base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32)))

// follow asks a bot for a build, beside the CI system's runner, and fails unless
// its message shows the steps in their order.
func (c checkout) follow(system hires, socket bool, run func(context.Context), steps ...string) {
	c.t.Helper()
	c.built(c.beside(system, socket, run, "build debian-12 --env lab --targets vsphere"), steps...)
}

// answered asks a bot for something, beside the CI system's runner, and fails
// unless the last message has all of the words.
func (c checkout) answered(system hires, socket bool, run func(context.Context), line string, words ...string) {
	c.t.Helper()
	shown := c.beside(system, socket, run, line)
	for _, word := range words {
		if len(shown) == 0 || !strings.Contains(shown[len(shown)-1], word) {
			c.t.Errorf("the answer to %s is without %q:\n%s", line, word, strings.Join(shown, "\n"))
		}
	}
}

// beside asks a bot for something, beside the CI system's runner, and returns what
// its message showed.
func (c checkout) beside(system hires, socket bool, run func(context.Context), line string) []string {
	c.t.Helper()
	ctx, end := context.WithCancel(c.t.Context())
	var runner sync.WaitGroup
	runner.Go(func() { run(ctx) })
	shown := c.ask(system, socket, line)
	end()
	runner.Wait()
	return shown
}

// dispatched waits until the CI system was asked for a run.
func dispatched(ctx context.Context, asked func() bool) bool {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for !asked() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// ask starts a bot with one door, sends it a command through that and returns
// what its message showed, until that has one of the endings.
func (c checkout) ask(system hires, socket bool, line string) []string {
	c.t.Helper()
	ctx, end := context.WithTimeout(c.t.Context(), 8*time.Minute)
	defer end()
	sim, err := slack.Start(ctx,
		slack.Config{
			Token: "xoxb-1", AppToken: "xapp-1", Secret: "signing", Team: "T0001", Channels: []string{"C0001"},
			Users: []string{"U0001"},
		})
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() {
		for _, v := range sim.Violations() {
			c.t.Error("Slack's reference: ", v)
		}
		if err := sim.Close(); err != nil {
			c.t.Error(err)
		}
	}()
	door, stop := c.hire(ctx, system, sim, socket)
	defer stop()
	from, status := slack.From{Channel: "C0001", User: "U0001"}, http.StatusOK
	if socket {
		err = sim.Deliver(ctx, sim.SlashEnvelope(from, line))
	} else {
		status, _, err = sim.Slash(ctx, door, from, line)
	}
	if err != nil || status != http.StatusOK {
		c.t.Fatal(status, err)
	}
	over := []string{
		"Built: ", "Failed: ", "Blocked: ", "Denied: ", "Cancelled: ", "Unchanged: ", "Planned: ", "Status: ",
		"Done: ",
	}
	var shown []string
	err = sim.Wait(ctx, func(messages []slack.Message, _ []slack.View) bool {
		shown = nil
		for _, m := range messages {
			shown = append(shown, m.Shown())
		}
		for _, word := range over {
			if len(shown) > 0 && strings.Contains(shown[len(shown)-1], word) {
				return true
			}
		}
		return false
	})
	if err != nil {
		c.t.Errorf("%v; Slack shows %s", err, strings.Join(shown, "\n"))
	}
	return shown
}

// hire serves a bot with one door, of which it returns the address if that is HTTP.
func (c checkout) hire(ctx context.Context, system hires, sim *slack.Server, socket bool) (door string, stop func()) {
	c.t.Helper()
	queue, err := store.Open(ctx, store.Options{Dir: c.t.TempDir()})
	if err != nil {
		c.t.Fatal(err)
	}
	b := &bot.Bot{
		Store: queue, Chat: chat.New("xoxb-1", "xapp-1", sim.API()), Log: slog.New(slog.NewTextHandler(c.t.Output(), nil)),
		Metrics: bot.NewMetrics(queue), Now: time.Now,
		Site: func() (bot.Site, error) {
			p, err := config.Load(c.dir)
			image := hybridcore.Image{
				Name:      "debian-12",
				Platforms: []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere, hybridcore.Azure},
			}
			return bot.Site{
				Bot: p.Bot, Environments: p.Environments, DefaultEnv: p.DefaultEnv,
				Images: []hybridcore.Image{image},
			}, err
		},
	}
	keys, err := policy.ParseKeys(ticketKey)
	if err != nil {
		c.t.Fatal(err)
	}
	b.Tickets = policy.Tickets{Keys: keys, Audience: system.Audience()}
	b.StartWorker(system, system, "main", time.Second)
	listen := func() net.Listener {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			c.t.Fatal(err)
		}
		return l
	}
	service := bot.Service{Bot: b, Socket: socket, Admin: listen(), Grace: 10 * time.Second}
	if !socket {
		service.Secret, service.Door = "signing", listen()
		door = "http://" + service.Door.Addr().String() + bot.DoorPath
	}
	serving, end := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- bot.Serve(serving, service) }()
	return door, func() {
		end()
		if err := errors.Join(<-served, queue.Close()); err != nil {
			c.t.Error(err)
		}
	}
}

// built fails unless the message went through these in order, and ended with
// the artifact.
func (c checkout) built(shown []string, words ...string) {
	c.t.Helper()
	at := 0
	for _, word := range words {
		for at < len(shown) && !strings.Contains(shown[at], word) {
			at++
		}
		if at == len(shown) {
			c.t.Errorf("the message did not show %q in its turn", word)
			break
		}
	}
	last := ""
	if len(shown) > 0 {
		last = shown[len(shown)-1]
	}
	for _, want := range []string{"Built: build debian-12", "debian-12@vsphere", "debian-12-"} {
		if !strings.Contains(last, want) {
			c.t.Errorf("the last message is without %q", want)
		}
	}
	if c.t.Failed() {
		c.t.Logf("the message: %s", strings.Join(shown, "\n"))
	}
}

// What the answers show: a plan before the build of one target, and the state after it.
var (
	planWords = []string{
		"Planned: plan debian-12", "3 to build and 0 unchanged in lab", "debian-12@proxmox", "debian-12@vsphere",
		"debian-12@azure",
		"never built", "stand-in: ",
	}
	statusWords = []string{
		"Status: status", "lab/debian-12@vsphere", "debian-12-20",
		"lab: lab/debian-12@vsphere was built in the lab",
	}
)

func testSlackLocal(t *testing.T, l *lab.Lab, socket bool) {
	t.Helper()
	s := withBot(t, l)
	env := append(os.Environ(), append(l.Env(), append(s.runner, policy.KeyVariable+"="+ticketKey)...)...)
	system, err := dispatch.NewLocal(dispatch.LocalConfig{
		Dir: filepath.Join(s.scratch, "runs"), Repository: s.dir,
		Program: []string{program}, Environ: env, Forges: []string{"GITHUB_", "GITLAB_"},
	})
	if err != nil {
		t.Fatal(err)
	}
	nobody := func(context.Context) {}
	s.answered(system, socket, nobody, "plan debian-12 --env lab", planWords...)
	s.follow(system, socket, nobody, "running: ", "running: ", "Built: ")
	s.answered(system, socket, nobody, "status --env lab", statusWords...)
}

func testSlackGitHub(t *testing.T, l *lab.Lab, socket bool) {
	t.Helper()
	s := withBot(t, l)
	s.github([]string{s.rev("main")})
	system, err := forgegithub.NewRuns(forgegithub.RunsConfig{API: s.hub.URL(), Repository: repo, Token: jobToken})
	if err != nil {
		t.Fatal(err)
	}
	s.answered(system, socket, s.runs(0), "plan debian-12 --env lab", planWords...)
	s.follow(system, socket, s.runs(1), "Running: ", "running: ", "Built: ")
	s.answered(system, socket, s.runs(2), "status --env lab", statusWords...)
	inputs, _ := s.hub.Dispatches()[1]["inputs"].(map[string]any)
	record, err := os.ReadFile(filepath.Join(s.scratch, "artifacts-1", "images", "record.json"))
	if want := fmt.Sprintf(`"run_id": "%v"`, inputs["request_id"]); err != nil || !strings.Contains(string(record), want) {
		t.Errorf("the record is not of the request, so retry does not find it: %v, want %s in\n%.300s", err, want, record)
	}
}

func testSlackGitLab(t *testing.T, l *lab.Lab, socket bool) {
	t.Helper()
	p := newPipelined(t, l.Env())
	labtest.ShortRecipe(t, p.dir)
	p.write("packer-hybrid.hcl", p.read("packer-hybrid.hcl")+botBlock)
	p.commit("policy of the bot")
	p.git("update-ref", "refs/remotes/origin/main", "HEAD")
	p.serve()
	system, err := forgegitlab.NewRuns(forgegitlab.RunsConfig{API: p.hub.URL(), Project: labProject, Token: projectToken})
	if err != nil {
		t.Fatal(err)
	}
	p.follow(system, socket, p.runDispatched, "Running: ", "Built: ")
}

// runDispatched is GitLab's runner: it runs the pipeline that was made.
func (p *pipelined) runDispatched(ctx context.Context) {
	if !dispatched(ctx, func() bool { return len(p.hub.Pipelines()) > 0 }) {
		return
	}
	id, _ := p.hub.Pipelines()[0]["id"].(int64)
	given, _ := p.hub.Pipelines()[0]["variables"].(map[string]string)
	variables := map[string]string{"CI_PIPELINE_ID": strconv.FormatInt(id, 10), policy.KeyVariable: ticketKey}
	maps.Copy(variables, given)
	p.hub.SetPipeline(id, "running")
	const last = "collect"
	p.hub.SetJob(id, last, "running")
	state := "success"
	if r := p.run("api", variables); r.code != 0 {
		state = "failed"
		p.t.Errorf("gitlab-ci-local: exit code %d\n%s", r.code, r.log)
	}
	p.hub.SetJob(id, last, state)
	p.hub.AddFile(id, last, "artifacts/answer.json", []byte(p.artifact(last, "artifacts/answer.json")))
	p.hub.SetPipeline(id, state)
}

// runs is GitHub's runner: it runs the workflow that was dispatched as the one of a number.
func (s *site) runs(number int) func(context.Context) {
	return func(ctx context.Context) {
		if dispatched(ctx, func() bool { return len(s.hub.Runs()) > number }) {
			s.runDispatched(number)
		}
	}
}

func (s *site) runDispatched(number int) {
	float, _ := s.hub.Runs()[number]["id"].(float64)
	id := int64(float)
	s.hub.SetRun(id, "in_progress", "")
	inputs, _ := s.hub.Dispatches()[number]["inputs"].(map[string]any)
	cmd := s.command("workflow_dispatch", object{
		"ref": "refs/heads/main", "inputs": inputs,
		"repository": object{"id": 5, "full_name": repo, "default_branch": "main"}, "sender": object{"id": 4, "login": "bot"},
	})
	cmd.Args = append(cmd.Args, "--env", "GITHUB_RUN_ID="+strconv.FormatInt(id, 10), "--env", "GITHUB_RUN_ATTEMPT=1",
		"--env", "GITHUB_WORKFLOW_REF="+repo+"/.github/workflows/images.yml@refs/heads/main")
	conclusion := "success"
	if out, err := s.watched(cmd, id); err != nil {
		conclusion = "failure"
		s.t.Errorf("act: %v\n%s", err, s.ran(out, err).log())
	}
	kept := filepath.Join(s.scratch, "artifacts-"+strconv.Itoa(number)) // act has one folder for all runs
	if err := os.Rename(filepath.Join(s.scratch, "artifacts"), kept); err != nil {
		s.t.Error(err)
	}
	entries, err := os.ReadDir(kept)
	if err != nil {
		s.t.Error(err)
	}
	for _, e := range entries {
		s.hub.AddArtifact(id, e.Name(), s.zip(filepath.Join(kept, e.Name())))
	}
	s.hub.SetRun(id, "completed", conclusion)
}

// watched runs act, and has GitHub list its jobs with their steps as they go on.
func (s *site) watched(cmd *exec.Cmd, id int64) ([]byte, error) {
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	var jobs []github.Object
	for lines := bufio.NewScanner(pipe); lines.Scan(); {
		out.Write(append(lines.Bytes(), '\n'))
		var e entry
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Job == "" || e.Step == "" && e.Ended == "" {
			continue
		}
		name := e.Job
		if e.Matrix["target"] != nil {
			name = fmt.Sprintf("%s (%v)", e.Job, e.Matrix["target"])
		}
		at := slices.IndexFunc(jobs, func(j github.Object) bool { return j["name"] == name })
		if at < 0 {
			jobs = append(jobs, github.Object{"name": name})
			at = len(jobs) - 1
		}
		jobs[at]["status"], jobs[at]["conclusion"], jobs[at]["steps"] = "in_progress", nil, []any{
			github.Object{"name": e.Step, "status": "in_progress", "conclusion": nil, "number": 1},
		}
		if e.Ended != "" {
			jobs[at]["status"], jobs[at]["conclusion"], jobs[at]["steps"] = "completed", e.Ended, []any{}
		}
		s.hub.SetJobs(id, jobs...)
	}
	return out.Bytes(), cmd.Wait()
}

// zip is a folder as GitHub keeps it.
func (s *site) zip(dir string) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	if err := w.AddFS(os.DirFS(dir)); err != nil {
		s.t.Error(err)
	}
	if err := w.Close(); err != nil {
		s.t.Error(err)
	}
	return b.Bytes()
}
