// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:27Z
// Spec: openspec/specs/packer/spec.md#requirement-failures-people-can-act-on
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	for _, tt := range []struct {
		name, template, vars string
		status               hybridcore.Status
		want                 hybridcore.Finding // file, line, message and source are compared
	}{
		{name: "good", template: nullBuild("true", ""), status: hybridcore.Validated},
		{
			name: "undeclared variable set", template: nullBuild("true", ""), vars: "manifest = \"m.json\"\nzork = 1\n",
			status: hybridcore.Validated,
			want: hybridcore.Finding{
				Kind: hybridcore.KindVariable, Message: "Undefined variable",
				Severity: hybridcore.Warning,
			},
		},
		{
			name: "missing variable", template: nullBuild("true", "variable \"zork\" {\n  type = string\n}\n"),
			status: hybridcore.Failed,
			want: hybridcore.Finding{
				Kind: hybridcore.KindVariable, Message: `Unset variable "zork"`,
				Severity: hybridcore.Error, Blocking: true,
			},
		},
		{
			name: "syntax error", template: "source \"null\" \"linux\" {\n  communicator = \"none\n}\n",
			status: hybridcore.Failed,
			want: hybridcore.Finding{
				Kind: hybridcore.KindSchema, File: "build.pkr.hcl", Line: 2,
				Message: "Invalid multi-line string", Source: `communicator = "none`, Severity: hybridcore.Error, Blocking: true,
			},
		},
		{
			name: "unknown setting", template: "source \"null\" \"linux\" {\n  communicator = \"none\"\n  zork = 1\n}\nbuild " +
				"{\n  sources = [\"null.linux\"]\n}\n", status: hybridcore.Failed,
			want: hybridcore.Finding{
				Kind: hybridcore.KindSchema, File: "build.pkr.hcl", Line: 3,
				Message: "Unsupported argument", Source: "zork = 1", Severity: hybridcore.Error, Blocking: true,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			job := stage(t, tt.template)
			if tt.vars != "" {
				job.VarFile = filepath.Join(filepath.Dir(job.Dir), "v.pkrvars.hcl")
				write(t, job.VarFile, tt.vars)
			}
			out, err := tool.Validate(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if out.Status != tt.status {
				t.Fatalf("outcome %+v, failure %+v", out, out.Failure)
			}
			if tt.want.Message == "" {
				return
			}
			if len(out.Findings) == 0 {
				t.Fatalf("no findings, failure %+v", out.Failure)
			}
			got := out.Findings[0]
			got.Hint, got.Subject = "", ""
			if got != tt.want {
				t.Errorf("finding %+v\nwant %+v", got, tt.want)
			}
			if out.Failure != nil && !strings.Contains(out.Failure.Message, tt.want.Message) {
				t.Errorf("failure %+v", out.Failure)
			}
		})
	}
}

// ansibleBuild is a template that runs a playbook on this machine.
const ansibleBuild = `
variable "manifest" { type = string }
source "null" "linux" { communicator = "none" }
build {
  sources = ["source.null.linux"]
  provisioner "ansible" {
    playbook_file   = "playbook.yml"
    use_proxy       = %PROXY%
    extra_arguments = ["--connection=local"]
  }
  post-processor "manifest" { output = var.manifest }
}
`

// ansibleJob stages the playbook with the real plugin.
func ansibleJob(t *testing.T, tool Tool, proxy, playbook string) Job {
	t.Helper()
	job := stage(t, strings.Replace(ansibleBuild, "%PROXY%", proxy, 1))
	write(t, filepath.Join(job.Dir, "playbook.yml"), playbook)
	plugins, err := tool.Plugins([]Requirement{{
		Addresses:  []string{"github.com/hashicorp/ansible"},
		Constraint: ">= 1.1.2",
	}})
	if err != nil {
		t.Fatalf("%v\nrun: make tools", err)
	}
	job.Plugins = plugins
	return job
}

