// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:20:52Z
// Spec: openspec/specs/packer/spec.md#requirement-environment
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	tool := Tool{Path: "/opt/packer"}
	job := Job{
		Dir: "/stage", Scratch: "/s", Env: []string{"PATH=/bin", "GITHUB_TOKEN=t"},
		Secrets: []string{"PKR_VAR_password=hunter2"},
	}
	env := []string{
		"CHECKPOINT_DISABLE=1", "PACKER_CACHE_DIR=/s/cache", "PACKER_CONFIG_DIR=/s/config", "PACKER_NO_COLOR=1",
		"PACKER_PLUGIN_PATH=/s/plugins", "PATH=/bin", "PKR_VAR_password=hunter2", "TMPDIR=/s/tmp",
	}
	full := job
	full.VarFile, full.Only = "/s/run.pkrvars.hcl", []string{"a.b", "c.d"}
	for _, tt := range []struct {
		name string
		got  func() ([]string, []string, string)
		args []string
	}{
		{
			"build", cmdOf(buildCmd(t.Context(), tool, job)),
			[]string{"/opt/packer", "build", "-machine-readable", "-color=false", "-on-error=cleanup", "."},
		},
		{
			"build, all set", cmdOf(buildCmd(t.Context(), tool, full)),
			[]string{
				"/opt/packer", "build", "-machine-readable", "-color=false", "-on-error=cleanup", "-only=a.b,c.d",
				"-var-file=/s/run.pkrvars.hcl", ".",
			},
		},
		{
			"validate", cmdOf(validateCmd(t.Context(), tool, job)),
			[]string{"/opt/packer", "validate", "-machine-readable", "."},
		},
		{
			"validate, all set", cmdOf(validateCmd(t.Context(), tool, full)),
			[]string{"/opt/packer", "validate", "-machine-readable", "-only=a.b,c.d", "-var-file=/s/run.pkrvars.hcl", "."},
		},
	} {
		args, gotEnv, dir := tt.got()
		if diff := cmp.Diff(tt.args, args); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if diff := cmp.Diff(env, gotEnv); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if dir != "/stage" {
			t.Errorf("%s runs in %s", tt.name, dir)
		}
	}
	cmd := versionCmd(t.Context(), "/opt/packer", job.Env, "/s")
	if diff := cmp.Diff([]string{"/opt/packer", "version"}, cmd.Args); diff != "" || cmd.Dir != "/s" ||
		slices.Contains(cmd.Env, "GITHUB_TOKEN=t") {
		t.Errorf("version: %s in %s with %q", diff, cmd.Dir, cmd.Env)
	}
	if !cmd.SysProcAttr.Setpgid {
		t.Error("no process group of its own")
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	parent := []string{
		"HOME=/root", "LC_ALL=C.UTF-8", "https_proxy=p", "SSL_CERT_FILE=/ca", "PACKER_PLUGIN_MIN_PORT=10000", "TMPDIR=/tmp",
		"broken", "=x",
		"PACKER_PLUGIN_PATH=/evil", "PACKER_CONFIG=/evil", "PACKER_CONFIG_DIR=/evil", "PACKER_LOG=1", "PACKER_LOG_PATH=/x",
		"PACKER_GITHUB_API_TOKEN=t",
		"PACKER_WRAP_COOKIE=x", "PACKER_RUN_UUID=x", "GITHUB_TOKEN=t", "ACTIONS_RUNTIME_TOKEN=t", "AZURE_CLIENT_SECRET=t",
		"PKR_VAR_x=1", "LD_PRELOAD=/evil.so", "ANSIBLE_CONFIG=/evil",
	}
	own := []string{"SSL_CERT_FILE=/own", "PKR_VAR_token=a=b", "PACKER_PLUGIN_PATH=/mine"}
	want := []string{
		"CHECKPOINT_DISABLE=1", "HOME=/root", "LC_ALL=C.UTF-8", "PACKER_CACHE_DIR=/s/cache", "PACKER_CONFIG_DIR=/s/config",
		"PACKER_NO_COLOR=1",
		"PACKER_PLUGIN_MIN_PORT=10000", "PACKER_PLUGIN_PATH=/s/plugins", "PKR_VAR_token=a=b", "SSL_CERT_FILE=/own",
		"TMPDIR=/s/tmp", "https_proxy=p",
	}
	if diff := cmp.Diff(want, environ(parent, own, "/s")); diff != "" {
		t.Error(diff)
	}
}

