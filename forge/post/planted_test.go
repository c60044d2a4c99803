// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:02:35Z
// Spec: openspec/specs/posting/spec.md#requirement-outbox
// Diagram: openspec/specs/posting/diagram.md#what-flush-sends

package post_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// waiting is an outbox with a comment that was not sent.
var waiting = `{"kind":"open","address":{"repository":"o/r","commit":"` + commit + `","change":7,"run":"x","number":1,"attempt":1,"slot":"report"}}` + "\n" +
	`{"kind":"want","key":"comment","body":"planted"}` + "\n" + `{"kind":"want","key":"comm`

// What is no outbox that New has made is neither sent, read, cut nor made, and
// nothing waits for it.
func TestFlushLeavesOthersFilesAlone(t *testing.T) {
	t.Parallel()
	write := func(path string, mode os.FileMode) error {
		return errors.Join(os.WriteFile(path, []byte(waiting), 0o600), os.Chmod(path, mode))
	}
	for name, plant := range map[string]func(run, file, outside string) error{
		"link to a file":   func(_, file, outside string) error { return os.Symlink(outside, file) },
		"dangling link":    func(_, file, outside string) error { return os.Symlink(outside+".new", file) },
		"hard link":        func(_, file, outside string) error { return os.Link(outside, file) },
		"pipe":             func(_, file, _ string) error { return syscall.Mkfifo(file, 0o600) },
		"folder":           func(_, file, _ string) error { return os.Mkdir(file, 0o700) },
		"readable by all":  func(_, file, _ string) error { return write(file, 0o644) },
		"run of the world": func(run, file, _ string) error { return errors.Join(write(file, 0o600), os.Chmod(run, 0o777)) },
		"somebody else's":  func(_, file, _ string) error { return errors.Join(write(file, 0o600), os.Chown(file, 1, 1)) },
		"run of another":   func(run, file, _ string) error { return errors.Join(write(file, 0o600), os.Chown(run, 1, 1)) },
		"run that is a link": func(run, file, outside string) error {
			elsewhere := filepath.Dir(outside)
			return errors.Join(write(filepath.Join(elsewhere, filepath.Base(file)), 0o600), os.Remove(run),
				os.Symlink(elsewhere, run))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir, outside := serve(t, nil, ""), t.TempDir(), filepath.Join(t.TempDir(), "outside")
			run := filepath.Join(dir, mkdir(t, dir, runID))
			planted := filepath.Join(run, "github"+post.FileName)
			if err := errors.Join(write(outside, 0o600), plant(run, planted, outside)); err != nil {
				t.Fatal(err)
			}
			out, err := post.Flush(t.Context(), dir, hubAccess(s), time.Minute)
			if said := strings.Join(out, "\n"); err != nil || len(out) > 1 || strings.Contains(said, "planted") ||
				len(out) == 0 && name != "run that is a link" {
				t.Errorf("it says %v %q", err, out)
			}
			if len(s.Calls()) > 0 {
				t.Errorf("requests were made: %v", s.Calls())
			}
			if kept, err := os.ReadFile(outside); err != nil || string(kept) != waiting {
				t.Errorf("the file outside is %q, %v", kept, err)
			}
			if _, err := os.Lstat(outside + ".new"); !os.IsNotExist(err) {
				t.Errorf("a file was made outside: %v", err)
			}
		})
	}
}

// The folder itself has to be this user's own.
func TestFlushWantsAFolderOfItsOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(dir string) (string, error)
		says   string
	}{
		"link":    {func(dir string) (string, error) { return dir + ".link", os.Symlink(dir, dir+".link") }, "a link"},
		"world":   {func(dir string) (string, error) { return dir, os.Chmod(dir, 0o777) }, "others can write to it"},
		"another": {func(dir string) (string, error) { return dir, os.Chown(dir, 1, 1) }, "belongs to user 1"},
		"file": {
			func(dir string) (string, error) { return dir + ".file", os.WriteFile(dir+".file", nil, 0o600) },
			"is no folder",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, dir := serve(t, nil, ""), filepath.Join(t.TempDir(), "jobs")
			if err := os.MkdirAll(filepath.Join(dir, runID), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, runID, "github"+post.FileName), []byte(waiting), 0o600); err != nil {
				t.Fatal(err)
			}
			dir, err := c.change(dir)
			if err != nil {
				t.Fatal(err)
			}
			access := hubAccess(s)
			_, err = post.Flush(t.Context(), dir, access, time.Minute)
			if err == nil || !strings.Contains(err.Error(), c.says) ||
				len(s.Calls()) > 0 {
				t.Errorf("%v, want %q; requests %v", err, c.says, s.Calls())
			}
			if p, err := post.New(filepath.Join(dir, "another"), address(1), access); err == nil {
				p.Close(t.Context(), 0)
				t.Error("a run made its outbox there")
			}
		})
	}
}

// A job sends the reports of its own repository only.
func TestFlushOfOneRepository(t *testing.T) {
	t.Parallel()
	s, dir := serve(t, nil, ""), t.TempDir()
	file := filepath.Join(dir, mkdir(t, dir, runID), "github"+post.FileName)
	if err := os.WriteFile(file, []byte(waiting), 0o600); err != nil {
		t.Fatal(err)
	}
	access := post.Access{System: of("github"), API: s.URL(), Token: token, Repository: "o/other"}
	if out, err := post.Flush(t.Context(), dir, access, time.Minute); err != nil || len(out) > 0 || len(s.Calls()) > 0 {
		t.Errorf("%v %q, requests %v", err, out, s.Calls())
	}
	access.Repository = "o/r"
	if out, err := post.Flush(t.Context(), dir, access, time.Minute,
		post.WithClock((&fakeClock{now: begin}).clock(), time.Second)); err != nil || len(out) > 0 || len(s.Comments()) != 1 {
		t.Errorf("%v %q, comments %v", err, out, s.Comments())
	}
}
