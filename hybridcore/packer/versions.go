// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:50:46Z
// Spec: openspec/specs/full-validation/spec.md#requirement-versions-are-asked-once
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package packer

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// asked are the tools that plugins ask for their version while they check a
// configuration, by the plugin that asks. Ansible takes 0.3 s to answer, for
// each provisioner of each target.
var asked = map[string]string{"ansible": "ansible-playbook"}

// answerVersions returns the environment with a directory in front of PATH whose
// programs answer `--version` from memory and hand everything else to the real
// ones. A tool that is not there, or fails, is left alone, so that plugins see
// what they would see. An answer holds while the tool's file stays the same.
func (t Tool) answerVersions(ctx context.Context, job Job, env []string) []string {
	for _, p := range job.Plugins {
		tool, ok := asked[p.Address[strings.LastIndexByte(p.Address, '/')+1:]]
		if !ok {
			continue
		}
		path := lookPath(tool, env)
		if path == "" {
			continue
		}
		answer := t.Memory.recall("tool", path)
		if answer == "" {
			if answer = ask(ctx, scratch(job.Scratch), env, path, "--version"); answer == "" {
				continue
			}
			t.Memory.remember("tool", path, answer)
		}
		dir := scratch(job.Scratch).shims()
		if writeProgram(filepath.Join(dir, tool), answering("--version", answer, path)) == nil {
			env = prependPath(env, dir)
		}
	}
	return env
}

// Answer is what a program at an absolute path says to --version, in the environment that Packer
// would give it; empty when it fails or says nothing. An answer holds while the file stays the same.
func (m Memory) Answer(ctx context.Context, parent []string, path string) string {
	if answer := m.recall("tool", path); answer != "" {
		return answer
	}
	dir, err := os.MkdirTemp("", "ph-version-")
	if err != nil {
		return ""
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover is harmless
	dirs := scratch(dir)
	if dirs.make() != nil {
		return ""
	}
	answer := ask(ctx, dirs, environ(parent, nil, dirs), path, "--version")
	if answer != "" {
		m.remember("tool", path, answer)
	}
	return answer
}

// lookPath finds a program on the PATH of an environment.
func lookPath(name string, env []string) string {
	for _, dir := range filepath.SplitList(value(env, "PATH")) {
		path := filepath.Join(dir, name)
		info, err := os.Stat(path)
		if filepath.IsAbs(path) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}

func value(env []string, name string) string {
	for _, entry := range env {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			return text
		}
	}
	return ""
}

func prependPath(env []string, dir string) []string {
	out := make([]string, 0, len(env))
	for _, entry := range env {
		if rest, ok := strings.CutPrefix(entry, "PATH="); ok {
			entry = "PATH=" + dir + string(filepath.ListSeparator) + rest
		}
		out = append(out, entry)
	}
	return out
}

// maxAnswered bounds an answer that is remembered, in bytes; Ansible's has 500,
// and a plugin describes itself in 200.
const maxAnswered = 3 << 10

// ask runs a program with one argument, below dirs; anything but a short answer
// and exit code 0 is an empty one.
func ask(ctx context.Context, dirs scratch, env []string, path, question string) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := command(ctx, path, question)
	cmd.Dir, cmd.Env = string(dirs), env
	var out bytes.Buffer
	end, err := child.Run(ctx, cmd,
		child.Watch{
			Grace: 100 * time.Millisecond, Marker: dirs.marker(), Stdout: keep(&out, maxAnswered+1),
			Stderr: keep(&bytes.Buffer{}, 0),
		})
	if err != nil || end.Code != 0 || end.Cancelled || out.Len() == 0 || out.Len() > maxAnswered ||
		bytes.IndexByte(out.Bytes(), 0) >= 0 {
		return ""
	}
	return out.String()
}

// answering is the text of a program that answers one question by itself, byte
// for byte, and becomes the real program for everything else.
func answering(question, answer, real string) string {
	return fmt.Sprintf("#!/bin/sh\nif [ \"$#\" -eq 1 ] && [ \"$1\" = %s ]; then\n  printf %%s %s\n  exit 0\nfi\nexec "+
		"%s \"$@\"\n", question, text.ShellWord(answer), text.ShellWord(real))
}

// writeProgram writes a script of the shell that can be run at once. No process
// is started meanwhile: it would hold the file open for a moment, and a file
// that is open for writing cannot be run.
func writeProgram(path, text string) error {
	if _, err := exec.LookPath("/bin/sh"); err != nil {
		return fmt.Errorf("writing a program for the shell: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("writing a program for the shell: %w", err)
	}
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := os.WriteFile(path, []byte(text), 0o700); err != nil { //nolint:gosec // a program must be executable
		return fmt.Errorf("writing a program for the shell: %w", err)
	}
	return nil
}
