// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:24Z
// Spec: openspec/specs/logs/spec.md#requirement-target-logs-stay-inside-the-log-directory
// Diagram: openspec/specs/logs/diagram.md#sinks

package logs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestOpenTarget(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs", "run-1")
	for range 2 { // a retry goes on with the same file
		f, err := OpenTarget(dir, "debian-12@vsphere")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteString("line\n"); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(dir, "debian-12@vsphere.log")
	text, err := os.ReadFile(path)
	if err != nil || string(text) != "line\nline\n" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestOpenTargetRefuses(t *testing.T) {
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "outside")
	for name, make := range map[string]func(path string) error{
		"link":   func(p string) error { return os.Symlink(outside, p) },
		"inner":  func(p string) error { return os.Symlink("other.log", p) },
		"pipe":   func(p string) error { return syscall.Mkfifo(p, 0o600) },
		"folder": func(p string) error { return os.Mkdir(p, 0o700) },
	} {
		if err := make(filepath.Join(dir, name+".log")); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{
		"link", "inner", "pipe", "folder", "", ".", "..", "../../etc/passwd", "a/b", `a\b`, "a:b", "a\x00b", "a\nb", "ä",
		".hidden", "a b",
		strings.Repeat("x", 201),
	} {
		if f, err := OpenTarget(dir, name); err == nil {
			f.Close()
			t.Errorf("%q was opened", name)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 4 {
		t.Errorf("%d entries", len(entries))
	}
	if _, err := os.Stat(outside); err == nil {
		t.Error("a file was created outside")
	}
	if _, err := OpenTarget("/dev/null/x", "a"); err == nil {
		t.Error("opened below a file")
	}
}

// Whatever stands in place of the logs, nothing outside is written or gets
// another mode, and nothing waits for the other end of a pipe.
func TestLogsLeaveOthersFilesAlone(t *testing.T) {
	t.Parallel()
	for name, plant := range map[string]func(logs, outside string) error{
		"logs is a link":      func(logs, outside string) error { return os.Symlink(filepath.Dir(outside), logs) },
		"logs dangles":        func(logs, outside string) error { return os.Symlink(outside+".new", logs) },
		"logs is a file":      func(logs, _ string) error { return os.WriteFile(logs, nil, 0o600) },
		"logs is a pipe":      func(logs, _ string) error { return syscall.Mkfifo(logs, 0o600) },
		"another user's logs": func(logs, _ string) error { return errors.Join(os.Mkdir(logs, 0o777), os.Chown(logs, 1, 1)) },
		"links":               inLogs(func(file, outside string) error { return os.Symlink(outside, file) }),
		"dangling links":      inLogs(func(file, outside string) error { return os.Symlink(outside+".new", file) }),
		"hard links":          inLogs(func(file, outside string) error { return os.Link(outside, file) }),
		"pipes":               inLogs(func(file, _ string) error { return syscall.Mkfifo(file, 0o600) }),
		"another user's": inLogs(func(file, _ string) error {
			return errors.Join(os.WriteFile(file, nil, 0o600), os.Chmod(file, 0o666), os.Chown(file, 1, 1))
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			logs, outside := filepath.Join(t.TempDir(), "logs"), filepath.Join(t.TempDir(), "packer-hybrid.log")
			if err := errors.Join(os.WriteFile(outside, []byte("kept"), 0o644), plant(logs, outside)); err != nil {
				t.Fatal(err)
			}
			done := make(chan string, 1)
			go func() {
				said := ""
				if _, closeLog, err := New(Options{File: filepath.Join(logs, "packer-hybrid.log")}); err == nil {
					said = fmt.Sprint("the log was opened, and closed with: ", closeLog())
				}
				if f, err := OpenTarget(filepath.Join(logs, "run"), "x@vsphere"); err == nil {
					said += fmt.Sprint("; the target's log was opened, and closed with: ", f.Close())
				}
				done <- said
			}()
			select {
			case said := <-done:
				if said != "" {
					t.Error(said)
				}
			case <-time.After(time.Minute):
				t.Fatal("it waits for the other end of a pipe")
			}
			if text, err := os.ReadFile(outside); err != nil || string(text) != "kept" {
				t.Errorf("the file outside is %q, %v", text, err)
			}
			if info, err := os.Stat(outside); err != nil || info.Mode().Perm() != 0o644 {
				t.Errorf("the file outside has the mode %v, %v", info.Mode(), err)
			}
			if all, err := os.ReadDir(filepath.Dir(outside)); err != nil || len(all) != 1 {
				t.Errorf("outside are %v, %v", all, err)
			}
		})
	}
}

// inLogs puts something in place of both logs.
func inLogs(plant func(file, outside string) error) func(logs, outside string) error {
	return func(logs, outside string) error {
		return errors.Join(os.MkdirAll(filepath.Join(logs, "run"), 0o700),
			plant(filepath.Join(logs, "packer-hybrid.log"), outside), plant(filepath.Join(logs, "run", "x@vsphere.log"),
				outside))
	}
}
