// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:30:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package post_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// TestFaultWhileReporting checks that a panic in the goroutine that reports, and
// at the end, is told with its stack, that it ends nothing else, and that a later
// flush sends what was kept.
func TestFaultWhileReporting(t *testing.T) {
	t.Parallel()
	s, dir := serve(t, nil, ""), t.TempDir()
	var mu sync.Mutex
	var logged strings.Builder
	panicked := make(chan struct{})
	var once sync.Once
	clock := post.Clock{
		Now: func() time.Time {
			once.Do(func() { close(panicked) })
			panic("no time, said " + token)
		},
		Sleep: func(context.Context, time.Duration) error { return nil },
	}
	p, err := post.New(dir+"/"+mkdir(t, dir, runID), address(1), hubAccess(s),
		post.WithClock(clock, post.RequestTimeout),
		post.WithRedaction(func(text string) string { return strings.ReplaceAll(text, token, "***") }),
		post.WithLog(func(line string) {
			mu.Lock()
			defer mu.Unlock()
			logged.WriteString(line + "\n")
		}))
	if err != nil {
		t.Fatal(err)
	}
	reportAll(p)
	select {
	case <-panicked:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was sent")
	}
	left := strings.Join(p.Close(t.Context(), time.Minute), "\n")
	if !strings.Contains(left, "a fault of packer-hybrid") || !strings.Contains(left, "reports are kept in") {
		t.Errorf("it says %q", left)
	}
	mu.Lock()
	text := logged.String()
	mu.Unlock()
	if !strings.Contains(text, "fault_test.go") || strings.Contains(text+left, token) {
		t.Errorf("the log says %q, and the end %q", text, left)
	}
	good := &fakeClock{now: begin}
	if out, err := post.Flush(t.Context(), dir, hubAccess(s), time.Hour,
		post.WithClock(good.clock(), post.RequestTimeout)); err != nil || len(out) > 0 {
		t.Errorf("%q, %v", out, err)
	}
	arrived(t, s)
}
