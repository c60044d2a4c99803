// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:28Z
// Spec: openspec/specs/tools/spec.md#requirement-pinned-tool-modules
// Diagram: openspec/specs/tools/diagram.md#from-pin-to-binary

// Package tools_test runs the repository's scripts with stand-ins for the
// programs that they call, so that nothing is compiled, installed or fetched.
package tools_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// sandbox is a folder with stand-in programs and a script to run.
type sandbox struct {
	t    *testing.T
	dir  string
	path []string // what PATH holds after dir/stubs
	env  []string
}

// outcome is what a run of a script left.
type outcome struct {
	code        int
	out, errors string
}

// newSandbox copies files of the repository (by their path from its root).
func newSandbox(t *testing.T, files ...string) *sandbox {
	t.Helper()
	s := &sandbox{t: t, dir: t.TempDir(), path: []string{"/usr/bin", "/bin"}}
	for _, name := range files {
		data, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		s.write(name, string(data))
	}
	s.write("stubs/.keep", "")
	s.write("tmp/.keep", "")
	return s
}

// write makes a file; text that starts with #! makes it a program.
func (s *sandbox) write(name, text string) {
	s.t.Helper()
	file := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		s.t.Fatal(err)
	}
	mode := os.FileMode(0o600)
	if strings.HasPrefix(text, "#!") {
		mode = 0o700
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		s.t.Fatal(err)
	}
}

// read returns a file's text, empty when there is none.
func (s *sandbox) read(name string) string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		s.t.Fatal(err)
	}
	return string(data)
}

// command builds the run of a script of the sandbox in its own process group.
func (s *sandbox) command(script string, args ...string) *exec.Cmd {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), time.Minute)
	s.t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, filepath.Join(s.dir, script), args...)
	cmd.Dir = s.dir
	cmd.Env = append([]string{
		"PATH=" + strings.Join(append([]string{filepath.Join(s.dir, "stubs")}, s.path...), ":"),
		"HOME=" + s.dir, "PACKER_HYBRID_CACHE=" + filepath.Join(s.dir, "cache"),
		"TMPDIR=" + filepath.Join(s.dir, "tmp"), "STUB_LOG=" + filepath.Join(s.dir, "log"),
	}, s.env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.WaitDelay = time.Second
	return cmd
}

// run runs a script to its end. Its standard input stays open and silent.
func (s *sandbox) run(script string, args ...string) outcome {
	s.t.Helper()
	silent, hold := io.Pipe()
	defer func() { _ = hold.Close() }()
	cmd := s.command(script, args...)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	go func() { _, _ = io.Copy(stdin, silent) }()
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		s.t.Fatalf("running %s: %v\n%s", script, err, errs.String())
	}
	return outcome{cmd.ProcessState.ExitCode(), out.String(), errs.String()}
}

// expect checks the exit code and that the error output holds each text.
func (s *sandbox) expect(o outcome, code int, texts ...string) {
	s.t.Helper()
	if o.code != code {
		s.t.Errorf("exit code %d, want %d", o.code, code)
	}
	for _, text := range texts {
		if !strings.Contains(o.errors, text) {
			s.t.Errorf("no %q in the error output", text)
		}
	}
	if s.t.Failed() {
		s.t.Fatalf("standard output:\n%s\nerror output:\n%s", o.out, o.errors)
	}
}
