// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:20:00Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package safefile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRead refuses what is no regular file within the bound, and waits for no pipe.
func TestRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	err := errors.Join(os.WriteFile(at("file"), []byte("four"), 0o600), os.Symlink("file", at("link")),
		os.Mkdir(at("folder"), 0o700), syscall.Mkfifo(at("pipe"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for name, tt := range map[string]struct {
		limit     int64
		path, own string // what is refused, by path and in the folder
	}{
		"file":    {4, "", ""},
		"missing": {4, "no such file", "no such file"},
		"link":    {4, "", "not a regular file"},
		"folder":  {4, "a directory", "a directory"},
		"pipe":    {4, "not a regular file", "not a regular file"},
	} {
		data, err := Read(at(name), tt.limit)
		check(t, name, data, err, tt.path)
		data, err = ReadIn(in, name, tt.limit)
		check(t, name+" in its folder", data, err, tt.own)
	}
	if _, err := ReadIn(in, "file", 3); err == nil || err.Error() != "it has 4 bytes; at most 3 are read" {
		t.Errorf("too large: %v", err)
	}
}

func check(t *testing.T, name string, data []byte, err error, want string) {
	t.Helper()
	if want == "" && (err != nil || string(data) != "four") ||
		want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
		t.Errorf("%s: %q, %v; want %q", name, data, err, want)
	}
}

// TestReplace puts a file in the place of another with the mode that was asked for, and leaves nothing behind
// when it cannot.
func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "file")
	for _, text := range []string{"one", "two"} {
		if err := Replace(path, []byte(text), 0o664); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if data, _ := os.ReadFile(path); err != nil || string(data) != text || info.Mode().Perm() != 0o664 {
			t.Errorf("%q, %v, %v", data, info, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := Replace(filepath.Join(dir, "folder"), nil, 0o600); err == nil {
		t.Error("a folder was replaced")
	}
	if err := Keep(filepath.Join(dir, "cache", "kept"), []byte("x")); err != nil {
		t.Error(err)
	}
	in, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	if err := New(in, "file", nil, 0o600); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file was made twice: %v", err)
	}
	left, _ := filepath.Glob(filepath.Join(dir, TempPrefix+"*"))
	if len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
