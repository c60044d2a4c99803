// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:45:35Z
// Spec: openspec/specs/security/spec.md#requirement-the-container-obeys-nobody-as-root
// Diagram: openspec/specs/container/diagram.md#one-action

package main

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestMain is the entrypoint itself when a test starts this program so.
func TestMain(m *testing.M) {
	if len(os.Args) > 4 && os.Args[1] == "enter" {
		e := entry{init: os.Args[2], program: os.Args[3], passwd: os.Args[4]}
		fmt.Fprintln(os.Stderr, "packer-hybrid-entry:", e.run(os.Args[5:], os.Environ()))
		os.Exit(2)
	}
	os.Exit(m.Run())
}

func TestEnvironmentIsCleaned(t *testing.T) {
	got := clean([]string{
		"LD_PRELOAD=/w/evil.so", "LD_LIBRARY_PATH=/w", "LD_AUDIT=/w/evil.so", "PATH=/w", "BASH_ENV=/w/evil", "ENV=/w/evil",
		"SHELLOPTS=xtrace", "PS4=$(id)",
		"BASH_FUNC_id%%=() { evil; }", "IFS=x", "GODEBUG=inittrace=1", "GOTRACEBACK=crash", "GOCOVERDIR=/w", "GCONV_PATH=/w",
		"GLIBC_TUNABLES=x", "LOCPATH=/w",
		"MALLOC_PERTURB_=1", "PYTHONPATH=/w", "PYTHONSTARTUP=/w/evil", "PERL5OPT=-Mevil", "PERL5LIB=/w", "RUBYOPT=-revil",
		"NODE_OPTIONS=--require=/w/evil",
		"novalue", "=C:=x", "PKR_VAR_a=first", "PKR_VAR_a=second",
		"HOME=/github/home", "INPUT_COMMAND=plan; LD_PRELOAD=x", "GITHUB_TOKEN=t", "GITHUB_WORKSPACE=/github/workspace",
		"HTTPS_PROXY=http://proxy", "LANG=C.UTF-8",
		"EMPTY=", "ENVIRONMENT=prod", "OLD_LD_PRELOAD=x",
	})
	want := []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "PKR_VAR_a=first",
		"HOME=/github/home", "INPUT_COMMAND=plan; LD_PRELOAD=x", "GITHUB_TOKEN=t", "GITHUB_WORKSPACE=/github/workspace",
		"HTTPS_PROXY=http://proxy", "LANG=C.UTF-8",
		"EMPTY=", "ENVIRONMENT=prod", "OLD_LD_PRELOAD=x",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestEntryIsStatic builds the program as the Dockerfile does, and looks for what would have a loader start it.
func TestEntryIsStatic(t *testing.T) {
	program := filepath.Join(t.TempDir(), "entry")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	f, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the program asks for a loader: %v", p.Type)
		}
	}
}

// stand returns a folder that everybody may enter with a workspace of the user, and a program that stands for tini
// and, after
// it, packer-hybrid: it prints what the kernel and the environment say.
func stand(t *testing.T, uid int) (dir, program, passwd string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "entry") //nolint:usetesting // another user has to enter it
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	program, passwd = filepath.Join(dir, "program"), filepath.Join(dir, "passwd")
	for _, err := range []error{
		os.Chmod(dir, 0o755), os.Mkdir(filepath.Join(dir, "work"), 0o755), os.Chown(filepath.Join(dir, "work"), uid, uid),
		os.WriteFile(passwd, []byte("root:x:0:0::/root:/bin/sh\n"), 0o644),
		os.WriteFile(program, []byte(
			"#!/bin/sh\necho \"args $*\"\ngrep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs):' /proc/self/status\nenv\n"), 0o755),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir, program, passwd
}

