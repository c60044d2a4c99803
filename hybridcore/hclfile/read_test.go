// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:16Z
// Spec: openspec/specs/hclfile/spec.md#requirement-bounded-reading
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadRefusesWhatIsNoFile(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	write(t, filepath.Join(outside, "secret.hcl"), "outside = \"hunter2\"\n")
	write(t, filepath.Join(dir, "sub/good.hcl"), "a = 1\n")
	write(t, filepath.Join(dir, "large.hcl"), strings.Repeat("#", 256<<10+1))
	steps := []error{
		os.Mkdir(filepath.Join(dir, "folder.hcl"), 0o700),
		syscall.Mkfifo(filepath.Join(dir, "pipe.hcl"), 0o600),
		os.Symlink(filepath.Join(outside, "secret.hcl"), filepath.Join(dir, "link.hcl")),
		os.Symlink("../../../../../../etc/passwd", filepath.Join(dir, "climb.hcl")),
		os.Symlink("/dev/zero", filepath.Join(dir, "zero.hcl")),
		os.Symlink("sub/good.hcl", filepath.Join(dir, "inner.hcl")),
		os.Symlink("loop.hcl", filepath.Join(dir, "loop.hcl")),
	}
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	tests := map[string]string{
		"folder.hcl":       "is a directory, not a regular file",
		"pipe.hcl":         "is a named pipe, not a regular file",
		"link.hcl":         "path escapes from parent",
		"climb.hcl":        "path escapes from parent",
		"zero.hcl":         "path escapes from parent",
		"loop.hcl":         "cannot be opened",
		"../x.hcl":         "path escapes from parent",
		"large.hcl":        "larger than 256 KiB",
		"sub/good.hcl/x":   "cannot be opened",
		"sub/good.hcl":     "",
		"inner.hcl":        "",
		"sub/missing.hcl":  "no such file",
		"nowhere/none.hcl": "no such file",
	}
	for path, want := range tests {
		t.Run(path, func(t *testing.T) {
			file, err := hclfile.Read(root, path, hclfile.VarFile())
			if want == "" {
				if err != nil || file.Body.Attributes["a"] == nil || len(file.SHA256) != 64 {
					t.Fatalf("file %v, error %v", file, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("error %v, want %q", err, want)
			}
			missing := strings.HasPrefix(want, "no such")
			if errors.Is(err, fs.ErrNotExist) != missing {
				t.Errorf("ErrNotExist is %v, want %v", !missing, missing)
			}
			if !missing && hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("exit code %d", hybridcore.ExitCode(err))
			}
			if got := hclfile.Findings(path, err); len(got) != 1 || got[0].File != path || !got[0].Blocking {
				t.Errorf("findings %+v", got)
			}
		})
	}
}
