// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:20:50Z
// Spec: openspec/specs/state/spec.md#requirement-strict-reading
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// written makes a state with n updates and returns its backend and the text of
// its newest snapshot.
func written(t *testing.T, n int) (m *Memory, text []byte) {
	t.Helper()
	m = NewMemory()
	s := open(m)
	for i := range n {
		if err := s.Update(t.Context(), put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
			t.Fatal(err)
		}
	}
	return m, m.objects[snapshotAt(n)]
}

func snapshotAt(n int) string { return Generation(SnapshotFolder, uint64(n)) }

func TestSnapshotRefusals(t *testing.T) {
	m, text := written(t, 3)
	file := snapshotAt(3)
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
		{
			"newer", replace(`"format_version": 1`, `"format_version": 2, "hitherto": "unknown"`),
			"written by a newer packer-hybrid",
		},
		{"negative version", replace(`"format_version": 1`, `"format_version": -1`), "never existed"},
		{"bad key", replace(`"lab/i0@vsphere"`, `"lab/../x"`), "not the key"},
		{
			"conflict", bytes.Join([][]byte{lines[0], []byte("<<<<<<< HEAD\n"), bytes.Join(lines[1:], nil)}, nil),
			"line 2 is a conflict marker",
		},
		{"conflict at the top", append([]byte("<<<<<<< HEAD\n"), text...), "line 1 is a conflict marker"},
		{"deep", bytes.Repeat([]byte("["), 200_000), "depth"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m.objects[file] = tc.text
			d := open(m)
			_, err := d.Read(t.Context())
			says := []string{
				file, tc.says, "generation 2 can be read (serial 2, 2 targets",
				"copy " + snapshotAt(2) + " to " + snapshotAt(4),
			}
			if tc.name == "newer" {
				says = []string{file, tc.says, "update packer-hybrid"}
			}
			wantBlocked(t, err, says...)
			wantBlocked(t, d.Update(t.Context(), put("lab/x@vsphere")), tc.says)
			if !bytes.Equal(m.objects[file], tc.text) || len(m.objects) != 3 {
				t.Errorf("the refused file was changed, or another one made: %d", len(m.objects))
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
			// an equal spelling may be accepted
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(snapshotFile{})); diff != "" {
				t.Fatalf("bit %d of byte %d changes the state unnoticed:\n%s", bit, i, diff)
			}
		}
	}
	t.Logf("%d of %d flipped bits refused", refused, 8*len(text))
}

// The copy that a refusal names brings the state back, however many cannot be read.
func TestSnapshotRestore(t *testing.T) {
	m, text := written(t, 5)
	for _, n := range []int{4, 5} {
		m.objects[snapshotAt(n)] = text[:len(text)/2]
	}
	d := open(m)
	_, err := d.Read(t.Context())
	wantBlocked(t, err, "cut short", "generation 3 can be read (serial 3, 3 targets",
		"copy "+snapshotAt(3)+" to "+snapshotAt(6))
	m.objects[snapshotAt(6)] = m.objects[snapshotAt(3)]
	if s, err := d.Read(t.Context()); err != nil || s.Serial != 3 {
		t.Errorf("serial %d, %v", s.Serial, err)
	}
	if err := d.Update(t.Context(), put("lab/x@vsphere")); err != nil {
		t.Error(err)
	}
	clear(m.objects)
	m.objects[snapshotAt(7)] = nil
	_, err = d.Read(t.Context())
	wantBlocked(t, err, "no former generation can be read", "move snapshot/ away")
}

func TestSnapshotExchanged(t *testing.T) {
	m, _ := written(t, 2)
	_, other := written(t, 4)
	d := open(m)
	if _, err := d.Read(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.objects[snapshotAt(2)] = other
	wantBlocked(t, d.Update(t.Context(), put("lab/x@vsphere")), "exchanged for another state")
	if s, err := open(m).Read(t.Context()); err != nil || s.Serial != 4 {
		t.Errorf("a new run: serial %d, %v; want the other state", s.Serial, err)
	}
}

// White space and order of names carry nothing: a formatter may run over it.
func TestSnapshotReformatted(t *testing.T) {
	m, text := written(t, 2)
	m.objects[snapshotAt(2)] = append(bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n\t")), '\n')
	if s, err := open(m).Read(t.Context()); err != nil || s.Serial != 2 {
		t.Errorf("serial %d, %v", s.Serial, err)
	}
}

// What is no generation is in nobody's way, and numbers may have more digits.
func TestGenerationNames(t *testing.T) {
	m, text := written(t, 1)
	delete(m.objects, snapshotAt(1))
	for n := 99_999_996; n < 100_000_000; n++ {
		m.objects[snapshotAt(n)] = text
	}
	for _, name := range []string{
		"snapshot/00000099.bak", "snapshot/999999999999999999999", "snapshot/7",
		"snapshot/x/00000008",
	} {
		m.objects[name] = []byte("x")
	}
	d := open(m)
	for i := range 6 {
		if err := d.Update(t.Context(), put(fmt.Sprintf("lab/i%d@vsphere", i))); err != nil {
			t.Fatal(err)
		}
	}
	if s, err := d.Read(t.Context()); err != nil || s.Serial != 7 {
		t.Errorf("serial %d, %v", s.Serial, err)
	}
	if len(m.objects) != 8 || m.objects["snapshot/100000005"] == nil || m.objects["snapshot/99999999"] != nil {
		t.Errorf("%d objects", len(m.objects))
	}
}

func FuzzSnapshot(f *testing.F) {
	s := hybridcore.Snapshot{
		FormatVersion: 1, Lineage: strings.Repeat("0a", 16), Serial: 1,
		Targets: map[string]hybridcore.Current{},
	}
	if err := put("lab/debian-12@vsphere")(&s); err != nil {
		f.Fatal(err)
	}
	text, err := encodeSnapshot(snapshotFile{snapshotBody: snapshotBody{Snapshot: s, Writers: []writer{{"0a", 2}}}})
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		"", "{}\n", "null\n", "[[[[", `{"format_version":2}`, "<<<<<<< x\n", string(text),
		string(text[:len(text)/2]),
	} {
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
		if diff := cmp.Diff(s, other, cmp.AllowUnexported(snapshotFile{})); diff != "" {
			t.Errorf("changed by writing:\n%s", diff)
		}
	})
}
