// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:36:33Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package build

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// The record of a part goes through no link: a folder of that name outside stays.
func TestPartsGoThroughNoLink(t *testing.T) {
	t.Parallel()
	const target = "debian-12@vsphere"
	rec := hybridcore.Record{
		RunID: "20261130t120000-1a2b3c4d", Request: hybridcore.Request{Action: hybridcore.ActionBuild, Env: "lab"},
		Status: hybridcore.Built, At: time.Now(),
		Results: []hybridcore.Result{{
			Target: target, Image: "debian-12", Platform: hybridcore.VSphere,
			Status: hybridcore.Built,
		}},
	}
	for name, plant := range map[string]func(dir, outside string) error{
		"artifacts": func(dir, outside string) error { return os.Symlink(outside, filepath.Join(dir, "artifacts")) },
		"parts": func(dir, outside string) error {
			return errors.Join(os.Mkdir(filepath.Join(dir, "artifacts"), 0o755),
				os.Symlink(filepath.Join(outside, "parts"), filepath.Join(dir, "artifacts", "parts")))
		},
		"target": func(dir, outside string) error {
			return errors.Join(os.MkdirAll(filepath.Join(dir, "artifacts", "parts"), 0o755),
				os.Symlink(filepath.Join(outside, "parts", target), filepath.Join(dir, "artifacts", "parts", target)))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, outside := t.TempDir(), t.TempDir()
			kept := filepath.Join(outside, "parts", target, "kept")
			if err := errors.Join(os.MkdirAll(filepath.Dir(kept), 0o755), os.WriteFile(kept, nil, 0o600),
				plant(dir, outside)); err != nil {
				t.Fatal(err)
			}
			opened := &project.Project{Config: config.Project{Root: dir}}
			x := &run{project: opened, stage: Stage{Project: opened}}
			if err := x.storePart(t.Context(), rec); (err == nil) != (name == "target") {
				t.Errorf("error %v", err)
			}
			if all, err := os.ReadDir(filepath.Dir(kept)); err != nil || len(all) != 1 {
				t.Errorf("outside are %v, %v", all, err)
			}
			x.stage.Folders.Uploads = filepath.Join(t.TempDir())
			if err := x.storePart(t.Context(), rec); err != nil {
				t.Fatal(err)
			}
			store, err := directory.View(filepath.Join(x.stage.Folders.Uploads, "parts", target))
			if err != nil {
				t.Fatal(err)
			}
			if ids, err := store.Records(t.Context()); err != nil || len(ids) != 1 {
				t.Errorf("records in the folder to upload: %v, %v", ids, err)
			}
		})
	}
}
