// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:51:01Z
// Spec: openspec/specs/full-validation/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package prepare

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzReadJob(f *testing.F) {
	for _, seed := range []string{
		`{"protocol":1,"packer":{"path":"/p","version":"1.15.0"},"stages":[{"name":"0","root":"/s","dir":"/s/t","temp":"/s/tmp","env":["A=b"]}]}`,
		`{"protocol":2}`, `{"protocol":1,"stages":[{"root":"/s","dir":"/s/../etc","temp":"/t"}]}`,
		`{"protocol":1,"stages":[{"root":"s","dir":"s","temp":"t"}]}`, `{"protocol":1,"stages":[null]}`, "", "[]",
		`{"protocol":1}{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		job, err := ReadJob(bytes.NewReader(data))
		if err != nil {
			if message := err.Error(); len(message) > 1000 || strings.ContainsAny(message, "\n\x1b") {
				t.Errorf("%q", message)
			}
			return
		}
		for _, stage := range job.Stages {
			rel, err := filepath.Rel(stage.Root, stage.Dir)
			if err != nil || !filepath.IsLocal(rel) || !filepath.IsAbs(stage.Root) || !filepath.IsAbs(stage.Temp) {
				t.Errorf("accepted %q below %q, temporary files in %q", stage.Dir, stage.Root, stage.Temp)
			}
		}
	})
}
