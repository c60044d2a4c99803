// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:09:01Z
// Spec: openspec/specs/bot/spec.md#requirement-speed-of-the-acknowledgement
// Diagram: openspec/specs/bot/diagram.md#one-command

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

const (
	secret     = "bench-signing-secret-1"
	users      = 50
	startWait  = 30 * time.Second
	answerWait = 10 * time.Second
	idleWait   = time.Minute
)

// policy is one that a team might have; its limits of commands a user count.
const policy = `
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  role "developer" {
    users = [%s]
    allow {
      verbs        = ["status", "plan", "build"]
      environments = ["*"]
    }
  }
}
`

// sample is one round of a side.
type sample struct {
	rate     float64 // acknowledgements a second
	p50, p99 time.Duration
}

// side is the bot.
type side struct {
	address string
	admin   string // of the bot
	slack   *slack.Server
	cmd     *exec.Cmd
	closers []func()
	samples []sample
}

// startBot starts the bot on a project with a policy, a Slack on loopback and a
// GitHub that never answers.
func startBot(ctx context.Context, dir string) (*side, error) {
	binary, err := timing.Build(ctx, dir)
	if err != nil {
		return nil, err
	}
	project := filepath.Join(dir, "project")
	if out, err := exec.CommandContext(ctx, binary, "init", project).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making a project: %w\n%s", err, out)
	}
	var names []string
	for n := range users {
		names = append(names, strconv.Quote(user(n)))
	}
	file, err := os.OpenFile(filepath.Join(project, "packer-hybrid.hcl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, fmt.Errorf("adding the policy: %w", err)
	}
	_, err = fmt.Fprintf(file, policy, strings.Join(names, ", "))
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("adding the policy: %w", err)
	}
	server, err := slack.Start(ctx,
		slack.Config{Token: "xoxb-1", Secret: secret, Team: "T0001", Channels: []string{"C0001"}})
	if err != nil {
		return nil, err
	}
	hung, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0") // takes connections and says nothing
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	door, admin := free(ctx), free(ctx)
	cmd := exec.CommandContext(ctx, binary, "-C", project, "bot", "--listen", door, "--admin", admin, "--data",
		filepath.Join(dir, "data"), "--repository", "o/r", "--grace", "1s")
	cmd.Env = append(os.Environ(), "SLACK_BOT_TOKEN=xoxb-1", "SLACK_SIGNING_SECRET="+secret,
		"SLACK_API_URL="+server.API(), "GITHUB_TOKEN=bench-token-1", "GITHUB_API_URL=http://"+hung.Addr().String(),
		"PACKER_HYBRID_TICKET_KEY="+base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", 32))))
	log, err := os.Create(filepath.Join(dir, "bot.log"))
	if err != nil {
		return nil, fmt.Errorf("making the log: %w", err)
	}
	cmd.Stderr = log
	s := &side{cmd: cmd, address: door, admin: admin, slack: server}
	s.closers = []func(){func() { _ = log.Close() }, func() { _ = server.Close() }, func() { _ = hung.Close() }}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting: %w", err)
	}
	if err := up(ctx, "http://"+admin+"/readyz"); err != nil {
		text, _ := os.ReadFile(log.Name())
		s.stop()
		return nil, fmt.Errorf("%w\n%s", err, text)
	}
	return s, nil
}

// free is an address that nobody listens at.
func free(ctx context.Context) string {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "127.0.0.1:0"
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// up waits until a server is ready.
func up(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startWait)
	defer cancel()
	for {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return fmt.Errorf("asking whether it is up: %w", err)
		}
		resp, err := http.DefaultClient.Do(r)
		if err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return errors.New("it does not come up")
		}
	}
}

// idle waits until the bot has decided on all commands and told who was denied.
// What it allowed waits for GitHub.
func (s *side) idle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, idleWait)
	defer cancel()
	for {
		waiting, err := s.waiting(ctx)
		if err != nil || waiting == 0 {
			return err
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return fmt.Errorf("%.0f tasks still wait after %s", waiting, idleWait)
		}
	}
}

// waiting is how many tasks the bot can do now, by its metrics.
func (s *side) waiting(ctx context.Context) (n float64, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.admin+"/metrics", nil)
	if err != nil {
		return 0, fmt.Errorf("asking for the metrics: %w", err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, fmt.Errorf("asking for the metrics: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		value, ok := strings.CutPrefix(lines.Text(), "packer_hybrid_bot_queue_length{queue=\"")
		if ok && (strings.HasPrefix(value, "intake") || strings.HasPrefix(value, "ephemeral")) {
			one, err := strconv.ParseFloat(value[strings.LastIndexByte(value, ' ')+1:], 64)
			if err != nil {
				return 0, fmt.Errorf("reading the metrics: %w", err)
			}
			n += one
		}
	}
	return n, nil
}

// stop ends the server.
func (s *side) stop() {
	_ = s.cmd.Process.Signal(os.Interrupt)
	timer := time.AfterFunc(5*time.Second, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	timer.Stop()
	for _, end := range s.closers {
		end()
	}
}

func user(n int) string { return fmt.Sprintf("U%04d", n) }

// measure sends commands that were made and signed before, and waits for each
// answer. The client does next to nothing, or it would be what is measured.
func (s *side) measure(ctx context.Context, connections, count int) error {
	requests := make([][]byte, count)
	for n := range requests {
		var err error
		if requests[n], err = s.request(ctx, n); err != nil {
			return err
		}
	}
	took := make([]time.Duration, count)
	errs := make([]error, connections)
	var next atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	for c := range connections {
		all.Go(func() {
			conn, err := new(net.Dialer).DialContext(ctx, "tcp", s.address)
			if err != nil {
				errs[c] = err
				return
			}
			defer func() { _ = conn.Close() }()
			answers := bufio.NewReader(conn)
			for n := int(next.Add(1)) - 1; n < count; n = int(next.Add(1)) - 1 {
				at := time.Now()
				if errs[c] = ask(conn, answers, requests[n]); errs[c] != nil {
					return
				}
				took[n] = time.Since(at)
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("measuring %s: %w", s.address, err)
	}
	wall := time.Since(start)
	slices.Sort(took)
	s.samples = append(s.samples, sample{
		rate: float64(count) / wall.Seconds(), p50: took[count/2], p99: took[count*99/100],
	})
	return nil
}

// request is a signed command as it is on the wire.
func (s *side) request(ctx context.Context, n int) ([]byte, error) {
	body := s.slack.SlashBody(slack.From{Channel: "C0001", User: user(n % users)},
		"status debian-12 --env lab --targets vsphere")
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.address+"/slack", strings.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	r.Header = slack.Sign(secret, body, time.Now())
	var wire bytes.Buffer
	if err := r.Write(&wire); err != nil {
		return nil, fmt.Errorf("making a request: %w", err)
	}
	return wire.Bytes(), nil
}

// ask sends a request and reads its answer.
func ask(conn net.Conn, answers *bufio.Reader, request []byte) error {
	if err := conn.SetDeadline(time.Now().Add(answerWait)); err != nil {
		return fmt.Errorf("bounding the wait: %w", err)
	}
	if _, err := conn.Write(request); err != nil {
		return fmt.Errorf("sending: %w", err)
	}
	resp, err := http.ReadResponse(answers, nil)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("answered %s", resp.Status)
	}
	return nil
}

// memory is the largest resident set so far, MiB; resident is that of now.
func (s *side) memory() float64   { return timing.Memory(s.cmd.Process.Pid, "VmHWM") }
func (s *side) resident() float64 { return timing.Memory(s.cmd.Process.Pid, "VmRSS") }
