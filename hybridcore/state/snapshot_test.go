// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:20:50Z
// Spec: openspec/specs/state/spec.md#requirement-strict-reading
// Diagram: openspec/specs/state/diagram.md#update

package state

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// written makes a state with n updates and returns its directory and the text
// of its snapshot.
func written(t *testing.T, n int) (dir string, text []byte) {
	t.Helper()
	dir = filepath.Join(fastDir(t), "state")
	d := open(t, dir)
	for i := range n {
		if err := d.Update(t.Context(), put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, snapshotName))
	if err != nil {
		t.Fatal(err)
	}
	return dir, text
}

func TestSnapshotRefusals(t *testing.T) {
	dir, text := written(t, 3)
	file := filepath.Join(dir, snapshotName)
	replace := func(old, new string) []byte {
		if !bytes.Contains(text, []byte(old)) {
			t.Fatalf("the snapshot has no %q", old)
		}
		return bytes.Replace(text, []byte(old), []byte(new), 1)
	}
	lines := bytes.SplitAfter(text, []byte("\n"))
	for _, tc := range []struct {
		name string
		text []byte
		says string
	}{
		{"empty", nil, "it is empty"},
		{"zero bytes", make([]byte, 4096), "nothing but zero bytes"},
		{"other text", []byte("hello\n"), "line 1"},
		{"null", []byte("null\n"), "the top level is null"},
		{"array", []byte("[null]\n"), "is null"},
		{"no state", []byte("{}\n"), "format version is 0"},
		{"flipped bit", replace(`"digest": "d1"`, `"digest": "e1"`), "changed after it was written"},
		{"flipped number", replace(`"serial": 3`, `"serial": 2`), "changed after it was written"},
		{"other lineage", replace(`"lineage": "`, `"lineage": "x`), "lineage is not made of 32"},
		{"repeated name", replace(`"serial": 3`, `"serial": 3, "serial": 3`), `"/serial" is there twice`},
		{"case variant", replace(`"serial": 3`, `"serial": 3, "SERIAL": 4`), `"/SERIAL" is not a name`},
		{"renamed by case", replace(`"serial": 3`, `"Serial": 3`), `"/Serial" is not a name`},
		{"unknown name", replace(`"serial": 3`, `"serial": 3, "extra": {}`), `"/extra" is not a name`},
		{"null entry", replace(`"targets": {`, `"targets": {"lab/x@vsphere": null,`), `"/targets/lab~1x@vsphere" is null`},
		{"trailing data", append(bytes.Clone(text), "{}\n"...), "after top-level value"},
		{"wrong type", replace(`"serial": 3`, `"serial": "3"`), `"/serial"`},
		{"fraction", replace(`"serial": 3`, `"serial": 3.5`), `"/serial"`},
		{"negative", replace(`"serial": 3`, `"serial": -3`), `"/serial"`},
		{"invalid UTF-8", replace(`"digest": "d1"`, "\"digest\": \"\xff\""), "UTF-8"},
		{"newer", replace(`"format_version": 1`, `"format_version": 2, "hitherto": "unknown"`), "written by a newer packer-hybrid"},
		{"negative version", replace(`"format_version": 1`, `"format_version": -1`), "never existed"},
		{"bad key", replace(`"lab/i0@vsphere"`, `"lab/../x"`), "not the key"},
		{"conflict", bytes.Join([][]byte{lines[0], []byte("<<<<<<< HEAD\n"), bytes.Join(lines[1:], nil)}, nil), "line 2 is a conflict marker"},
		{"conflict at the top", append([]byte("<<<<<<< HEAD\n"), text...), "line 1 is a conflict marker"},
		{"deep", bytes.Repeat([]byte("["), 200_000), "depth"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := os.WriteFile(file, tc.text, 0o600); err != nil {
				t.Fatal(err)
			}
			d := open(t, dir)
			_, err := d.Read(t.Context())
			says := []string{file, tc.says, "generation 1 can be read (serial 2, 2 targets", "cp " + file + ".1 " + file}
			if tc.name == "newer" {
				says = []string{file, tc.says, "update packer-hybrid"}
			}
			wantBlocked(t, err, says...)
			wantBlocked(t, d.Update(t.Context(), put("lab/x@vsphere")), tc.says)
			if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, tc.text) {
				t.Errorf("the refused file was changed (%v)", err)
			}
			if hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("exit code %d", hybridcore.ExitCode(err))
			}
		})
	}
}

func TestSnapshotCutAtEveryByte(t *testing.T) {
	_, text := written(t, 2)
	for n := range text {
		if s, err := decodeSnapshot(text[:n]); err == nil {
			t.Fatalf("cut after %d of %d bytes: accepted with serial %d", n, len(text), s.Serial)
		}
	}
}

