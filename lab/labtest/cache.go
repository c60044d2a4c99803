// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:17:50Z
// Spec: openspec/specs/lab/spec.md#requirement-identity
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

// Package labtest keeps the labs of tests apart from those of who runs them, and starts the forges of tests.
package labtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// written are the folders that labs and commands write.
var written = []string{"labs", "memory", "verdicts"}

// Cache makes a cache with the tools and root file systems of another one, and nothing that labs and commands write
// there: no identity of a lab, none that is up, no directories of labs, no answers that are kept. It goes with the
// test.
func Cache(tb testing.TB, tools string) string {
	tb.Helper()
	entries, err := os.ReadDir(tools)
	if err != nil {
		tb.Fatal(err)
	}
	own := folder(tb)
	for _, entry := range entries {
		name := entry.Name()
		of := func(prefix string) bool { return strings.HasPrefix(name, prefix) }
		if slices.Contains(written, name) || of("lab.json") || of("lab-id") || of(".lab-") {
			continue
		}
		if err := os.Symlink(filepath.Join(tools, name), filepath.Join(own, name)); err != nil {
			tb.Fatal(err)
		}
	}
	return own
}

// folder is a directory of the test's own in which guests can run: not on an overlay, which a lab would leave for
// the directory in memory that all labs of the machine share.
func folder(tb testing.TB) string {
	tb.Helper()
	dir := tb.TempDir()
	var fs unix.Statfs_t
	if err := unix.Statfs(dir, &fs); err != nil || fs.Type != unix.OVERLAYFS_SUPER_MAGIC {
		return dir
	}
	dir, err := os.MkdirTemp("/dev/shm", "packer-hybrid-test-") //nolint:usetesting // that one is on an overlay
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			tb.Error(err)
		}
	})
	return dir
}
