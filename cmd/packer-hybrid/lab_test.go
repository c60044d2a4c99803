// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:41:09Z
// Spec: openspec/specs/lab/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/lab/diagram.md#two-programs

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// runLab runs packer-hybrid without a packer-hybrid-lab beside it and with PATH.
func runLab(t *testing.T, path string, args ...string) (code int, out, errs string) {
	t.Helper()
	var o, e strings.Builder
	code = run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: &o, Err: &e}, args,
		[]string{"PATH=" + path, "HOME=" + t.TempDir()})
	return code, o.String(), e.String()
}

// TestLabMissing asks for the lab where packer-hybrid-lab is not installed.
func TestLabMissing(t *testing.T) {
	folder := t.TempDir() // a folder of that name, a file that cannot be run and a relative path are none
	if err := os.Mkdir(filepath.Join(folder, labName), 0o755); err != nil {
		t.Fatal(err)
	}
	file := t.TempDir()
	if err := os.WriteFile(filepath.Join(file, labName), []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := strings.Join([]string{folder, file, "", ".", "testdata"}, string(os.PathListSeparator))
	const want = "was not found beside packer-hybrid ("
	for _, args := range [][]string{
		{"lab", "run", "--", "true"},
		{"lab", "down"},
		{"lab", "run", "--", "true", "--help"},
		{"lab", "--nonsense"},
	} {
		code, out, errs := runLab(t, path, args...)
		if code != 3 || out != "" || !strings.Contains(errs, want) ||
			!strings.Contains(errs, "cmd/packer-hybrid-lab@latest") || !strings.Contains(errs, "PATH") {
			t.Errorf("%q: exit code %d, %q\n%s", args, code, out, errs)
		}
	}
	for _, args := range [][]string{{"lab"}, {"lab", "--help"}, {"lab", "run", "-h"}} {
		code, out, errs := runLab(t, path, args...)
		if code != 0 || !strings.Contains(errs, want) || !strings.Contains(out, "run, up,\ndown and prepare") {
			t.Errorf("%q: exit code %d, %q\n%s", args, code, out, errs)
		}
	}
	if code, out, _ := runLab(t, path, "__complete", "lab", "r"); code != 0 || !strings.Contains(out, "_activeHelp_ ") ||
		!strings.Contains(out, want) {
		t.Errorf("completion: exit code %d, %q", code, out)
	}
}

// TestLabOther has programs on PATH that are not this version's lab.
func TestLabOther(t *testing.T) {
	for name, test := range map[string]struct{ version, script, want string }{
		"this version": {"v1.2.3", "echo packer-hybrid lab version v1.2.3", ""},
		"no version":   {cli.Unversioned, "exit 9", ""}, // it is not asked
		"another version": {
			"v1.2.3", "echo packer-hybrid lab version v0.0.1",
			`says "packer-hybrid lab version v0.0.1", not "packer-hybrid lab version v1.2.3": it must be`,
		},
		"another program": {
			"v1.2.3", "printf 'what is \033[31m--version\n'; exit 9",
			`says "what is \x1b[31m--version", not`,
		},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, labName), []byte("#!/bin/sh\n"+test.script+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
		path, err := findLab(t.Context(), []string{"PATH=" + dir}, test.version)
		if test.want == "" {
			if err != nil || path != filepath.Join(dir, labName) {
				t.Errorf("%s: %q, %v", name, path, err)
			}
			continue
		}
		if hybridcore.ExitCode(err) != 3 || !strings.Contains(err.Error(), test.want) ||
			!strings.Contains(err.Error(), "cmd/packer-hybrid-lab@v1.2.3") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
