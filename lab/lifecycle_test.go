// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:34:32Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

package lab

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// beside is the environment of a command that has this process's, too.
func beside(lab []string) []string { return append(os.Environ(), lab...) }

// runHelper is the test binary as a program of its own.
func runHelper(name string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	config := Config{Cache: os.Getenv("LAB_TEST_CACHE"), Dir: os.Getenv("LAB_TEST_DIR"), Log: os.Stderr}
	switch name {
	case "up":
		if err := Up(ctx, config, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		return 0
	case "run":
		code, err := Run(ctx, config,
			Command{Argv: os.Args[1:], Environ: beside, In: os.Stdin, Out: os.Stdout, Err: os.Stderr})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 99
		}
		return code
	}
	return 98
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within 30 s: %s", what)
}

// guestsOf lists the first processes of guests whose root lies below dir, by their mounts.
func guestsOf(dir string) []string {
	var found []string
	processes, _ := filepath.Glob("/proc/[0-9]*/mountinfo")
	for _, p := range processes {
		content, err := os.ReadFile(p)
		if err == nil && strings.Contains(string(content), "upperdir="+dir) {
			found = append(found, filepath.Base(filepath.Dir(p)))
		}
	}
	return found
}

func TestCancelledBuildLeavesNothing(t *testing.T) {
	l := startLab(t)
	b := startBuild(t, l, "iso.pkr.hcl", "vm_name=cancelled", "library_item=x", "out="+filepath.Join(t.TempDir(), "x"),
		"script=touch running && sleep 300")
	eventually(t, "the provisioner runs", func() bool {
		m, ok := machinesOf(t, l)["cancelled"]
		if !ok || m.Delta == "" {
			return false
		}
		_, err := os.Stat(filepath.Join(m.Delta, "home/packer/running"))
		return err == nil
	})
	if m := machinesOf(t, l)["cancelled"]; !m.PoweredOn || !strings.HasPrefix(m.Address, "127.") {
		t.Errorf("the running machine is %+v", m)
	}
	if len(guestsOf(l.Dir())) == 0 {
		t.Error("no guest runs")
	}
	if err := syscall.Kill(b.cmd.Process.Pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, out := b.wait(); code == 0 {
		t.Errorf("exit 0\n%s", out)
	}
	if left := machinesOf(t, l); len(left) != 0 {
		t.Errorf("left in vCenter: %+v", left)
	}
	if left := guestsOf(l.Dir()); len(left) != 0 {
		t.Errorf("guests left: %v", left)
	}
	if left, _ := os.ReadDir(filepath.Join(l.Dir(), "disks")); len(left) != 0 {
		t.Errorf("disks left: %v", left)
	}
}

func TestKilledLabTakesItsGuestsAlong(t *testing.T) {
	config := testConfig(t)
	config.Log = nil
	parent := config.Dir
	// The command starts a guest by a build that never ends, as a child that outlives the lab.
	tmp := t.TempDir()
	script := fmt.Sprintf("cd %s && exec env PACKER_PLUGIN_PATH=%s/plugins CHECKPOINT_DISABLE=1 %s build -color=false "+
		"-var vm_name=x -var library_item=x -var out=%s/x -var 'script=sleep 300' %s",
		tmp, config.Cache, packer(t), tmp, absolute(t, "testdata/iso.pkr.hcl"))
	h := startHelper(t, "run", config, "sh", "-c", script)
	eventually(t, "a guest runs", func() bool { return len(guestsOf(parent)) > 0 })
	if err := h.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = h.Wait()
	eventually(t, "the guests are gone", func() bool { return len(guestsOf(parent)) == 0 })
	dead, _ := filepath.Glob(filepath.Join(parent, "lab-*"))
	if len(dead) != 1 {
		t.Fatalf("directories of the killed lab: %v", dead)
	}
	l, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead[0]); err == nil {
		t.Error("the next lab did not remove the dead one's directory")
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

func TestCloseAndContextLeaveNothing(t *testing.T) {
	config := testConfig(t)
	ctx, cancel := context.WithCancel(context.Background())
	l, err := Start(ctx, config)
	if err != nil {
		t.Fatal(err)
	}
	b := startBuild(t, l, "iso.pkr.hcl", "vm_name=x", "library_item=x", "out="+filepath.Join(t.TempDir(), "x"),
		"script=sleep 300")
	eventually(t, "a guest runs", func() bool { return len(guestsOf(l.Dir())) > 0 })
	cancel()
	eventually(t, "the directory is gone", func() bool { _, err := os.Stat(l.Dir()); return os.IsNotExist(err) })
	if left := guestsOf(l.Dir()); len(left) != 0 {
		t.Errorf("guests left: %v", left)
	}
	if err := l.Close(); err != nil {
		t.Errorf("closing again: %v", err)
	}
	_ = syscall.Kill(-b.cmd.Process.Pid, syscall.SIGKILL)
	b.wait()
}
