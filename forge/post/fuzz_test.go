// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:21:00Z
// Spec: openspec/specs/posting/spec.md#requirement-outbox
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"bytes"
	"os"
	"testing"
	"time"
)

func FuzzOutbox(f *testing.F) {
	f.Add([]byte(`{"kind":"open","address":{"repository":"o/r"}}` + "\n" + `{"kind":"want","key":"comment","body":"x"}` +
		"\n" + `{"kind":"sent","key":"comment","version":9}` + "\n"))
	f.Add([]byte(`{"kind":"want","key":"check/x"}` + "\n" + `{"kind":"made","key":"check/x","id":-1,"annotations":-5}` +
		"\n"))
	const name = "github" + FileName
	begin := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := os.OpenRoot(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if err := in.WriteFile(name, data, 0o600); err != nil {
			t.Fatal(err)
		}
		box, _, err := open(in, name, 0)
		if kept, readErr := in.ReadFile(name); readErr != nil || !bytes.Equal(kept, data) {
			t.Fatalf("reading changed the file: %v", readErr)
		}
		if err != nil {
			return
		}
		box.bury(begin)
		for range 3 {
			if it, ok := box.next(nil, begin); ok && it.check == nil && it.issue == nil && it.key != commentKey {
				t.Errorf("%q has no check", it.key)
			}
		}
		if err := box.release(); err != nil {
			t.Error(err)
		}
	})
}
