// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:16:00Z
// Spec: openspec/specs/leaks/spec.md#requirement-shapes-of-credentials
// Diagram: openspec/specs/leaks/diagram.md#one-file

package leaks

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/leaks/leakstest"
)

func TestPlacements(t *testing.T) {
	t.Parallel()
	if len(leakstest.Placements) < 60 {
		t.Errorf("%d placements", len(leakstest.Placements))
	}
	for i, p := range leakstest.Placements {
		found := Text(p.File, []byte(p.Content))
		switch {
		case p.Line == 0 && len(found) > 0:
			t.Errorf("%d %s: %q: found %v", i, p.File, p.Content, found[0].Finding)
		case p.Line > 0 && len(found) != 1:
			t.Errorf("%d %s: %q: %d findings", i, p.File, p.Content, len(found))
		case p.Line > 0 && (found[0].Finding.Line != p.Line || !strings.Contains(found[0].Finding.Message, p.Message)):
			t.Errorf("%d %s: %q: found %v", i, p.File, p.Content, found[0].Finding)
		}
	}
}

func TestFindingsShowNoSecret(t *testing.T) {
	t.Parallel()
	for _, p := range leakstest.Placements {
		for _, leak := range Text(p.File, []byte(p.Content)) {
			said := fmt.Sprintf("%+v", leak.Finding)
			if len(leak.Value) > 4 && strings.Contains(said, leak.Value) {
				t.Errorf("%s: %s", p.File, said)
			}
			if leak.Fixed != strings.Contains(said, "private key") {
				t.Errorf("%s: fixed %v: %s", p.File, leak.Fixed, said)
			}
		}
	}
}

func TestScan(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put := func(name, content string) {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("b/secrets.pkrvars.hcl", "build_password = \"hunter2\"\n")
	put("a.env", "\nTOKEN=hunter2\n")
	put("binary", "\x00TOKEN=hunter2\n")
	put("large.env", strings.Repeat("x", maxFile)+"\nTOKEN=hunter2\n")
	put("large-binary", "\x7fELF\x00"+strings.Repeat("x", maxFile))
	put("state/x.env", "TOKEN=hunter2\n")
	put(".git/x.env", "TOKEN=hunter2\n")
	if err := os.Symlink("a.env", filepath.Join(dir, "link.env")); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	names, err := Walk(t.Context(), root, []string{"state"})
	if err != nil || len(names) != 5 {
		t.Fatal(names, err)
	}
	r := Scan(t.Context(), root, append(names, "link.env", "gone.env"))
	if len(r.Leaks) != 2 || r.Binary != 2 || r.Files != 2 ||
		r.Leaks[0].Finding.File != "a.env" || r.Leaks[0].Finding.Line != 2 {
		t.Errorf("%+v", r)
	}
	if len(r.Notes) != 2 || r.Notes[0].Severity != hybridcore.Info || r.Notes[1].Severity != hybridcore.Warning {
		t.Errorf("%+v", r.Notes)
	}
}

// TestTooMany lists those that block first, and blocks for those that are not listed when one of them would.
func TestTooMany(t *testing.T) {
	t.Parallel()
	warns := Leak{Finding: hybridcore.Finding{File: "a", Severity: hybridcore.Warning}}
	blocks := Leak{Finding: hybridcore.Finding{File: "z", Severity: hybridcore.Error, Blocking: true}}
	for what, of := range map[string]struct {
		warn, block, dropped, droppedBlock int
		listed                             int // of those that block
		blocking                           bool
	}{
		"warnings only":        {warn: maxLeaks + 1},
		"dropped warnings":     {warn: maxLeaks, dropped: 5},
		"one blocks, and last": {warn: maxLeaks, block: 1, listed: 1},
		"too many that block":  {warn: 5, block: maxLeaks + 1, listed: maxLeaks, blocking: true},
		"a dropped one blocks": {warn: maxLeaks, dropped: 5, droppedBlock: 1, blocking: true},
	} {
		found := append(slices.Repeat([]Leak{warns}, of.warn), slices.Repeat([]Leak{blocks}, of.block)...)
		r := (&scan{dropped: of.dropped, blocks: of.droppedBlock}).report(found)
		if len(r.Leaks) != maxLeaks || blocking(r.Leaks) != of.listed || len(r.Notes) != 1 ||
			r.Notes[0].Blocking != of.blocking || (r.Notes[0].Severity == hybridcore.Error) != of.blocking {
			t.Errorf("%s: %d listed, of which %d block, and %+v", what, len(r.Leaks), blocking(r.Leaks), r.Notes)
		}
	}
}

// processorTime is what this thread has had of the processor: a busy machine does not lengthen it.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_THREAD, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// TestTimeOfHostileFiles holds the search to time that grows with a file as its size does.
func TestTimeOfHostileFiles(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	t.Parallel()
	for _, piece := range []string{
		"password: ", "password=\"", "a: 'x ", "://x:y@", "-----BEGIN PRIV" + "ATE KEY-----\n\n", "token{", "ghp_",
		"key=[\"",
		"curl -u a:b ", "<password>", "name: password\nvalue:", "$6$", "eyJ", "password=hunter2 ",
		"variable \"password\" ",
	} {
		content := []byte(strings.Repeat(piece, 128<<10/len(piece)))
		for _, name := range []string{"x.yml", "x.json", "x.sh", "x.hcl", "x.xml", "x.go"} {
			start := processorTime(t)
			Text(name, content)
			if took := processorTime(t) - start; took > 5*time.Second {
				t.Errorf("%s of %q: %v", name, piece, took)
			}
		}
	}
}

func FuzzText(f *testing.F) {
	for _, p := range leakstest.Placements {
		f.Add(p.File, []byte(p.Content))
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		last := 0
		for _, leak := range Text(name, content) {
			line := leak.Finding.Line
			if line <= last || line > strings.Count(string(content), "\n")+1 || leak.Finding.Column < 1 {
				t.Fatalf("%+v", leak.Finding)
			}
			last = line
			if !strings.Contains(string(content), leak.Value) {
				t.Fatal("a secret that the file does not hold")
			}
		}
	})
}
