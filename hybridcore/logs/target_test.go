// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:24Z
// Spec: openspec/specs/logs/spec.md#requirement-target-logs-stay-inside-the-log-directory
// Diagram: openspec/specs/logs/diagram.md#sinks

package logs

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
		"link", "inner", "pipe", "folder", "", ".", "..", "../../etc/passwd", "a/b", `a\b`, "a:b", "a\x00b", "a\nb", "ä", ".hidden", "a b",
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