// TestEnvironmentInALab: no proxy dials for Packer, and of our own variables it
// has the lab's alone.
func TestEnvironmentInALab(t *testing.T) {
	t.Parallel()
	parent := []string{
		"HTTPS_PROXY=p", "https_proxy=p", "ALL_PROXY=p", "NO_PROXY=x", "PACKER_HYBRID_LAB=/lab",
		"PACKER_HYBRID_LAB_ID=lab-one",
		"PACKER_HYBRID_CACHE=/cache", "PACKER_HYBRID_COMMAND=build", "PACKER_HYBRID_SIGNING_KEY=k",
	}
	for lab, want := range map[bool][]string{
		true:  {"PACKER_HYBRID_LAB=/lab", "PACKER_HYBRID_LAB_ID=lab-one"},
		false: {"ALL_PROXY=p", "HTTPS_PROXY=p", "NO_PROXY=x", "https_proxy=p"},
	} {
		given := slices.DeleteFunc(slices.Clone(parent),
			func(e string) bool { return !lab && strings.HasPrefix(e, "PACKER_HYBRID_LAB") })
		got := slices.DeleteFunc(environ(given, nil, "/s"),
			func(e string) bool { return strings.Contains(e, "=/s") || strings.HasSuffix(e, "=1") })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("in a lab %t: %s", lab, diff)
		}
	}
}

// What a provisioner sees and what everybody on the machine can see.
func TestEnvironmentReachesTheProvisioner(t *testing.T) {
	t.Parallel()
	const secret = "correct horse battery staple"
	tool := realPacker(t)
	job := stage(t, nullBuild(
		"env > env; cat /proc/[0-9]*/cmdline > args 2>/dev/null || true; echo the password is ${var.password}; echo "+
			"${var.password} >&2; exit 1", ""))
	log := &buffer{}
	job.Log = log
	job.Env = append(job.Env, "GITHUB_TOKEN=leak-me", "PACKER_PLUGIN_PATH=/leak-me", "AWS_SECRET_ACCESS_KEY=leak-me",
		"PKR_VAR_other=leak-me")
	job.Secrets = append(job.Secrets, "PKR_VAR_password="+secret)
	job.Redact = func(text string) string { return strings.ReplaceAll(text, secret, "<redacted>") }
	var events []string
	job.OnEvent = func(e hybridcore.Event) { events = append(events, e.Text) }
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	env := read(t, filepath.Join(job.Dir, "env"))
	if strings.Contains(env, "leak-me") || !strings.Contains(env, "TMPDIR="+job.Scratch) {
		t.Errorf("the provisioner saw\n%s", env)
	}
	if strings.Contains(read(t, filepath.Join(job.Dir, "args")), "staple\x00-") ||
		strings.Contains(read(t, filepath.Join(job.Dir, "args")), "password="+secret) {
		t.Error("a command line holds the secret")
	}
	for _, args := range strings.Split(read(t, filepath.Join(job.Dir, "args")), "packer\x00build\x00")[1:] {
		args, _, _ = strings.Cut(args, "\x00.\x00")
		if strings.Contains(args, "staple") {
			t.Errorf("packer's command line holds the secret: %q", args)
		}
	}
	if shown := strings.Join(events, "\n") + fmt.Sprintf("%+v %+v", out, out.Failure); strings.Contains(shown, "staple") ||
		!strings.Contains(shown, "<redacted>") {
		t.Errorf("events and outcome:\n%s", shown)
	}
	// Why all of this is needed: Packer masks nothing in machine-readable mode.
	if !strings.Contains(log.String(), secret) {
		t.Log("this packer masks sensitive variables in machine-readable mode")
	}
}

