// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:34:32Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
	"github.com/packer-hybrid/packer-hybrid/lab/vsphere"
)

// helperVar makes the test binary act as one of the programs of the lab's tests.
const helperVar = "LAB_TEST_HELPER"

func TestMain(m *testing.M) {
	Main()
	if helper := os.Getenv(helperVar); helper != "" {
		os.Exit(runHelper(helper))
	}
	os.Exit(m.Run())
}

// cache returns a cache of the test's own with the tools that were built, and fails when they are not complete.
func cache(t *testing.T) string {
	t.Helper()
	dir, err := CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FindRootFS(dir); err != nil {
		t.Fatal(err)
	}
	return labtest.Cache(t, dir)
}

// testConfig is a lab whose directories are the test's own.
func testConfig(t *testing.T) Config {
	t.Helper()
	own := cache(t)
	return Config{Cache: own, Dir: filepath.Join(own, "labs"), Log: logWriter{t}}
}

type logWriter struct{ t *testing.T }

func (w logWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func startLab(t *testing.T) *Lab {
	t.Helper()
	l, err := Start(context.Background(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	return l
}

// build is one run of the real Packer in the lab.
type build struct {
	t    *testing.T
	cmd  *exec.Cmd
	out  bytes.Buffer
	done chan error
}

// packer finds Packer in the cache or in PATH.
func packer(t *testing.T) string {
	t.Helper()
	path := filepath.Join(cache(t), "bin", "packer")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	path, err := exec.LookPath("packer")
	if err != nil {
		t.Fatalf("packer is neither in the cache nor in PATH: %v; run: make tools", err)
	}
	return path
}

// startBuild starts Packer on a template of testdata with variables NAME=value.
func startBuild(t *testing.T, l *Lab, template string, variables ...string) *build {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", template))
	if err != nil {
		t.Fatal(err)
	}
	args := []string{"build", "-color=false"}
	for _, v := range variables {
		args = append(args, "-var", v)
	}
	b := &build{t: t, cmd: exec.Command(packer(t), append(args, path)...), done: make(chan error, 1)}
	b.cmd.Dir = t.TempDir()
	b.cmd.Env = append(os.Environ(), "CHECKPOINT_DISABLE=1", "PACKER_PLUGIN_PATH="+filepath.Join(cache(t), "plugins"),
		"TMPDIR="+b.cmd.Dir)
	b.cmd.Env = append(b.cmd.Env, l.Env()...)
	b.cmd.Stdout, b.cmd.Stderr = &b.out, &b.out
	b.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	b.cmd.WaitDelay = 5 * time.Second
	if err := b.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL) })
	go func() { b.done <- b.cmd.Wait() }()
	return b
}

// wait waits for the end of the build and returns its exit code and output.
func (b *build) wait() (int, string) {
	b.t.Helper()
	select {
	case err := <-b.done:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			b.t.Fatal(err)
		}
		return b.cmd.ProcessState.ExitCode(), b.out.String()
	case <-time.After(3 * time.Minute):
		_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
		b.t.Errorf("killed: %v", <-b.done)
		b.t.Fatalf("the build did not end\n%s", b.out.String())
		return 0, ""
	}
}

func (b *build) mustSucceed() {
	b.t.Helper()
	if code, out := b.wait(); code != 0 {
		b.t.Fatalf("exit %d\n%s", code, out)
	}
}

func machinesOf(t *testing.T, l *Lab) map[string]vsphere.VM {
	t.Helper()
	list, err := l.VSphere().Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	byName := make(map[string]vsphere.VM)
	for _, m := range list {
		if m.Name != vsphere.BaseName { // every lab has it
			byName[m.Name] = m
		}
	}
	return byName
}