func TestAnsible(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	const head = "- hosts: all\n  gather_facts: false\n  tasks:\n    - name: Say hello\n      ansible.builtin.debug: " +
		"{msg: hello}\n"
	const tolerated = "    - name: Try\n      ansible.builtin.command: sh -c 'exit 1'\n      ignore_errors: true\n"
	const failing = "    - name: Install the agent\n      ansible.builtin.command: sh -c 'echo no such disk >&2; exit 4'\n"
	job := ansibleJob(t, tool, "true", head+tolerated)
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if notes := strings.Join(out.Notes, "\n"); out.Status != hybridcore.Built ||
		!strings.Contains(notes, "ansible: default: ok=2 changed=1 ") || !strings.Contains(notes, "ignored=1") {
		t.Errorf("outcome %+v, failure %+v", out, out.Failure)
	}
	job = ansibleJob(t, tool, "true", head+tolerated+failing)
	out, err = tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Failed {
		t.Fatalf("outcome %+v", out)
	}
	if f := out.Failure; f.Step != "TASK [Install the agent]" || filepath.Base(f.File) != "playbook.yml" ||
		!strings.Contains(f.Message, "no such disk") {
		t.Errorf("failure %+v", f)
	}
	noneLeft(t, job)
}

// The ansible plugin 1.1.2 panics when it is told to use no proxy and there is
// no communicator: a plugin's crash as it happens.
func TestPluginCrash(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := ansibleJob(t, tool, "false", "- hosts: all\n")
	log := &buffer{}
	job.Log = log
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Failed ||
		!strings.HasPrefix(out.Failure.Message, "the plugin's process died: unexpected EOF: panic: ") {
		t.Errorf("outcome %+v, failure %+v", out, out.Failure)
	}
	if _, err := os.Stat(filepath.Join(job.Dir, "crash.log")); err == nil ||
		!strings.Contains(strings.Join(out.Notes, " "), "crash.log") {
		t.Errorf("crash.log is there (%v), or not spoken of: %q", err, out.Notes)
	}
	if !strings.Contains(log.String(), "goroutine ") {
		t.Error("the crash report is not in the log")
	}
	noneLeft(t, job)
}

func TestMissingPluginAtBuild(t *testing.T) {
	t.Parallel()
	tool := realPacker(t)
	job := ansibleJob(t, tool, "true", "- hosts: all\n")
	job.Plugins = nil
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Failed || !strings.Contains(out.Failure.Message, "ansible") {
		t.Errorf("outcome %+v, failure %+v", out, out.Failure)
	}
}

func TestNotedCauses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, want string }{
		{"nothing said", "exit 2", "said nothing"},
		{"stack overflow", "echo 'runtime: goroutine stack exceeds 1000000000-byte limit' >&2; echo 'fatal error: stack " +
			"overflow' >&2; exit 2", "packer crashed (exit code 2): fatal error: stack overflow"},
		{"killed from outside", "kill -KILL $$", "signal from outside: killed"},
		{"exit without a word", "echo 1,,ui,say,hello; exit 7", "packer exited with code 7"},
		{"exit 0 without a word", "exit 0", "inner process was killed"},
		{"usage", "echo 'Usage: packer build'; exit 1", "packer exited with code 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			job := stage(t, "")
			out, err := Tool{Path: script(t, job, tt.body)}.Build(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			if out.Status != hybridcore.Failed || !strings.Contains(out.Failure.Message, tt.want) {
				t.Errorf("failure %+v: want %q", out.Failure, tt.want)
			}
		})
	}
}

func TestNoSuchBinary(t *testing.T) {
	t.Parallel()
	_, err := Tool{Path: "/does/not/exist"}.Validate(t.Context(), stage(t, ""))
	if err == nil || !strings.Contains(err.Error(), "starting /does/not/exist") {
		t.Errorf("error %v", err)
	}
}

// A line that begins like a step inside a provisioner's output stays output.
func TestSteps(t *testing.T) {
	t.Parallel()
	c := &collector{}
	for _, tt := range []struct {
		said string
		want bool
	}{
		{"Creating virtual machine...", true},
		{"", false},
		{"Waiting for SSH to become available...", true},
		{"Provisioning with shell script: a.sh", true},
		{"Reading package lists...", false},
		{"Waiting for SSH to become available...", false},
		{"Provisioning with Ansible...", true},
		{"Executing Ansible: ansible-playbook x.yml", true},
		{"TASK [base : Install]", false},
		{"Running shutdown command...", true},
		{"Virtual machine is powered off.", true},
	} {
		if got := c.begins(tt.said); got != tt.want {
			t.Errorf("%q: %v, want %v", tt.said, got, tt.want)
		}
	}
}
