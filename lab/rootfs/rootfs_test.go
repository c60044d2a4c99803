// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:40:51Z
// Spec: openspec/specs/lab/spec.md#requirement-root-file-system
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestHostSources(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sources.list.d"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"sources.list": "# deb http://comment bookworm main\ndeb [signed-by=/k.gpg arch=amd64] " +
			"https://mirror.example/debian bookworm main\ndeb-src https://x/ bookworm main\ndeb cdrom:[x]/ bookworm main\n",
		"sources.list.d/a.sources": "Types: deb deb-src\n# comment\nURIs: http://deb.example/debian\nSuites: bookworm\n " +
			"bookworm-updates\n\n" +
			"Types: deb\nURIs: http://sec.example/debian-security\nSuites: bookworm-security\n\nEnabled: no\nTypes: " +
			"deb\nURIs: http://off.example/\nSuites: bookworm\n\n" +
			"Types: deb\nURIs: mirror+file:/etc/m\nSuites: bookworm\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want := []source{
		{"https://mirror.example/debian", []string{"bookworm"}},
		{"http://deb.example/debian", []string{"bookworm", "bookworm-updates"}},
		{"http://sec.example/debian-security", []string{"bookworm-security"}},
	}
	if diff := cmp.Diff(want, hostSources(dir), cmp.AllowUnexported(source{})); diff != "" {
		t.Error(diff)
	}
	if got := hostSources(filepath.Join(dir, "none")); len(got) != 0 {
		t.Errorf("from nothing: %v", got)
	}
}

func FuzzSources(f *testing.F) {
	f.Add("deb [a=b] http://x/ suite main\n")
	f.Add("Types: deb\nURIs: http://x\nSuites: a\n b\n\nX")
	f.Fuzz(func(t *testing.T, content string) {
		for _, s := range append(parseList(content), parseStanzas(content)...) {
			if !isMirror(s.uri) || strings.ContainsAny(s.uri, " \n\t") {
				t.Errorf("address %q", s.uri)
			}
		}
	})
}

func debianHere() (debianRecipe, error) {
	r, err := debian()
	here, _ := r.(debianRecipe)
	return here, err
}

func TestDigestFollowsTheRecipe(t *testing.T) {
	a, err := debianHere()
	if err != nil {
		t.Fatal(err)
	}
	b := a
	b.Offline = append([]string{"nginx"}, a.Offline...)
	if len(a.digest()) != 16 || a.digest() == b.digest() {
		t.Errorf("digests %s and %s", a.digest(), b.digest())
	}
	again, err := debianHere()
	if err != nil || again.digest() != a.digest() {
		t.Errorf("the digest changed from %s to %s, %v", a.digest(), again.digest(), err)
	}
	if _, err := debianArchitecture("riscv64"); err == nil {
		t.Error("an architecture without guests was accepted")
	}
}

func TestMissingRootFSNamesTheCommand(t *testing.T) {
	_, err := Find(t.TempDir())
	if !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "run: make tools") {
		t.Errorf("error %v", err)
	}
}

func TestMissingPackagesAreNamedOnce(t *testing.T) {
	tools := []hostTool{{"/no/such/file", "one"}, {"no-such-program", "two"}, {"/no/such/other", "one"}, {"sh", "three"}}
	if diff := cmp.Diff([]string{"one", "two"}, missingPackages(tools)); diff != "" {
		t.Error(diff)
	}
}

func TestLockWaitsForItsHolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	var said bytes.Buffer
	unlock, err := lock(t.Context(), path, &said)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := lock(ctx, path, &said); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a held lock gave %v", err)
	}
	if !strings.Contains(said.String(), "waiting for another process") {
		t.Errorf("said %q", said.String())
	}
	unlock()
	if unlock, err = lock(t.Context(), path, &said); err != nil {
		t.Fatal(err)
	}
	unlock()
}

func TestFailedBuildLeavesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "rootfs-x")
	r, err := debianHere()
	if err != nil {
		t.Fatal(err)
	}
	r.Mirror = "http://127.0.0.1:1/debian"
	var out bytes.Buffer
	if err := families[0].buildInto(t.Context(), r, dir, &out); err == nil ||
		!strings.Contains(err.Error(), "debootstrap") {
		t.Errorf("error %v", err)
	}
	if left, _ := filepath.Glob(dir + "*"); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

func TestTailWriterKeepsTheEnd(t *testing.T) {
	w := &tailWriter{}
	for range 100 {
		if _, err := w.Write([]byte(strings.Repeat("x", 99) + "\n")); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write([]byte("the end")); err != nil || len(w.kept) != tailSize ||
		!bytes.HasSuffix(w.kept, []byte("the end")) {
		t.Errorf("%d bytes kept", len(w.kept))
	}
}

// rootless is the recipe of a family that needs no tools.
type rootless struct{ ID, Version string }

func (r rootless) digest() string { return digestOf(r) }

func (r rootless) steps(b *builder) []step {
	return []step{{"writing its name", func(context.Context) error {
		if err := os.MkdirAll(filepath.Join(b.root, "etc"), 0o755); err != nil {
			return err
		}
		return b.write("/etc/os-release", "NAME=x\nID="+r.ID+"\nVERSION_ID=\""+r.Version+"\"\n", 0o644)
	}}}
}

// A further family is a row: it has a place of its own in the cache, and is what
// the table says.
func TestFamilyIsARow(t *testing.T) {
	cache := t.TempDir()
	row := func(says rootless) family {
		return family{hybridcore.System{ID: "rocky", Version: "9"}, func() (recipe, error) { return says, nil }}
	}
	rocky := row(rootless{"rocky", "9.4"})
	dir, err := rocky.ensure(t.Context(), cache, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if debian, err := Path(cache); err != nil || debian == dir {
		t.Errorf("both families lie in %s, %v", dir, err)
	}
	if again, err := rocky.ensure(t.Context(), cache, io.Discard); err != nil || again != dir {
		t.Errorf("a second time: %s, %v", again, err)
	}
	want := "is to be rocky 9 and says that it is "
	if _, err := row(rootless{"centos", "9"}).ensure(t.Context(), cache, io.Discard); err == nil ||
		!strings.Contains(err.Error(), want+"centos 9") {
		t.Errorf("built as another system: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "etc/os-release"), []byte("ID=rocky\nVERSION_ID=8\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := rocky.ensure(t.Context(), cache, io.Discard); err == nil ||
		!strings.Contains(err.Error(), want+"rocky 8") {
		t.Errorf("found as another system: %v", err)
	}
	if all, _ := filepath.Glob(filepath.Join(cache, "rootfs-*")); len(all) != 1 {
		t.Errorf("the cache holds %v", all)
	}
}