func TestBuildTemplateAndLibraryItem(t *testing.T) {
	l := startLab(t)
	out := filepath.Join(t.TempDir(), "os-release")
	startBuild(t, l, "iso.pkr.hcl", "vm_name=deb_12.x", "library_item=item", "out="+out).mustSucceed()

	m, ok := machinesOf(t, l)["deb_12.x"]
	if !ok || !m.Template || m.PoweredOn || m.Path != "/DC0/vm/golden/deb_12.x" || m.Address != "" {
		t.Errorf("the template is %+v", m)
	}
	if m.Typed != "<esc>auto url=/Preseed.cfg<enter>" {
		t.Errorf("typed %q", m.Typed)
	}
	for file, want := range map[string]string{
		"etc/built": "deb_12.x\n", "home/packer/marker": "provisioned by packer\n", "etc/hostname": "deb-12-x\n",
	} {
		if content, err := os.ReadFile(filepath.Join(m.Delta, file)); err != nil || string(content) != want {
			t.Errorf("%s in the delta is %q, %v", file, content, err)
		}
	}
	if content, err := os.ReadFile(out); err != nil || !strings.Contains(string(content), "Debian GNU/Linux 12") {
		t.Errorf("downloaded %q, %v", content, err)
	}
	items, err := l.VSphere().LibraryItems(t.Context())
	if err != nil || len(items) != 1 || items[0].Name != "item" || items[0].Type != "ovf" ||
		!slices.Equal(items[0].Files, []string{"item.ovf"}) {
		t.Fatalf("library items %+v, %v", items, err)
	}
	if left, _ := filepath.Glob(filepath.Join(l.VSphere().Datastore(), "packer_cache", "*.iso")); len(left) != 0 {
		t.Errorf("left in the datastore: %v", left)
	}

	// The same item again, from another virtual machine, keeps its identifier.
	startBuild(t, l, "iso.pkr.hcl", "vm_name=second", "library_item=item", "out="+out).mustSucceed()
	again, err := l.VSphere().LibraryItems(t.Context())
	if err != nil || len(again) != 1 || again[0].ID != items[0].ID {
		t.Errorf("after the second import: %+v, %v; before: %+v", again, err, items)
	}
}

func TestTwoBuildsAtOnceAndAClone(t *testing.T) {
	l := startLab(t)
	dir := t.TempDir()
	first := startBuild(t, l, "iso.pkr.hcl", "vm_name=first", "library_item=first", "out="+filepath.Join(dir, "1"))
	second := startBuild(t, l, "iso.pkr.hcl", "vm_name=second", "library_item=second", "out="+filepath.Join(dir, "2"))
	first.mustSucceed()
	second.mustSucceed()
	found := machinesOf(t, l)
	for name := range map[string]bool{"first": true, "second": true} {
		content, err := os.ReadFile(filepath.Join(found[name].Delta, "etc/built"))
		if err != nil || string(content) != name+"\n" {
			t.Errorf("%s holds %q, %v", name, content, err)
		}
	}

	out := filepath.Join(dir, "clone")
	startBuild(t, l, "clone.pkr.hcl", "vm_name=clone", "template=first", "out="+out).mustSucceed()
	if content, err := os.ReadFile(out); err != nil || string(content) != "first\nprovisioned by packer\n" {
		t.Errorf("the clone saw %q, %v", content, err)
	}
	found = machinesOf(t, l)
	marker := "home/packer/marker"
	if content, _ := os.ReadFile(filepath.Join(found["clone"].Delta, marker)); string(content) != "clone\n" {
		t.Errorf("the clone's delta holds %q", content)
	}
	if content, _ := os.ReadFile(filepath.Join(found["first"].Delta,
		marker)); string(content) != "provisioned by packer\n" {
		t.Errorf("the template's delta holds %q", content)
	}
}

func TestWrongPasswordIsRefused(t *testing.T) {
	l := startLab(t)
	out := filepath.Join(t.TempDir(), "out")
	code, text := startBuild(t, l, "iso.pkr.hcl", "vm_name=x", "library_item=x", "out="+out,
		"vsphere_password=lab-vcenter-GUESSED").wait()
	if code == 0 || !strings.Contains(text, "Login failure") {
		t.Errorf("exit %d\n%s", code, text)
	}
	if left := machinesOf(t, l); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}
