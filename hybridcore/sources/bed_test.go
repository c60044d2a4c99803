// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:29:35Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

package sources

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

// TestMain lets the test binary be a sync that is killed.
func TestMain(m *testing.M) {
	if root := os.Getenv("SOURCES_TEST_SYNC"); root != "" {
		s := &Syncer{Root: root, Environ: os.Environ(), Mirror: os.Getenv("SOURCES_TEST_MIRROR")}
		if _, err := s.Sync(context.Background(), nil); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// lockFor is a lock of sources at a server.
func lockFor(s *httptest.Server, sources ...Source) string {
	host := strings.TrimPrefix(s.URL, "https://")
	text := fmt.Sprintf("hosts = [%q]\n", host)
	for _, source := range sources {
		text += fmt.Sprintf("source %q {\n  url = \"%s/%s.git\"\n  commit = %q\n", source.Name, s.URL, source.Name,
			source.Commit)
		if source.Tag != "" {
			text += fmt.Sprintf("  tag = %q\n", source.Tag)
		}
		text += "}\n"
	}
	return text
}

// bed is a project with one source, x, at its server.
type bed struct {
	root string
	up   *gittest.Upstream
	sync *Syncer
	base string
	host *httptest.Server
}

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{base: t.TempDir()}
	b.up = gittest.New(t, b.base, "x")
	b.host = gittest.Serve(t, b.base)
	b.root = project(t, lockFor(b.host, Source{Name: "x", Tag: "v1", Commit: b.up.Head()}))
	b.sync = &Syncer{
		Root: b.root, Environ: append(os.Environ(), gittest.Trust(t, b.host)),
		Limits: Limits{Time: time.Minute, Wire: 1 << 30, Disk: 1 << 30, Files: 1000},
	}
	return b
}

func (b *bed) path(names ...string) string {
	return filepath.Join(append([]string{b.root, Dir, "x"}, names...)...)
}

// pin moves the lock to a commit and tag.
func (b *bed) pin(t *testing.T, commit, tag string) {
	t.Helper()
	gittest.Put(t, filepath.Join(b.root, Dir, LockFile), lockFor(b.host, Source{Name: "x", Tag: tag, Commit: commit}))
}

func (b *bed) mustSync(t *testing.T) []Synced {
	t.Helper()
	results, err := b.sync.Sync(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// state inspects the project and returns the state of x and the findings.
func (b *bed) state(t *testing.T) (Status, string) {
	t.Helper()
	statuses, findings, err := Inspect(b.root)
	if err != nil {
		t.Fatal(err)
	}
	var text []string
	for _, f := range findings {
		text = append(text, fmt.Sprintf("%s blocking=%v", f, f.Blocking))
	}
	return statuses[0], strings.Join(text, "\n")
}

// noLeftovers fails when the folder of the sources holds anything but these.
func noLeftovers(t *testing.T, root string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(root, Dir))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if e.Name() != LockFile {
			got = append(got, e.Name())
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("%s holds %v, want %v", Dir, got, want)
	}
}
