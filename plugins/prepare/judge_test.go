// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T20:58:00Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package prepare

import (
	"os"
	"path/filepath"
	"testing"
)

// A template may hold a source for each operating system: only that of the
// target is asked about, as Packer does with -only.
func TestOneSourceOfSeveralIsJudged(t *testing.T) {
	t.Parallel()
	cache := os.Getenv("PACKER_HYBRID_CACHE")
	if cache == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(base, "packer-hybrid")
	}
	packer := Binary{Version: "1.15.0", Path: filepath.Join(cache, "bin", "packer")}
	if _, err := os.Stat(packer.Path); err != nil {
		t.Fatalf("%v\nrun: make tools", err)
	}
	dir := t.TempDir()
	text := `source "null" "linux" { communicator = "none" }
source "null" "windows" { communicator = "winrm" }
build {
  sources = ["source.null.windows", "source.null.linux"]
}
build {
  sources = ["source.null.windows"]
  provisioner "unheard-of" {}
}
`
	if err := os.WriteFile(filepath.Join(dir, "build.pkr.hcl"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for source, refused := range map[string]bool{"null.linux": false, "null.windows": true, "": true} {
		env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir}
		stage := Stage{Name: "0", Source: source, Root: dir, Dir: dir, Temp: dir, Env: env}
		said := Run(t.Context(), Job{Protocol: Protocol, Packer: packer, Stages: []Stage{stage}}).Stages[0]
		if len(said.Undecided) > 0 || (len(said.Findings) > 0) != refused {
			t.Errorf("source %q: %+v, want it refused: %v", source, said, refused)
		}
	}
}
