// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:53:00Z
// Spec: openspec/specs/waivers/spec.md#requirement-read-from-a-reviewed-commit
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package gate

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// TestKeyIsOfWhatCounts removes the waivers from the working tree, and then from the commit that counts.
func TestKeyIsOfWhatCounts(t *testing.T) {
	t.Parallel()
	u := &gittest.Upstream{TB: t, Dir: t.TempDir()}
	u.Git("init", "-q", "-b", "main", "--template=")
	gittest.Put(t, filepath.Join(u.Dir, "README.md"), "# x\n")
	day := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	key := func() string {
		root, err := os.OpenRoot(u.Dir)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		in := Input{Project: config.Project{Root: u.Dir}, Root: root, Environ: os.Environ(), Now: day}
		return ReadWaivers(in).Key(t.Context())
	}
	u.Commit("first")
	if k := key(); k != "" {
		t.Errorf("without waivers: %s", k)
	}
	file := filepath.Join(u.Dir, waivers.FileName)
	gittest.Put(t, file, "waiver \"finding\" {\n subject = \"a\"\n rule = \"version-pin\"\n"+
		" owner = \"o\"\n reason = \"r\"\n expires = \"2027-01-31\"\n}\n")
	seen := map[string]string{}
	is := func(name string) {
		t.Helper()
		k := key()
		if was, known := seen[k]; known || k == "" {
			t.Errorf("%s: the key is that of %q: %q", name, was, k)
		}
		seen[k] = name
	}
	is("of the tree alone")
	u.Commit("waivers")
	is("reviewed")
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	is("of the commit alone")
	day = time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC)
	is("of the commit alone, expired")
	u.Commit("no waivers")
	if k := key(); k != "" {
		t.Errorf("after the removal: %s", k)
	}
}
