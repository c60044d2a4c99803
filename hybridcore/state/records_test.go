// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:23:40Z
// Spec: openspec/specs/state/spec.md#requirement-immutable-records
// Diagram: openspec/specs/state/diagram.md#append

package state

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// recorded makes a state with the records run-0 to run-(n-1).
func recorded(t *testing.T, n int) (dir string, text []byte) {
	t.Helper()
	dir = filepath.Join(fastDir(t), "state")
	d := open(t, dir)
	for i := range n {
		if err := d.Append(t.Context(), record(fmt.Sprintf("run-%d", i)), nil); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, logName))
	if err != nil {
		t.Fatal(err)
	}
	return dir, text
}

func TestRecordRefusals(t *testing.T) {
	dir, text := recorded(t, 3)
	file := filepath.Join(dir, logName)
	lines := bytes.SplitAfter(text, []byte("\n"))
	line := string(lines[1])
	for _, tc := range []struct{ name, line, says string }{
		{"flipped", strings.Replace(line, `"plan_digest":"p1"`, `"plan_digest":"p2"`, 1), "changed after it was written"},
		{"status", strings.Replace(line, `"status":"failed"`, `"status":"built"`, 1), "changed after it was written"},
		{"white space", strings.Replace(line, `"plan_digest":"p1"`, `"plan_digest": "p1"`, 1), "changed after it was written"},
		{"repeated", strings.Replace(line, `"plan_digest":"p1"`, `"plan_digest":"p1","plan_digest":"p1"`, 1), "is there twice"},
		{"null", strings.Replace(line, `"results":[`, `"results":[null,`, 1), "is null"},
		{"cut", line[:len(line)/2] + "\n", "cut short"},
		{"unknown name", strings.Replace(line, `"sha256":`, `"extra":1,"sha256":`, 1), "is not a name"},
		{"newer", strings.Replace(line, `"format_version":1`, `"format_version":2`, 1), "written by a newer packer-hybrid"},
		{"of another run", strings.Replace(string(lines[2]), `{"run_id":"run-2"`, `{"run_id":"run-1"`, 1), "it is the record of run"},
		{"trailing", strings.TrimSuffix(line, "\n") + "{}\n", "after top-level value"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.line == line {
				t.Fatal("the case changes nothing")
			}
			if err := os.WriteFile(file, bytes.Join([][]byte{lines[0], []byte(tc.line), lines[2]}, nil), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, indexName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			d := open(t, dir)
			_, err := d.Record(t.Context(), "run-1")
			wantBlocked(t, err, file+":2", tc.says)
			for _, id := range []string{"run-0", "run-2"} {
				if _, err := d.Record(t.Context(), id); err != nil {
					t.Errorf("%s: %v", id, err)
				}
			}
			if err := d.Append(t.Context(), record("run-1"), nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("a damaged record was given a second one: %v", err)
			}
		})
	}
}

func TestRecordsWithADamagedLine(t *testing.T) {
	dir, text := recorded(t, 3)
	file := filepath.Join(dir, logName)
	text[bytes.IndexByte(text, '\n')+3] ^= 1
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time with an index of the damaged log
		d := open(t, dir)
		ids, err := d.Records(t.Context())
		wantBlocked(t, err, file+":2", "not the line of a record")
		if len(ids) < 2 || ids[0] != "run-0" {
			t.Errorf("records %v", ids)
		}
		if err := d.Append(t.Context(), record(fmt.Sprintf("run-%d", len(ids)+5)), nil); err != nil {
			t.Errorf("appending to a log with a damaged line: %v", err)
		}
	}
}

// A writer that was killed in the middle of a line has not recorded anything.
func TestRecordCutAtEveryByte(t *testing.T) {
	dir, text := recorded(t, 2)
	file := filepath.Join(dir, logName)
	first := bytes.IndexByte(text, '\n') + 1
	for n := first; n < len(text); n += 7 {
		if err := os.WriteFile(file, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		d := open(t, dir)
		if ids, err := d.Records(t.Context()); err != nil || len(ids) != 1 {
			t.Fatalf("cut after %d bytes: %v, %v", n, ids, err)
		}
		if err := d.Append(t.Context(), record("run-1"), nil); err != nil {
			t.Fatalf("cut after %d bytes: %v", n, err)
		}
		if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, text) {
			t.Fatalf("cut after %d bytes: the log is not as before (%v)", n, err)
		}
	}
	for n := range text[first : len(text)-1] {
		if _, err := decodeRecord(text[first : first+n]); err == nil {
			t.Fatalf("line cut after %d bytes: accepted", n)
		}
	}
}