func TestJobIsChecked(t *testing.T) {
	t.Parallel()
	good := stage(t, "")
	for name, change := range map[string]func(*Job){
		"relative stage":    func(j *Job) { j.Dir = "stage" },
		"relative scratch":  func(j *Job) { j.Scratch = "s" },
		"long scratch":      func(j *Job) { j.Scratch = "/" + strings.Repeat("x", MaxScratch) },
		"missing stage":     func(j *Job) { j.Dir += "x" },
		"stage is a file":   func(j *Job) { j.Dir = filepath.Join(j.Dir, "build.pkr.hcl") },
		"bad variable":      func(j *Job) { j.Secrets = []string{"no-equals-sign"} },
		"nameless variable": func(j *Job) { j.Secrets = []string{"=x"} },
		"no manifest":       func(j *Job) { j.Manifest = "" },
		"old manifest":      func(j *Job) { j.Manifest = filepath.Join(j.Dir, "build.pkr.hcl") },
		"foreign plugin":    func(j *Job) { j.Plugins = []Plugin{{Address: "a.b/c/d", Path: "/bin/sh"}} },
		"escaping plugin":   func(j *Job) { j.Plugins = []Plugin{{Address: "../../d", Path: "/bin/sh"}} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			job := good
			change(&job)
			out, err := Tool{Path: "/does/not/exist"}.Build(t.Context(), job)
			if err == nil || strings.Contains(err.Error(), "starting") || out.Status != hybridcore.Failed {
				t.Errorf("outcome %+v, error %v", out, err)
			}
			if err != nil && strings.Contains(err.Error(), "no-equals") && !strings.Contains(err.Error(), "name") {
				t.Error(err)
			}
		})
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	old := script(t, stage(t, ""), "echo Packer v1.9.0")
	fresh := script(t, stage(t, ""), "echo Packer v1.15.0; echo; echo 'Your version of Packer is out of date!'")
	dev := script(t, stage(t, ""), "echo 'Packer v1.16.0-dev (abc)'")
	silent := script(t, stage(t, ""), "exit 2")
	for _, tt := range []struct {
		name       string
		candidates []string
		version    string
		errors     []string
	}{
		{name: "new enough", candidates: []string{fresh}, version: "1.15.0"},
		{name: "development version", candidates: []string{dev}, version: "1.16.0-dev"},
		{
			name: "first that fits", candidates: []string{"/no/such/packer", "no-such-packer", silent, old, dev, fresh},
			version: "1.16.0-dev",
		},
		{name: "nothing", errors: []string{"no candidate"}},
		{
			name: "none fits", candidates: []string{"/no/such/packer", "no-such-packer", silent, old, os.TempDir()},
			errors: []string{
				"/no/such/packer: no such file", "no-such-packer: not on PATH", silent, "exit code 2",
				old + ": version 1.9.0 is older than 1.10.0", "make tools", "https://developer.hashicorp.com/packer/install",
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tool, err := Find(t.Context(), tt.candidates, "1.10.0")
			if tt.version != "" && (err != nil || tool.Version != tt.version) {
				t.Errorf("%+v, %v: want %s", tool, err, tt.version)
			}
			for _, want := range tt.errors {
				if err == nil || !strings.Contains(err.Error(), want) || hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
					t.Errorf("error %v: want %q, blocked", err, want)
				}
			}
		})
	}
}

func TestFindHangingCandidate(t *testing.T) {
	t.Parallel()
	job := stage(t, "")
	hanging := script(t, job, "echo $$ > "+job.Dir+"/pid; trap '' TERM; sleep 60")
	start := time.Now()
	_, err := Find(t.Context(), []string{hanging}, "1.10.0")
	if took := time.Since(start); err == nil ||
		!strings.Contains(err.Error(), "no answer to `packer version` within 10s") || took > versionTimeout+5*time.Second {
		t.Errorf("after %s: %v", took, err)
	}
	if p, ok := child.Alive(atoi(t, read(t, filepath.Join(job.Dir, "pid")))); ok {
		t.Errorf("process %d lives on", p.PID)
	}
}

// What is remembered is not asked again, until the file changes.
func TestMemory(t *testing.T) {
	t.Parallel()
	m := Memory(filepath.Join(shortDir(t), "memory"))
	job := stage(t, "")
	path := script(t, job, "echo Packer v1.15.0; echo x >> "+job.Dir+"/asked")
	asked := func(want int) {
		t.Helper()
		if tool, err := m.Find(t.Context(), []string{path}, "1.10.0"); err != nil || tool.Memory != m {
			t.Fatalf("%+v, %v", tool, err)
		}
		if n := strings.Count(read(t, filepath.Join(job.Dir, "asked")), "x"); n != want {
			t.Errorf("asked %d times, want %d", n, want)
		}
	}
	asked(1)
	asked(1)
	now := time.Now()
	if err := os.Chtimes(path, now, now); err != nil {
		t.Fatal(err)
	}
	asked(2)
	files, err := filepath.Glob(string(m) + "/version-*")
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	for _, spoilt := range []string{"", "x\ny\n", strings.TrimSuffix(read(t, files[0]), "\n")} {
		write(t, files[0], spoilt)
		asked(strings.Count(read(t, filepath.Join(job.Dir, "asked")), "x") + 1)
	}
	dir := pluginTree(t, "github.com/x/y@1.0.0")
	tool := Tool{PluginDirs: []string{dir}, Memory: m}
	need := []Requirement{{Addresses: []string{"github.com/x/y"}}}
	for range 2 {
		if _, err := tool.Plugins(need); err != nil {
			t.Fatal(err)
		}
	}
	plugins, err := tool.Plugins(need)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Link(plugins[0].Path, filepath.Join(job.Dir, "linked")); err != nil {
		t.Fatal(err)
	}
	if m.recall("sha256", plugins[0].Path) != plugins[0].SHA256 {
		t.Error("a link to a plugin, as every job makes one, lets its digest be forgotten")
	}
	write(t, plugins[0].Path, "other bytes")
	if _, err := tool.Plugins(need); err == nil || !strings.Contains(err.Error(), "has sha256") {
		t.Errorf("a changed plugin: %v", err)
	}
}

func TestFindCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Find(ctx, []string{"packer"}, "1.10.0"); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// cmdOf takes apart what is compared of a command.
func cmdOf(cmd *exec.Cmd) func() ([]string, []string, string) {
	return func() ([]string, []string, string) { return cmd.Args, cmd.Env, cmd.Dir }
}
