// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:39:55Z
// Spec: openspec/specs/bot/spec.md#requirement-tickets
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package main

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
)

// TestOwnKey makes a key for runs on this machine once, keeps it over restarts, and
// takes no file that others may read.
func TestOwnKey(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	redactor, _ := redact.New()
	key := func(ci string, environ ...string) (string, error) {
		a := &app{Frame: cli.Frame{Environ: environ, Redactor: redactor}}
		return botCommand{a, botFlags{ci: ci, data: dir}}.ticketKey()
	}
	if given, err := key("github"); given != "" || err != nil {
		t.Errorf("a key for GitHub's jobs, which do not have it: %v", err)
	}
	if given, err := key("local", policy.KeyVariable+"=given"); given != "given" || err != nil {
		t.Errorf("that of the environment is %q, %v", given, err)
	}
	var mu sync.Mutex
	var all sync.WaitGroup
	made := map[string]bool{}
	for range 10 {
		all.Go(func() {
			one, err := key("local")
			mu.Lock()
			defer mu.Unlock()
			if made[one] = true; err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(made) != 1 {
		t.Fatalf("%d keys were made", len(made))
	}
	for one := range made {
		if _, err := policy.ParseKeys(one); err != nil || redactor.String(one) == one {
			t.Errorf("it is no key, or is printed: %v", err)
		}
	}
	file := filepath.Join(dir, keyFile)
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if info, statErr := os.Stat(file); err != nil || statErr != nil || info.Mode().Perm() != 0o600 || len(left) > 0 {
		t.Errorf("%v %v, left behind: %v", info, statErr, left)
	}
	refused := func(what, why string) {
		t.Helper()
		if _, err := key("local"); err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := os.Chmod(file, 0o644); err != nil {
		t.Fatal(err)
	}
	refused("others may read it", "chmod 600")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", file); err != nil {
		t.Fatal(err)
	}
	refused("a link", "chmod 600")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	refused("no key", "it holds no key")
}
