// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:23:04Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package directory

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestTicketOnce has runs use tickets: one run each, however many try at once,
// in this process and after it.
func TestTicketOnce(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	use := func(request, run string) error { return d.UseTicket(ctx, request, run, now.Add(time.Hour)) }
	refused := func(err error) bool {
		blocked, ok := errors.AsType[*hybridcore.BlockedError](err)
		return ok && hybridcore.ExitCode(blocked) == hybridcore.ExitBlocked
	}
	if err := errors.Join(use("r1", "github 1"), use("r1", "github 1"), use("r2", "github 2")); err != nil {
		t.Fatal(err)
	}
	if err := use("r1", "github 2"); !refused(err) || !strings.Contains(err.Error(), "used by another run, github 1") {
		t.Errorf("another run: %v", err)
	}
	if d, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(use("r1", "github 1")); err != nil {
		t.Errorf("another attempt of the run: %v", err)
	}
	if err := use("r1", "github 3"); !refused(err) {
		t.Errorf("another run, later: %v", err)
	}
	const runs = 20
	var all sync.WaitGroup
	var mu sync.Mutex
	taken := 0
	for n := range runs {
		all.Go(func() {
			other, err := Open(dir)
			if err == nil {
				err = other.UseTicket(ctx, "r3", fmt.Sprint("github ", n), now.Add(time.Hour))
			}
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				taken++
			} else if !refused(err) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if taken != 1 {
		t.Errorf("%d of %d runs took one ticket", taken, runs)
	}
	for _, bad := range []string{"", "../x", "A", "x/y"} {
		if err := use(bad, "github 1"); err == nil {
			t.Errorf("request %q was taken", bad)
		}
	}
	if err := errors.Join(use("r4", "")); err == nil {
		t.Error("a run without a name was taken")
	}
	ended, stop := context.WithCancel(ctx)
	stop()
	if err := d.UseTicket(ended, "r5", "github 1", now); err == nil {
		t.Error("it did not end with its context")
	}
}

// TestTicketsForgotten removes notes of tickets that have ended, refuses damaged
// ones, and does not follow links.
func TestTicketsForgotten(t *testing.T) {
	t.Parallel()
	dir, ctx := t.TempDir(), t.Context()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	if err := errors.Join(d.UseTicket(ctx, "old", "github 1", now.Add(-time.Minute)),
		d.UseTicket(ctx, "new", "github 2", now.Add(time.Hour))); err != nil {
		t.Fatal(err)
	}
	left, err := filepath.Glob(filepath.Join(dir, "tickets", "*"))
	if err != nil || len(left) != 1 || filepath.Base(left[0]) != "new.json" {
		t.Errorf("these are left: %v, %v", left, err)
	}
	if hidden, _ := filepath.Glob(filepath.Join(dir, ".tmp-*")); len(hidden) > 0 {
		t.Errorf("these were left behind: %v", hidden)
	}
	outside := filepath.Join(t.TempDir(), "outside.json")
	for name, make := range map[string]func(path string) error{
		"empty": func(path string) error { return os.WriteFile(path, nil, 0o600) },
		"null":  func(path string) error { return os.WriteFile(path, []byte("null"), 0o600) },
		"no-run": func(path string) error {
			return os.WriteFile(path, []byte(`{"run":"","until":"2030-01-01T00:00:00Z"}`),
				0o600)
		},
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":      func(path string) error { return os.Symlink(outside, path) },
	} {
		if err := make(filepath.Join(dir, "tickets", name+".json")); err != nil {
			t.Fatal(err)
		}
		if err := d.UseTicket(ctx, name, "github 1", now.Add(time.Hour)); err == nil {
			t.Errorf("%s: it was taken for unused", name)
		}
	}
	if _, err := os.Lstat(outside); err == nil {
		t.Error("a file outside was made")
	}
}
