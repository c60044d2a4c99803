// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:00Z
// Spec: openspec/specs/container/spec.md#requirement-docker-action
// Spec: openspec/specs/container/spec.md#requirement-rights-of-the-action
// Diagram: openspec/specs/container/diagram.md#one-action

//go:build pipelines

package pipelines_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

// runnerUser is the user of GitHub's hosted runners.
const runnerUser = 1001

// token is that of the job.
const token = "ghs_actionToken0123456789"

// The workflows use the action as somebody else's repository does. act copies
// the checkout itself.
const (
	// building shows the outputs to the next step.
	building = `
      - uses: ./
        id: images
        with:
          command: build debian-12 --env lab --platforms vsphere
      - env:
          PLAN: ${{ steps.images.outputs.plan }}
          RECORD: ${{ steps.images.outputs.record }}
          PARITY: ${{ steps.images.outputs.parity }}
        run: |
          echo "after: plan=$PLAN record=$RECORD parity=$PARITY"
          for file in $PLAN $RECORD; do test -s "$file" && echo "there: $file"; done
`
	// hostile goes on after each command that a shell would obey.
	hostile = `
      - uses: ./
        id: step%[1]d
        continue-on-error: true
        with:
          command: %[2]q
      - env:
          OUTCOME: ${{ steps.step%[1]d.outcome }}
          PLAN: ${{ steps.step%[1]d.outputs.plan }}
        run: |
          echo "after %[1]d: $OUTCOME plan=$PLAN"
          test ! -e pwned
`
	beginning = `name: images
on: push
jobs:
  images:
    runs-on: self-hosted
    steps:
      - uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
`
)

const push = `{"ref":"refs/heads/main","after":%q,"head_commit":{"id":%[1]q},"repository":{"full_name":"o/r","default_branch":"main"},"sender":{"id":4}}`

