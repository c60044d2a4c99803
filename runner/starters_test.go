// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:44:54Z
// Spec: openspec/specs/packer/spec.md#requirement-starters-in-validations
// Diagram: openspec/specs/packer/diagram.md#plugins-of-a-validation

package runner_test

import (
	"context"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner"
)

// A validation computes the digest of each plugin, whatever is remembered of
// it, and blocks a target whose plugin is another one by then.
func TestValidateVerifiesPlugins(t *testing.T) {
	t.Parallel()
	cache, own := toolCache(t), t.TempDir()
	plugins := filepath.Join(own, "plugins")
	if err := os.CopyFS(plugins, os.DirFS(filepath.Join(cache, "plugins"))); err != nil {
		t.Fatalf("%v\nrun: make tools", err)
	}
	memory := packer.Memory(filepath.Join(own, "memory"))
	validate := func() hybridcore.Result {
		t.Helper()
		project, err := config.Load(tree(t))
		if err != nil {
			t.Fatal(err)
		}
		store, err := directory.Open(filepath.Join(t.TempDir(), "state"))
		if err != nil {
			t.Fatal(err)
		}
		redactor, _ := logs.NewRedactor()
		r := &runner.Runner{
			Project: project, State: store, Redactor: redactor, Reporter: silent{}, Log: slog.New(slog.DiscardHandler), Now: time.Now, Environ: environ(),
			FindTool: func(ctx context.Context) (packer.Tool, error) {
				tool, err := memory.Find(ctx, []string{filepath.Join(cache, "bin", "packer"), "packer"}, runner.MinPacker)
				tool.PluginDirs = []string{plugins}
				return tool, err
			},
		}
		t.Cleanup(func() { _ = r.Close() })
		plan, err := r.Plan(t.Context(), hybridcore.Request{
			Action: hybridcore.ActionValidate, With: hybridcore.WithPacker, ID: "20261123t000000-0a0b0c0d", Env: "lab",
			Images: []string{"debian-12"}, Platforms: []hybridcore.Platform{hybridcore.VSphere},
		})
		if err != nil {
			t.Fatal(err)
		}
		rec, err := r.Validate(t.Context(), plan)
		if err != nil || len(rec.Results) != 1 {
			t.Fatalf("%v, %v", rec.Results, err)
		}
		return rec.Results[0]
	}
	if got := validate(); got.Status != hybridcore.Validated {
		t.Fatalf("%s: %+v", got.Status, got.Failure)
	}
	if described, err := filepath.Glob(filepath.Join(own, "memory", "describe-*")); err != nil || len(described) != 2 {
		t.Errorf("what plugins say of themselves was not asked for starters: %v, %v", described, err)
	}
	spoil(t, plugins)
	if got := validate(); got.Status != hybridcore.BlockedStatus || !strings.Contains(got.Failure.Message, "github.com/hashicorp/ansible changed after it was verified") {
		t.Errorf("%s: %+v", got.Status, got.Failure)
	}
}

// spoil changes the last byte of the plugin for Ansible and nothing that shows.
func spoil(t *testing.T, plugins string) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(plugins, "github.com/hashicorp/ansible/*_x5.0_"+runtime.GOOS+"_"+runtime.GOARCH))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	info, err := os.Stat(found[0])
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(found[0], os.O_RDWR, fs.ModePerm)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte{0xa5}, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(found[0], time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
}
