// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:45:35Z
// Spec: openspec/specs/container/spec.md#requirement-licences
// Diagram: openspec/specs/container/diagram.md#from-sources-to-image

package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestLicencesOfAProgram(t *testing.T) {
	dir := t.TempDir()
	program, out := filepath.Join(dir, "program"), filepath.Join(dir, "out")
	if text, err := exec.CommandContext(t.Context(), "go", "build", "-o", program,
		"../../cmd/packer-hybrid-entry").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := collect(out, []string{program}); err != nil {
		t.Fatal(err)
	}
	var got []string
	err := filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			text, err := os.ReadFile(path)
			if err != nil || len(text) < 100 {
				t.Errorf("%s has %d bytes, %v", path, len(text), err)
			}
			got = append(got, strings.TrimPrefix(path, out+"/"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(got) < 3 || !slices.Contains(got, "go/LICENSE") || !slices.ContainsFunc(got, func(p string) bool {
		return strings.HasPrefix(p, "golang.org/x/sys@v") && strings.HasSuffix(p, "/LICENSE")
	}) {
		t.Errorf("these were copied: %v", got)
	}
}

func TestWithoutALicence(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"license.go", "README.md", "NOTICE"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := texts(dir, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "must not be redistributed") {
		t.Errorf("without a licence text: %v", err)
	}
	if got := escaped("github.com/Azure/Go@v1.0.0"); got != "github.com/!azure/!go@v1.0.0" {
		t.Errorf("escaped = %s", got)
	}
}
