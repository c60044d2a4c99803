// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:34:32Z
// Spec: openspec/specs/lab/spec.md#requirement-lab-environment
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

package lab

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}

// startHelper starts the test binary as a program that serves a lab.
func startHelper(t *testing.T, name string, config Config, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), helperVar+"="+name, "LAB_TEST_CACHE="+config.Cache, "LAB_TEST_DIR="+config.Dir)
	cmd.Stderr = logWriter{t}
	out, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout = out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); out.Close() })
	return cmd
}

func output(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	file, ok := cmd.Stdout.(*os.File)
	if !ok {
		t.Fatal("the output is not in a file")
	}
	content, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func TestEnvironment(t *testing.T) {
	l := startLab(t)
	values := make(map[string]string)
	for _, entry := range l.Env() {
		name, value, _ := strings.Cut(entry, "=")
		values[name] = value
	}
	for name, pattern := range map[string]string{
		"PKR_VAR_vsphere_endpoint":            `^127\.0\.0\.1:\d+$`,
		"PKR_VAR_vsphere_username":            `^packer@lab\.local$`,
		"PKR_VAR_vsphere_password":            `^lab-vcenter-[A-Z2-7]{26}$`,
		"PKR_VAR_vsphere_insecure_connection": `^false$`,
		"PKR_VAR_build_username":              `^packer$`,
		"PKR_VAR_build_password":              `^lab-guest-[A-Z2-7]{26}$`,
		"PKR_VAR_communicator_port":           `^\d+$`,
		"PACKER_HYBRID_LAB":                   `^/.*/lab-\d+$`,
		"PACKER_HYBRID_LAB_ID":                `^lab-[a-z2-7]{26}$`,
		"SSL_CERT_FILE":                       `^/.*/ca-bundle\.pem$`,
	} {
		if !regexp.MustCompile(pattern).MatchString(values[name]) {
			t.Errorf("%s=%s does not match %s", name, values[name], pattern)
		}
	}
	for _, entry := range startLab(t).Env() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasSuffix(name, "_password") && value == values[name] {
			t.Errorf("two labs share %s", name)
		}
	}
}

func TestRunReturnsTheExitCode(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -KILL $$": 137} {
		config := testConfig(t)
		var out strings.Builder
		code, err := Run(t.Context(), config, Command{
			Argv:    []string{"sh", "-c", "echo $PKR_VAR_vsphere_endpoint; test -d $PACKER_HYBRID_LAB || exit 50; " + script},
			Environ: beside, Out: &out,
		})
		if err != nil || code != want || !strings.HasPrefix(out.String(), "127.0.0.1:") {
			t.Errorf("%s: %d, %v, %q", script, code, err, out.String())
		}
		if left, _ := filepath.Glob(filepath.Join(config.Dir, "lab-*")); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
	if _, err := Run(t.Context(), testConfig(t), Command{Argv: []string{"/no/such/program"}}); err == nil {
		t.Error("a missing program is no error")
	}
}

func TestRunForwardsSignalsOnce(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		config := testConfig(t)
		h := startHelper(t, "run", config, "bash", "-c",
			`n=0; trap 'n=$((n+1))' INT TERM; echo ready; for i in $(seq 15); do sleep 0.1; done; echo signals: $n; exit 5`)
		eventually(t, "the command runs", func() bool { return strings.Contains(output(t, h), "ready") })
		if err := h.Process.Signal(sig); err != nil {
			t.Fatal(err)
		}
		err := h.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 5 || !strings.Contains(output(t, h), "signals: 1") {
			t.Errorf("%v: %v, %q", sig, err, output(t, h))
		}
		if left, _ := filepath.Glob(filepath.Join(config.Dir, "lab-*")); len(left) != 0 {
			t.Errorf("left: %v", left)
		}
	}
}

func TestUpAndDown(t *testing.T) {
	config := testConfig(t)
	if err := Down(t.Context(), config); !errors.Is(err, ErrNotUp) {
		t.Errorf("down without up: %v", err)
	}
	h := startHelper(t, "up", config)
	eventually(t, "the lab is up", func() bool { return strings.Contains(output(t, h), "The lab is up") })
	state := filepath.Join(config.Cache, "lab.json")
	if info, err := os.Stat(state); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("state file: %v, %v", info, err)
	}
	env, err := UpEnv(config)
	if err != nil || len(env) < 9 || !strings.Contains(strings.Join(env, "\n"), "PKR_VAR_vsphere_password=lab-") {
		t.Errorf("environment %d entries, %v", len(env), err)
	}
	if values := strings.Join(env, "\n"); !strings.Contains(values, "PACKER_HYBRID_LAB_ID=lab-") {
		t.Error("the lab does not say which one it is")
	}
	second := startHelper(t, "up", config)
	if err := second.Wait(); err == nil {
		t.Error("a second lab came up in the same cache")
	}
	err = Up(t.Context(), config, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "`packer-hybrid lab down` ends it") ||
		strings.Contains(err.Error(), "unavailable") {
		t.Errorf("the second lab says %v", err)
	}
	waited := make(chan error, 1)
	go func() { waited <- h.Wait() }()
	if err := Down(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	if err := <-waited; err != nil {
		t.Errorf("up ended with %v", err)
	}
	if _, err := os.Stat(state); err == nil {
		t.Error("the state file is left")
	}
	if left, _ := filepath.Glob(filepath.Join(config.Dir, "lab-*")); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}