// enter runs the entrypoint in a folder.
func enter(t *testing.T, dir string, env []string, args ...string) (code int, out string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, append([]string{"enter"}, args...)...)
	cmd.Dir, cmd.Env = dir, env
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Groups: []uint32{0, 4, 27}}}
	text, _ := cmd.CombinedOutput() // its exit code is looked at
	return cmd.ProcessState.ExitCode(), string(text)
}

func TestRootIsGivenUp(t *testing.T) {
	for _, uid := range []int{12345, 0} {
		dir, program, passwd := stand(t, uid)
		env := []string{"LD_PRELOAD=/w/evil.so", "GODEBUG=inittrace=1", "GITHUB_WORKSPACE=/", "INPUT_COMMAND=plan", "PATH=/w"}
		code, out := enter(t, filepath.Join(dir, "work"), env, program, "packer-hybrid", passwd, "ci", "a b")
		want := []string{
			"args -- packer-hybrid ci a b", "NoNewPrivs:\t1", "INPUT_COMMAND=plan", "Groups:\t ",
			fmt.Sprintf("Uid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d", uid), fmt.Sprintf("Gid:\t%[1]d\t%[1]d\t%[1]d\t%[1]d", uid),
		}
		for _, set := range []string{"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"} {
			want = append(want, set+":\t0000000000000000")
		}
		lines := strings.Split(out, "\n")
		for _, line := range want {
			if code != 0 || !slices.Contains(lines, line) {
				t.Errorf("user %d, exit code %d: no line %q in\n%s", uid, code, line, out)
			}
		}
		if strings.Contains(out, "LD_PRELOAD=") || strings.Contains(out, "GODEBUG=") {
			t.Errorf("the program got what was to be removed:\n%s", out)
		}
		text, err := os.ReadFile(passwd)
		if named := strings.Contains(string(text), "runner:x:12345:12345::/tmp:/usr/sbin/nologin\n"); err != nil ||
			named != (uid != 0) {
			t.Errorf("user %d: the password file is %q, %v", uid, text, err)
		}
	}
}

func TestOwnerFollowsNoLink(t *testing.T) {
	dir, program, passwd := stand(t, 12345)
	link := filepath.Join(dir, "link")
	if err := os.Symlink("work", link); err != nil {
		t.Fatal(err)
	}
	if uid, gid, err := owner(link); err == nil {
		t.Errorf("a link was followed to the user %d and the group %d", uid, gid)
	}
	if _, _, err := owner(passwd); err == nil {
		t.Error("a file is a workspace")
	}
	if uid, gid, err := owner(filepath.Join(dir, "work")); uid != 12345 || gid != 12345 || err != nil {
		t.Errorf("owner = %d, %d, %v", uid, gid, err)
	}
	// The password file is not written through a link either.
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(passwd); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, passwd); err != nil {
		t.Fatal(err)
	}
	code, out := enter(t, filepath.Join(dir, "work"), nil, program, "packer-hybrid", passwd)
	if text, err := os.ReadFile(victim); code != 0 || err != nil || len(text) > 0 ||
		!strings.Contains(out, "has no name in this container") {
		t.Errorf("exit code %d, %q, %v\n%s", code, text, err, out)
	}
}

func TestProjectIsEnteredAsItsOwner(t *testing.T) {
	dir, program, passwd := stand(t, 12345)
	code, out := enter(t, filepath.Join(dir, "work"), []string{"INPUT_PROJECT=nowhere"}, program, "packer-hybrid", passwd)
	if code != 2 || !strings.Contains(out, "is there an actions/checkout step before this one?") {
		t.Errorf("exit code %d\n%s", code, out)
	}
	if err := os.Mkdir(filepath.Join(dir, "of-root"), 0o700); err != nil {
		t.Fatal(err)
	}
	if code, out := enter(t, filepath.Join(dir, "work"), []string{"INPUT_PROJECT=../of-root"}, program, "packer-hybrid",
		passwd); code != 2 || !strings.Contains(out, "permission denied") {
		t.Errorf("a folder that only root may enter: exit code %d\n%s", code, out)
	}
}
