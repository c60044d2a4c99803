// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:20:16Z
// Spec: openspec/specs/full-validation/spec.md#requirement-versions-are-asked-once
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package packer

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"stages":[{"findings":[{"message":"builder x: 'a' is bad","file":"a.pkr.hcl","line":3,"column":1}]}]}`))
	f.Add([]byte(`{"stages":[{"undecided":["a call of vault()"]},{"findings":[{"warning":true,"message":"\u001b[31m","line":-5}]}]}`))
	f.Add([]byte(`{"stages":[null]}`))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte) {
		answer, err := parseAnswer(data)
		if err != nil {
			return
		}
		for _, verdict := range answer.Stages {
			out := verdict.outcome(Job{Dir: dir})
			if (out.Status == hybridcore.Validated) != (out.Failure == nil) {
				t.Errorf("%s with the failure %v", out.Status, out.Failure)
			}
			for _, finding := range out.Findings {
				if finding.Line < 0 || strings.ContainsAny(finding.Message+finding.Hint+finding.File, "\x1b\n") {
					t.Errorf("%q", finding)
				}
			}
		}
	})
}

// The answer of the tool is given from memory, everything else goes to the tool.
func TestAnswerVersions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bin := filepath.Join(dir, "it's here")
	if err := os.MkdirAll(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	const tool = "#!/bin/sh\nprintf x >> \"$COUNT\"\nprintf 'ansible-playbook [core 2.19.4]\n  it'\"'\"'s %s\n' \"$*\"\n"
	if err := os.WriteFile(filepath.Join(bin, "ansible-playbook"), []byte(tool), 0o700); err != nil {
		t.Fatal(err)
	}
	count := filepath.Join(dir, "count")
	env := []string{"COUNT=" + count, "PATH=" + bin + ":" + os.Getenv("PATH")}
	memory := Tool{Memory: Memory(filepath.Join(dir, "memory"))}
	for range 3 {
		job := Job{Scratch: t.TempDir(), Plugins: []Plugin{{Address: "github.com/hashicorp/ansible"}}}
		for _, args := range [][]string{{"--version"}, {"--version", "-v"}} {
			cmd := exec.CommandContext(t.Context(),
				filepath.Join(strings.Split(value(memory.answerVersions(t.Context(), job, env), "PATH"), ":")[0],
					"ansible-playbook"), args...)
			cmd.Env = env
			out, err := cmd.Output()
			if want := "ansible-playbook [core 2.19.4]\n  it's " + strings.Join(args, " ") + "\n"; err != nil ||
				string(out) != want {
				t.Errorf("%v: %q, %v", args, out, err)
			}
		}
	}
	asked, err := os.ReadFile(count)
	if err != nil || len(asked) != 4 { // once for the version, three times for what is not it
		t.Errorf("the tool ran %d times: %v", len(asked), err)
	}
}

// What fails is not remembered, and what is not there gets nothing in front.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "ansible-playbook"), []byte("#!/bin/sh\nexit 3\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	job := Job{Scratch: t.TempDir(), Plugins: []Plugin{{Address: "github.com/hashicorp/ansible"}}}
	for _, path := range []string{dir, t.TempDir()} {
		if env := (Tool{}).answerVersions(t.Context(), job, []string{"PATH=" + path}); value(env, "PATH") != path {
			t.Errorf("PATH is %s", value(env, "PATH"))
		}
	}
}