// Whatever happens to the derived index, records are found.
func TestIndexIsDerived(t *testing.T) {
	const n = 700 // more than a table of the first size holds
	dir, _ := recorded(t, n)
	index := filepath.Join(dir, indexName)
	good, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(at int) func() error {
		return func() error {
			bad := bytes.Clone(good)
			bad[at] ^= 0x40
			return os.WriteFile(index, bad, 0o600)
		}
	}
	for name, spoil := range map[string]func() error{
		"untouched":    func() error { return nil },
		"missing":      func() error { return os.Remove(index) },
		"empty":        func() error { return os.WriteFile(index, nil, 0o600) },
		"cut":          func() error { return os.WriteFile(index, good[:len(good)/2], 0o600) },
		"zeros":        func() error { return os.WriteFile(index, make([]byte, len(good)), 0o600) },
		"boot":         flip(30),
		"inode":        flip(80),
		"slots":        flip(88),
		"count":        flip(96),
		"covered":      flip(104),
		"checksum":     flip(120),
		"a directory":  func() error { return errors.Join(os.Remove(index), os.Mkdir(index, 0o700)) },
		"another file": func() error { return rewrite(filepath.Join(dir, logName)) },
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.RemoveAll(index); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(index, good, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := spoil(); err != nil {
				t.Fatal(err)
			}
			d := open(t, dir)
			ids, err := d.Records(t.Context())
			if err != nil || len(ids) < n {
				t.Fatalf("%d records, %v", len(ids), err)
			}
			for _, i := range []int{0, 1, n / 2, n - 1} {
				if _, err := d.Record(t.Context(), fmt.Sprintf("run-%d", i)); err != nil {
					t.Error(err)
				}
				if err := d.Append(t.Context(), record(fmt.Sprintf("run-%d", i)), nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
					t.Errorf("second record of run-%d: %v", i, err)
				}
			}
			id := "run-" + strings.ReplaceAll(name, " ", "-")
			if err := d.Append(t.Context(), record(id), nil); err != nil {
				t.Fatal(err)
			}
			if _, err := open(t, dir).Record(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
	}
}

// rewrite gives a file the same content under another inode.
func rewrite(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return errors.Join(os.WriteFile(file+".new", text, 0o600), os.Rename(file+".new", file))
}

// An index made for one state that is copied with it does not deceive.
func TestIndexCopied(t *testing.T) {
	dir, _ := recorded(t, 5)
	copied := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	d := open(t, copied)
	if err := d.Append(t.Context(), record("run-5"), nil); err != nil {
		t.Fatal(err)
	}
	ids, err := d.Records(t.Context())
	if diff := cmp.Diff([]string{"run-0", "run-1", "run-2", "run-3", "run-4", "run-5"}, ids); diff != "" || err != nil {
		t.Errorf("%v: %s", err, diff)
	}
}

func TestAttachmentEscapes(t *testing.T) {
	dir, _ := recorded(t, 1)
	run := filepath.Join(dir, recordsDir, "run-0")
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"absolute": "/etc/passwd", "relative": "../../../../../../../etc/passwd", "device": "/dev/zero"} {
		if err := os.Symlink(target, filepath.Join(run, name)); err != nil {
			t.Fatal(err)
		}
		_, err := open(t, dir).Attachment(t.Context(), "records/run-0/"+name)
		wantBlocked(t, err, "escapes")
	}
	if _, err := open(t, dir).Attachment(t.Context(), "records/run-0/."); err == nil {
		t.Error("a directory was read")
	}
}

// A record never encodes null, which the reader refuses.
func TestEmptyValuesAreReadable(t *testing.T) {
	d := openNew(t)
	if err := d.Append(t.Context(), hybridcore.Record{RunID: "run-1", Results: []hybridcore.Result{{}}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Record(t.Context(), "run-1"); err != nil {
		t.Error(err)
	}
	full := hybridcore.Record{RunID: "run-2", Results: []hybridcore.Result{{
		Artifact: &hybridcore.Artifact{}, Inventory: &hybridcore.Inventory{}, Failure: &hybridcore.Failure{},
		Findings: []hybridcore.Finding{{}}, Steps: []hybridcore.Step{{}}, Notes: []string{""},
	}}}
	if err := d.Append(t.Context(), full, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Record(t.Context(), "run-2"); err != nil {
		t.Error(err)
	}
}

func FuzzRecord(f *testing.F) {
	rec := record("run-1")
	rec.FormatVersion = 1
	line, err := encodeRecord(rec)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{"", "{}", "null", `{"run_id":"run-1","record":{"format_version":3}}`, string(line[:len(line)-1]), string(line[:len(line)/2])} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rec, err := decodeRecord(data)
		if err != nil {
			if err.Error() == "" {
				t.Error("a refusal without a cause")
			}
			return
		}
		line, err := encodeRecord(rec)
		if err != nil {
			t.Fatalf("accepted, but cannot be written: %v", err)
		}
		again, err := decodeRecord(line[:len(line)-1])
		if err != nil {
			t.Fatalf("what was written is refused: %v", err)
		}
		if diff := cmp.Diff(rec, again); diff != "" {
			t.Errorf("changed by writing:\n%s", diff)
		}
	})
}

// FuzzLog puts arbitrary bytes where log and index are: a state of such files
// answers, and takes another record.
func FuzzLog(f *testing.F) {
	rec := record("run-1")
	rec.FormatVersion = 1
	line, err := encodeRecord(rec)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{}, []byte{})
	f.Add(line, []byte(indexMagic))
	f.Add(append(bytes.Clone(line), line[:20]...), make([]byte, indexHeader))
	f.Add([]byte("\n\n{\"run_id\":\"\n"), []byte{})
	dir := fastDir(f)
	d, err := Open(dir)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, log, index []byte) {
		if err := os.WriteFile(filepath.Join(dir, logName), log, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, indexName), index, 0o600); err != nil {
			t.Fatal(err)
		}
		ctx := context.Background()
		ids, _ := d.Records(ctx)
		for _, id := range ids {
			_, _ = d.Record(ctx, id)
		}
		rec.RunID = "run-of-the-fuzzer"
		err := d.Append(ctx, rec, nil)
		if err != nil && hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Fatal(err)
		}
		if _, err := d.Record(ctx, rec.RunID); err != nil && !bytes.Contains(log, []byte(rec.RunID)) {
			t.Fatal(err)
		}
	})
}