func TestSnapshotEveryFlippedBit(t *testing.T) {
	_, text := written(t, 1)
	want, err := decodeSnapshot(text)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i := range text {
		for bit := range 8 {
			changed := bytes.Clone(text)
			changed[i] ^= 1 << bit
			got, err := decodeSnapshot(changed)
			if err != nil {
				refused++
				continue
			}
			if diff := cmp.Diff(want, got); diff != "" { // an equal spelling may be accepted
				t.Fatalf("bit %d of byte %d changes the state unnoticed:\n%s", bit, i, diff)
			}
		}
	}
	t.Logf("%d of %d flipped bits refused", refused, 8*len(text))
}

func TestSnapshotOddFiles(t *testing.T) {
	for name, make := range map[string]func(file string) error{
		"it is a directory":         func(file string) error { return os.Mkdir(file, 0o700) },
		"it is not a regular file":  func(file string) error { return syscall.Mkfifo(file, 0o600) },
		"at most 67108864 (64 MiB)": func(file string) error { return os.Truncate(file, maxFile+1) },
		"escapes":                   func(file string) error { return os.Symlink("../../../../../../etc/passwd", file) },
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := written(t, 2)
			file := filepath.Join(dir, snapshotName)
			if !strings.Contains(name, "MiB") {
				if err := os.Remove(file); err != nil {
					t.Fatal(err)
				}
			}
			if err := make(file); err != nil {
				t.Fatal(err)
			}
			_, err := open(t, dir).Read(t.Context())
			wantBlocked(t, err, file, name)
		})
	}
}

// The command that a refusal names brings the state back.
func TestSnapshotRestore(t *testing.T) {
	dir, text := written(t, 5)
	moved := dir + " of an 'odd' name"
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(moved, snapshotName)
	for _, name := range []string{file, file + ".1"} { // generation 1 is no help either
		if err := os.WriteFile(name, text[:len(text)/2], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := open(t, moved)
	_, err := d.Read(t.Context())
	wantBlocked(t, err, "cut short", "generation 2 can be read (serial 3, 3 targets")
	_, command, _ := strings.Cut(err.Error(), "\n    ")
	if out, err := exec.Command("sh", "-c", command).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	if s, err := d.Read(t.Context()); err != nil || s.Serial != 3 {
		t.Errorf("after %s: serial %d, %v", command, s.Serial, err)
	}
	for _, name := range []string{".1", ".2", ".3"} {
		if err := os.Remove(file + name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = d.Read(t.Context())
	wantBlocked(t, err, "no former generation can be read")
}

func TestSnapshotMissing(t *testing.T) {
	dir, _ := written(t, 2)
	if err := os.Remove(filepath.Join(dir, snapshotName)); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, dir).Read(t.Context())
	wantBlocked(t, err, "it is missing", "generation 1 can be read (serial 1")
}

func TestSnapshotGenerations(t *testing.T) {
	dir, _ := written(t, 6)
	for g, want := range []uint64{6, 5, 4, 3} {
		text, err := os.ReadFile(filepath.Join(dir, generation(g)))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := decodeSnapshot(text); err != nil || s.Serial != want {
			t.Errorf("generation %d has serial %d, %v; want %d", g, s.Serial, err, want)
		}
	}
	if _, err := os.Lstat(filepath.Join(dir, snapshotName+".4")); err == nil {
		t.Error("there is a generation 4")
	}
}

func TestSnapshotExchanged(t *testing.T) {
	dir, _ := written(t, 2)
	_, other := written(t, 4)
	d := open(t, dir)
	if _, err := d.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, snapshotName), other, 0o600); err != nil {
		t.Fatal(err)
	}
	wantBlocked(t, d.Update(t.Context(), put("lab/x@vsphere")), "exchanged for another state")
	if s, err := open(t, dir).Read(t.Context()); err != nil || s.Serial != 4 {
		t.Errorf("a new run: serial %d, %v; want the other state", s.Serial, err)
	}
}

// White space and order of names carry nothing: a formatter may run over it.
func TestSnapshotReformatted(t *testing.T) {
	dir, text := written(t, 2)
	file := filepath.Join(dir, snapshotName)
	if err := os.WriteFile(file, append(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n\t")), '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := open(t, dir).Read(t.Context()); err != nil || s.Serial != 2 {
		t.Errorf("serial %d, %v", s.Serial, err)
	}
}

func FuzzSnapshot(f *testing.F) {
	s := hybridcore.Snapshot{FormatVersion: 1, Lineage: strings.Repeat("0a", 16), Serial: 1, Targets: map[string]hybridcore.Current{}}
	if err := put("lab/debian-12@vsphere")(&s); err != nil {
		f.Fatal(err)
	}
	text, err := encodeSnapshot(s)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "{}\n", "null\n", "[[[[", `{"format_version":2}`, "<<<<<<< x\n", string(text), string(text[:len(text)/2])} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := decodeSnapshot(data)
		if err != nil {
			if err.Error() == "" {
				t.Error("a refusal without a cause")
			}
			return
		}
		again, err := encodeSnapshot(s)
		if err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		other, err := decodeSnapshot(again)
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if diff := cmp.Diff(s, other); diff != "" {
			t.Errorf("changed by writing:\n%s", diff)
		}
	})
}
