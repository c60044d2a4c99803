// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:12:33Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-injection
// Diagram: openspec/specs/lab-faults/diagram.md#path-of-a-call

package fault_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// platform is a server that counts the calls that take effect.
type platform struct {
	server  *httptest.Server
	faults  fault.Injector
	effects atomic.Int32
	task    atomic.Value // the reason that it was told
}

// newPlatform starts a server with rules.
func newPlatform(t *testing.T, text string) *platform {
	t.Helper()
	p := &platform{}
	if err := p.faults.Load(text); err != nil {
		t.Fatal(err)
	}
	p.server = httptest.NewServer(p.faults.Handler("/api", http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.effects.Add(1)
		if rule, ok := fault.Task(r.Context()); ok {
			p.task.Store(rule.Reason)
		}
		_, _ = io.WriteString(w, "done")
	}), nil))
	t.Cleanup(p.server.Close)
	return p
}

// call returns the status line and body, or what became of the connection.
func (p *platform) call(ctx context.Context, t *testing.T) (status, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.server.URL+"/api/x", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Close = true
	response, err := p.server.Client().Do(request)
	if err != nil {
		if errors.Is(err, io.EOF) {
			return "EOF", ""
		}
		return err.Error(), ""
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.Status, string(content)
}

func TestHandler(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules  string
		status []string // of the calls, in order
		effect int32
		hits   []int
	}{
		"reason phrase": {"GET /x status=500 reason=\"no such thing\"", []string{"500 no such thing"}, 0, []int{1}},
		"usual phrase":  {"GET /x status=503", []string{"503 Service Unavailable"}, 0, []int{1}},
		"second call":   {"GET /x nth=2 status=500 reason=x", []string{"200 OK", "500 x", "200 OK"}, 2, []int{1}},
		"first wins": {
			"GET /x nth=1 status=500 reason=x\nGET /* nth=1-2 status=500 reason=y",
			[]string{"500 x", "500 y", "200 OK"},
			1,
			[]int{1, 1},
		},
		"drop":           {"GET /x drop", []string{"EOF"}, 0, []int{1}},
		"drop after":     {"GET /x drop after", []string{"EOF"}, 1, []int{1}},
		"refused, done":  {"GET /x status=500 reason=x after", []string{"500 x"}, 1, []int{1}},
		"another path":   {"GET /api/x drop", []string{"200 OK"}, 1, []int{0}},
		"delay and task": {"GET /x task reason=full", []string{"200 OK"}, 1, []int{1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlatform(t, c.rules)
			var got []string
			for range c.status {
				status, _ := p.call(t.Context(), t)
				got = append(got, status)
			}
			if diff := cmp.Diff(c.status, got); diff != "" {
				t.Errorf("answers (-want +got):\n%s", diff)
			}
			if got := p.effects.Load(); got != c.effect {
				t.Errorf("%d calls took effect, want %d", got, c.effect)
			}
			if diff := cmp.Diff(c.hits, p.faults.Hits()); diff != "" {
				t.Errorf("hits (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHandlerTask(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "GET /x task reason=full")
	p.call(t.Context(), t)
	if got := p.task.Load(); got != "full" {
		t.Errorf("the platform was told %v, want full", got)
	}
	if p.faults.Clear(); len(p.faults.Hits()) != 0 {
		t.Error("rules are left after Clear")
	}
}

func TestUnused(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "GET /x status=500\nGET /never status=404")
	p.call(t.Context(), t)
	if err := p.faults.Load("GET /late status=500\nnonsense"); err == nil {
		t.Error("nonsense was loaded")
	}
	unused := p.faults.Unused()
	if len(unused) != 1 || unused[0].Path != "/never" {
		t.Errorf("unused are %v", unused)
	}
}

func TestHandlerDelay(t *testing.T) {
	t.Parallel()
	p := newPlatform(t, "GET /x nth=1 delay=80ms\nGET /x nth=2 delay=1h")
	start := time.Now()
	status, body := p.call(t.Context(), t)
	if took := time.Since(start); took < 80*time.Millisecond || status != "200 OK" || body != "done" {
		t.Errorf("%s %q after %s, want 200 after 80ms", status, body, took)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	p.call(ctx, t)
	p.server.Close() // waits for the handler, which ends with its caller
	if got := p.effects.Load(); got != 1 {
		t.Errorf("%d calls took effect, want 1: the second caller left before its delay was over", got)
	}
}

// TestWriteStatusSplitting checks that a reason cannot add headers.
func TestWriteStatusSplitting(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fault.WriteStatus(w, 500, "a\r\nSet-Cookie: b", []byte("body"))
	}))
	defer server.Close()
	p := &platform{server: server}
	if status, body := p.call(t.Context(), t); status != "500 a  Set-Cookie: b" || body != "body" {
		t.Errorf("got %q %q", status, body)
	}
}
