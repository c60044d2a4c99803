// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:30:00Z
// Spec: openspec/specs/cli/spec.md#requirement-exit-codes
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/labverbs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

// nightly also tries what takes too long for every change.
var nightly = flag.Bool("nightly", false, "also try what takes too long for every change")

func TestMain(m *testing.M) {
	lab.Main() // the test binary is the guests' init too
	testscript.Main(m, map[string]func(){"packer-hybrid": main, labName: labverbs.Main})
}

// toolCache is where `make tools` put Packer and the plugins.
func toolCache(tb testing.TB) string {
	tb.Helper()
	dir, err := lab.CacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	for _, tree := range []string{"plugins", "lab-plugins"} {
		if _, err := os.Stat(filepath.Join(dir, tree)); err != nil {
			tb.Fatalf("no plugins (run: make tools): %v", err)
		}
	}
	return dir
}

// ownCache is the cache of tools for commands that start and end labs: what
// keeps a user's labs apart from each other is not shared.
func ownCache(t *testing.T) string {
	t.Helper()
	return labtest.Cache(t, toolCache(t))
}

func TestScripts(t *testing.T) {
	cache := ownCache(t)
	testscript.Run(t, testscript.Params{
		Dir:           "testdata/script",
		UpdateScripts: goldentest.Updating(),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PACKER_HYBRID_CACHE", cache)
			env.Setenv("PAYLOADS", filepath.Join(cache, "webhooks"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("JOB_TEMP", t.TempDir()) // outside of the script's folder
			former, err := filepath.Abs(filepath.Join("..", "..", "hybridcore", "state", "directory", "testdata", "former"))
			if err != nil {
				return err
			}
			env.Setenv("FORMER", former) // a state, with an ended run
			env.Setenv("OS_ARCH", runtime.GOOS+"_"+runtime.GOARCH)
			for _, name := range []string{"build_password", "vsphere_password"} {
				env.Setenv("PKR_VAR_"+name, "script-only-secret-value")
			}
			env.Setenv("PKR_VAR_vsphere_endpoint", "127.0.0.1:1")
			env.Setenv("PKR_VAR_vsphere_username", "nobody")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code": code, "repeat": repeat, "replace": replace,
			"payload": payload, "pin": pin, "step": step,
		},
	})
}

// code runs a command that must end with an exit code: code 2 packer-hybrid ...
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: code N COMMAND [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	output := ts.ReadFile("stdout") + ts.ReadFile("stderr")
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s", got, want, output)
	}
	if strings.Contains(output, "goroutine ") || strings.Contains(output, "panic:") {
		ts.Fatalf("a stack trace:\n%s", output)
	}
	const secret = "script-only-secret-value"
	if strings.Contains(strings.ReplaceAll(output, "::add-mask::"+secret+"\n", ""), secret) {
		ts.Fatalf("the output shows a secret:\n%s", output)
	}
}

// repeat writes a text N times into a file: repeat FILE N TEXT
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: repeat FILE N TEXT")
	}
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(args[2], n)), 0o600))
}

// replace changes the first of a text in a file: replace FILE OLD NEW
func replace(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: replace FILE OLD NEW")
	}
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not hold %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o600))
}
