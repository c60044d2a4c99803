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
	"time"
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
			if answer = askTool(ctx, path, env, scratch(job.Scratch)); answer == "" {
				continue
			}
			t.Memory.remember("tool", path, answer)
		}
		dir := scratch(job.Scratch).shims()
		if writeShim(dir, tool, path, answer) == nil {
			env = prependPath(env, dir)
		}
	}
	return env
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

// maxToolAnswer bounds an answer that is remembered, in bytes; Ansible's has
// 500.
const maxToolAnswer = 3 << 10

// askTool runs TOOL --version; anything but a short answer and exit code 0 is
// not remembered.
func askTool(ctx context.Context, path string, env []string, dirs scratch) string {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := command(ctx, path, "--version")
	cmd.Dir, cmd.Env = string(dirs), env
	var out bytes.Buffer
	end, err := run(ctx, cmd, owner{grace: 100 * time.Millisecond, marker: dirs.marker(), stdout: keep(&out, maxToolAnswer+1), stderr: keep(&bytes.Buffer{}, 0)})
	if err != nil || end.code != 0 || end.cancelled || out.Len() == 0 || out.Len() > maxToolAnswer || bytes.IndexByte(out.Bytes(), 0) >= 0 {
		return ""
	}
	return out.String()
}

// writeShim writes the program that answers for a tool.
func writeShim(dir, tool, path, answer string) error {
	if _, err := exec.LookPath("/bin/sh"); err != nil {
		return fmt.Errorf("answering for %s: %w", tool, err)
	}
	script := fmt.Sprintf("#!/bin/sh\nif [ \"$#\" -eq 1 ] && [ \"$1\" = --version ]; then\n  printf %%s %s\n  exit 0\nfi\nexec %s \"$@\"\n", shellQuote(answer), shellQuote(path))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("answering for %s: %w", tool, err)
	}
	if err := os.WriteFile(filepath.Join(dir, tool), []byte(script), 0o700); err != nil { //nolint:gosec // a program must be executable
		return fmt.Errorf("answering for %s: %w", tool, err)
	}
	return nil
}

func shellQuote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