// act runs a workflow of these steps on a push, and returns whether it ended
// well, and what it said. Secrets travel in files.
func (e *engine) act(t *testing.T, dir, head, steps string, env []string) (bool, string) {
	t.Helper()
	files := t.TempDir()
	var variables strings.Builder
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		fmt.Fprintf(&variables, "%s='%s'\n", name, value)
	}
	for name, text := range map[string]string{
		"workflow.yml": beginning + strings.TrimPrefix(steps, "\n"), "event.json": fmt.Sprintf(push, head),
		"env": variables.String(), "secrets": "GITHUB_TOKEN=" + token + "\n",
	} {
		if err := os.WriteFile(filepath.Join(files, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := e.cmd(t, tool(t, "act"), "push", "-W", filepath.Join(files, "workflow.yml"), "-e",
		filepath.Join(files, "event.json"),
		"--env-file", filepath.Join(files, "env"), "--secret-file", filepath.Join(files, "secrets"),
		"-P", "self-hosted="+debianBase, "--pull=false", "--rebuild=false", "--bind", "--network", "host",
		"--container-daemon-socket", "-",
		"--no-cache-server", "--artifact-server-addr", "127.0.0.1", "--cache-server-addr", "127.0.0.1")
	cmd.Dir = dir
	cmd.Env = append(cmd.Env, "DOCKER_HOST="+e.address)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return err == nil, string(out)
}

// testActionRights asks the kernel what is left of root.
func testActionRights(t *testing.T, e *engine) {
	t.Helper()
	dir, probe := t.TempDir(), filepath.Join(t.TempDir(), "probe")
	if err := os.WriteFile(probe,
		[]byte("#!/bin/sh\ngrep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs):' /proc/self/status\nid -un\necho \"$HOME\"\n"+
			"test -w /var/run/docker.sock && echo the socket is open\ntrue\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(e.dir, "docker.sock") // as on GitHub's runners: of root and a group
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	if err := os.Chmod(socket, 0o660); err != nil {
		t.Fatal(err)
	}
	for _, uid := range []int{runnerUser, 0} {
		give(t, dir, uid)
		_, out := e.run(t, "--volume", dir+":/github/workspace", "--env", "GITHUB_WORKSPACE=/github/workspace", "--workdir",
			"/github/workspace",
			"--volume", probe+":/usr/local/bin/packer-hybrid:ro", "--volume", socket+":/var/run/docker.sock", actionImage)
		name := map[int]string{0: "root", runnerUser: "runner"}[uid]
		want := fmt.Sprintf("Uid: %[1]d %[1]d %[1]d %[1]d\nGid: %[1]d %[1]d %[1]d %[1]d\nGroups:\n", uid)
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			want += set + ": 0000000000000000\n"
		}
		want += "NoNewPrivs: 1\n" + name + "\n/tmp\n"
		if uid == 0 {
			want += "the socket is open\n" // docs/container.md says so
		}
		var got strings.Builder
		for line := range strings.Lines(out) {
			got.WriteString(strings.Join(strings.Fields(line), " ") + "\n")
		}
		if got.String() != want {
			t.Errorf("for the user %d:\n%s\nwant\n%s", uid, &got, want)
		}
	}
	code, out := e.run(t, "--env", "INPUT_PROJECT=nowhere", actionImage)
	if code != 2 || !strings.Contains(out, "is there an actions/checkout step") {
		t.Errorf("without a checkout: exit code %d\n%s", code, out)
	}
}

// loaded is a library that says as whom it was loaded.
const loaded = `#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void) {
	char name[64];
	snprintf(name, sizeof name, "/loot/library-of-%d", (int)geteuid());
	close(open(name, O_CREAT|O_WRONLY, 0666));
}
`

// testHostileEnvironment sets what an earlier step of a job can set through GITHUB_ENV, and looks for what ran by it.
func testHostileEnvironment(t *testing.T, e *engine) {
	t.Helper()
	dir, evil, loot := t.TempDir(), t.TempDir(), t.TempDir()
	give(t, dir, runnerUser)
	for _, err := range []error{
		os.Chmod(loot, 0o777), os.WriteFile(filepath.Join(evil, "evil.c"), []byte(loaded), 0o600),
		os.WriteFile(filepath.Join(evil, "rc"), []byte(": >/loot/script-of-$(/usr/bin/id -u)\n"), 0o644),
		os.WriteFile(filepath.Join(evil, "probe"), []byte("#!/bin/sh\nenv\n"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if out, err := exec.CommandContext(t.Context(), "gcc", "-shared", "-fPIC", "-o", filepath.Join(evil, "evil.so"),
		filepath.Join(evil, "evil.c")).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"id", "stat", "getent", "setpriv", "tini", "packer-hybrid"} {
		if err := os.WriteFile(filepath.Join(evil, name), []byte("#!/bin/sh\n: >/loot/program-of-$(/usr/bin/id -u)\n"),
			0o755); err != nil {
			t.Fatal(err)
		}
	}
	options := []string{
		"--volume", dir + ":/github/workspace", "--workdir", "/github/workspace", "--volume",
		evil + ":/evil:ro", "--volume", loot + ":/loot",
	}
	for _, variable := range []string{
		"LD_PRELOAD=/evil/evil.so", "LD_AUDIT=/evil/evil.so", "LD_LIBRARY_PATH=/evil", "BASH_ENV=/evil/rc", "ENV=/evil/rc",
		"PATH=/evil:/usr/bin:/bin", "GODEBUG=inittrace=1", "GITHUB_WORKSPACE=/",
	} {
		options = append(options, "--env", variable)
	}
	found := func() string {
		names, err := filepath.Glob(filepath.Join(loot, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for i, name := range names {
			names[i] = filepath.Base(name)
		}
		return strings.Join(names, " ")
	}
	code, out := e.run(t, append(slices.Clone(options), "--volume",
		filepath.Join(evil, "probe")+":/usr/local/bin/packer-hybrid:ro", actionImage)...)
	if got := found(); got != "" {
		t.Errorf("obeyed: %s", got)
	}
	if code != 0 || !strings.Contains(out, "PATH=/usr/local/sbin:") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	for _, name := range []string{"LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "BASH_ENV", "GODEBUG"} {
		if strings.Contains(out, name+"=") {
			t.Errorf("the program gets %s", name)
		}
	}
	// The library works: what is linked dynamically obeys.
	e.run(t, append(options, "--entrypoint=/bin/true", actionImage)...)
	if got := found(); got != "library-of-0" {
		t.Errorf("a program with a loader left %q", got)
	}
}

// testAction builds a target of the lab in the docker action, and hears of it
// where GitHub's users do.
func testAction(t *testing.T, e *engine) {
	t.Helper()
	c := newCheckout(t, "action.yml", "Dockerfile")
	labtest.ShortRecipe(t, c.dir)
	dir, head := c.dir, c.commit("base")
	give(t, dir, runnerUser)
	hub, err := github.Start(t.Context(),
		github.Config{Repository: "o/r", Token: token, Login: "github-actions[bot]", Commits: []string{head}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := hub.Close(); err != nil {
			t.Error(err)
		}
	})
	env := []string{"GITHUB_API_URL=" + hub.URL()}
	for _, entry := range e.lab.Env() {
		switch name, value, _ := strings.Cut(entry, "="); {
		case name == "SSL_CERT_FILE":
			file := filepath.Join(dir, "ca.pem")
			copyFile(t, value, file)
			env = append(env, name+"="+file)
		case strings.HasPrefix(name, "PKR_VAR_"):
			env = append(env, entry)
		}
	}
	ok, out := e.act(t, dir, head, building, env)
	for _, want := range []string{
		"after: plan=artifacts/plan.json record=artifacts/record.json parity=", "there: artifacts/plan.json",
		"there: artifacts/record.json", "Summary - ## ✅ Images for `lab`: 1 built",
	} {
		if !ok || !strings.Contains(out, want) {
			t.Fatalf("act does not say %q\n%s", want, out)
		}
	}
	for _, path := range []string{"artifacts", "artifacts/logs", "state"} {
		belongs(t, filepath.Join(dir, path), runnerUser)
	}
	for _, entry := range append(e.lab.Env(), "job_token="+token) {
		name, value, _ := strings.Cut(entry, "=")
		if (strings.HasSuffix(name, "_password") || strings.HasSuffix(name, "_token") ||
			strings.HasSuffix(name, "_secret")) && strings.Contains(out, value) {
			t.Errorf("the log shows %s", name)
		}
	}
	if n := len(hub.Checks()); n != 2 {
		t.Errorf("%d check-runs, want those of the run and its target\n%s", n, out)
	}
	for _, c := range hub.Checks() {
		if c["status"] != "completed" || c["conclusion"] != "success" {
			t.Errorf("the check-run is %v", c)
		}
	}
	for _, v := range hub.Violations() {
		t.Error("GitHub's description: ", v)
	}
}

// testHostileCommand gives the action what a shell would obey.
func testHostileCommand(t *testing.T, e *engine) {
	t.Helper()
	dir, head := project(t, runnerUser)
	commands := []string{
		"plan; touch pwned", "$(touch pwned)", "plan `touch pwned`", "plan && touch pwned",
		"plan '\ntouch pwned",
	}
	var steps strings.Builder
	for i, command := range commands {
		fmt.Fprintf(&steps, hostile, i, command)
	}
	ok, out := e.act(t, dir, head, steps.String(), nil)
	if !ok {
		t.Errorf("a command was obeyed:\n%s", out)
	}
	for i, command := range commands {
		if !strings.Contains(out, fmt.Sprintf("after %d: failure plan=\n", i)) {
			t.Errorf("%q did not fail:\n%s", command, out)
		}
	}
	if n := strings.Count(out, "error: reading the event of this job: "); n != len(commands) {
		t.Errorf("the grammar refused %d commands, want %d:\n%s", n, len(commands), out)
	}
}
