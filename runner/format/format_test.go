// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:50:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-formatting
// Diagram: openspec/specs/static-validation/diagram.md#formatting

package format_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/runner/format"
)

// A change is found however the file's size and time look.
func TestFormatterRemembers(t *testing.T) {
	t.Parallel()
	const canonical, spoilt = "locals {\n  a = 1\n}\n", "locals {\n  a= 1 \n}\n"
	for name, test := range map[string]struct {
		age, later time.Duration // of the first and from it to the second write
		text       string
		found      int
	}{
		"another size":                {age: time.Hour, text: "locals{}\n", found: 1},
		"another time":                {age: time.Hour, later: time.Nanosecond, text: spoilt, found: 1},
		"the same in the same moment": {text: spoilt, found: 1},
		"the same":                    {age: time.Hour, text: canonical},
		"not read again":              {age: time.Hour, text: spoilt}, // that is the bargain, and how a test sees it
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			file := filepath.Join(dir, "a.pkr.hcl")
			f := format.Formatter{Cache: filepath.Join(dir, "cache", "canonical")}
			at := time.Now().Add(-test.age)
			for _, step := range []struct {
				text  string
				at    time.Time
				found int
			}{{canonical, at, 0}, {test.text, at.Add(test.later), test.found}, {test.text, at.Add(test.later), test.found}} {
				err := os.WriteFile(file, []byte(step.text), 0o600)
				if err := errors.Join(err, os.Chtimes(file, step.at, step.at)); err != nil {
					t.Fatal(err)
				}
				changed, err := f.Run(t.Context(), []string{dir})
				if err != nil || len(changed) != step.found {
					t.Errorf("%q: %d files would change, want %d: %v", step.text, len(changed), step.found, err)
				}
			}
		})
	}
}
