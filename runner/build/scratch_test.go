// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:52:00Z
// Spec: openspec/specs/leases/spec.md#requirement-cds-without-a-machine
// Diagram: openspec/specs/leases/diagram.md#reap

package build

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// scratchWith makes a scratch directory with files in its TMPDIR.
func scratchWith(t *testing.T, names ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "ph-abcdefgh27")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.Mkdir(filepath.Join(dir, "tmp"), 0o700)); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, "tmp", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func TestScratchDirectoryOfSomebodyElse(t *testing.T) {
	s, _ := stage(t)
	// That each path is there is checked below.
	for name, change := range map[string]func(dir string) string{
		"open to others": func(dir string) string { _ = os.Chmod(dir, 0o755); return dir },
		"another name":   func(dir string) string { to := filepath.Dir(dir) + "/scratch"; _ = os.Rename(dir, to); return to },
		"symbolic link": func(dir string) string {
			to := filepath.Dir(dir) + "/ph-zzzzzzzzzz"
			_ = os.Symlink(dir, to)
			return to
		},
		"link in tmp": func(dir string) string {
			_ = os.RemoveAll(dir + "/tmp")
			_ = os.Symlink("/", dir+"/tmp")
			return dir + "/tmp"
		},
		"not clean": func(dir string) string { return filepath.Dir(dir) + "/./" + filepath.Base(dir) },
		"relative":  func(string) string { return "ph-abcdefgh27" },
		"file": func(dir string) string {
			to := filepath.Dir(dir) + "/ph-yyyyyyyyyy"
			_ = os.WriteFile(to, nil, 0o600)
			return to
		},
	} {
		path := change(scratchWith(t, "packer12.iso"))
		lease := hybridcore.Lease{RunID: "r", Scratch: path}
		if filepath.IsAbs(path) && !there(path) {
			t.Fatalf("%s: it was not made", name)
		}
		media, err := leftMedia(path)
		if err == nil || len(media) != 0 {
			t.Errorf("%s: read %v, %v", name, media, err)
		}
		if err := s.clear(t.Context(), nil, &lease); err != nil || filepath.IsAbs(path) && !there(path) ||
			len(lease.Media) != 0 {
			t.Errorf("%s: %v, %+v, is there: %v", name, err, lease, there(path))
		}
	}
	var many []string
	for n := range maxMedia + 1 {
		many = append(many, fmt.Sprintf("packer%d.iso", n))
	}
	if media, err := leftMedia(scratchWith(t, many...)); err == nil || len(media) != 0 {
		t.Errorf("read %d CDs, %v", len(media), err)
	}
	for _, path := range []string{"", project.NewScratch()} {
		if media, err := leftMedia(path); err != nil || len(media) != 0 {
			t.Errorf("%q: %v, %v", path, media, err)
		}
	}
}
