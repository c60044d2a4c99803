// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:42:30Z
// Spec: openspec/specs/state/spec.md#requirement-the-former-format
// Diagram: openspec/specs/state/diagram.md#upgrade

package directory

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// FuzzFormer puts arbitrary bytes where the files of the former format are: such a
// state is shown or refused, and upgraded or refused, and one that was upgraded
// takes another record.
func FuzzFormer(f *testing.F) {
	read := func(name string) []byte {
		text, err := os.ReadFile(filepath.Join("testdata", "former", name))
		if err != nil {
			f.Fatal(err)
		}
		return text
	}
	snapshot, records := read(formerSnapshot), read(formerRecords)
	f.Add(snapshot, records)
	f.Add([]byte{}, []byte{})
	f.Add([]byte(movedText), records)
	f.Add(snapshot, append(slices.Clip(records), records[:20]...))
	f.Add(snapshot, []byte("\n\n{\"run_id\":\"\n"))
	f.Add([]byte(`{"format_version":3}`), []byte("x\n"))
	base := fastDir(f)
	f.Fuzz(func(t *testing.T, snapshot, records []byte) {
		dir := filepath.Join(base, "state")
		err := errors.Join(os.RemoveAll(dir), os.Mkdir(dir, 0o700),
			os.WriteFile(filepath.Join(dir, formerSnapshot), snapshot, 0o600),
			os.WriteFile(filepath.Join(dir, formerRecords), records, 0o600))
		if err != nil {
			t.Fatal(err)
		}
		was, err := View(dir)
		if err != nil {
			t.Fatal(err)
		}
		ids, _ := was.Records(t.Context())
		for _, id := range ids {
			_, _ = was.Record(t.Context(), id)
		}
		_, unread := was.Read(t.Context())
		s, err := Open(dir)
		if err != nil {
			if unread == nil || hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Fatalf("%v, and reading said %v", err, unread)
			}
			return
		}
		now, err := s.Records(t.Context())
		if err != nil || !moved(snapshot) && len(now) != len(ids) {
			t.Errorf("%d records, %v; before %d", len(now), err, len(ids))
		}
		rec := statetest.Record("run-of-the-fuzzer")
		if err := s.Append(t.Context(), rec, nil); err != nil && hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Fatal(err)
		}
	})
}
