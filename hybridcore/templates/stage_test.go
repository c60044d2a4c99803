// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:21:46Z
// Spec: openspec/specs/templates/spec.md#requirement-staging
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

func target(t *testing.T, dir string) hybridcore.Target {
	t.Helper()
	found, err := load(t, dir).Target("debian-12", hybridcore.VSphere, "lab", hybridcore.Variable{})
	if err != nil {
		t.Fatal(err)
	}
	found.Variables = []hybridcore.Variable{
		{Name: "memory", JSON: "512"},
		{Name: "build_password", JSON: `"hunter2"`, Sensitive: true},
	}
	return found
}

func TestStage(t *testing.T) {
	dir := fixture(t)
	work := filepath.Join(t.TempDir(), "run/work")
	if err := templates.Stage(target(t, dir), open(t, dir), work, nil); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	err := filepath.WalkDir(work, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(work, path)
		got[name] = info.Mode().String()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"ansible/linux.yml": "-rw-------", "ansible/roles/base/files/run.sh": "-rwx------",
		"ansible/roles/base/files/same.sh":  "-rwx------",
		"ansible/roles/base/tasks/main.yml": "-rw-------", "common.pkr.hcl": "-rw-------",
		"installers/debian/preseed.cfg.pkrtpl.hcl": "-rw-------",
		"scripts/linux/inventory.py":               "-rw-------", "vsphere.pkr.hcl": "-rw-------",
		"packer-hybrid.pkrvars.json": "-rw-------",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	text, err := os.ReadFile(filepath.Join(work, templates.VarFileName))
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := json.Unmarshal(text, &values); err != nil || len(values) != 1 || values["memory"] != 512.0 {
		t.Errorf("variable file %s, error %v", text, err)
	}
	if err := templates.Stage(target(t, dir), open(t, dir), work, nil); err == nil ||
		!strings.Contains(err.Error(), "is not empty") {
		t.Errorf("a second stage in the same place: %v", err)
	}
}

func TestStageNoticesChanges(t *testing.T) {
	task := "templates/ansible/roles/base/tasks/main.yml"
	tests := map[string]struct {
		change func(path string) error
		want   string
	}{
		"edited": {
			func(path string) error { return os.WriteFile(path, []byte("other"), 0o600) },
			"has changed since the plan was made",
		},
		"gone": {os.Remove, "is gone since the plan was made"},
		"a folder": {
			func(path string) error { return swap(path, os.Mkdir(path+".new", 0o700)) },
			"is no regular file any more",
		},
		"elsewhere": {
			func(path string) error { return swap(path, os.Symlink("/etc/passwd", path+".new")) },
			"path escapes from parent",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := fixture(t)
			found := target(t, dir)
			if err := test.change(filepath.Join(dir, task)); err != nil {
				t.Fatal(err)
			}
			err := templates.Stage(found, open(t, dir), filepath.Join(t.TempDir(), "work"), nil)
			if err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), task) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			if name != "elsewhere" && hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
				t.Errorf("exit code %d", hybridcore.ExitCode(err))
			}
		})
	}
}

func swap(path string, err error) error {
	if err != nil {
		return err
	}
	if err := os.Remove(path); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func TestStageStaysInside(t *testing.T) {
	dir := fixture(t)
	for _, file := range []hybridcore.File{
		{Path: "../escaped", From: "templates/common.pkr.hcl"},
		{Path: "x", From: "configs/lab/vsphere.pkrvars.hcl"},
		{Path: "x", From: "templates/../configs/lab/vsphere.pkrvars.hcl"},
	} {
		found := target(t, dir)
		file.SHA256 = found.Files[4].SHA256
		found.Files = []hybridcore.File{file}
		work := filepath.Join(t.TempDir(), "work")
		if err := templates.Stage(found, open(t, dir), work, nil); err == nil {
			t.Errorf("%+v was staged", file)
		}
		if _, err := os.Lstat(filepath.Join(work, "../escaped")); err == nil {
			t.Error("a file was written outside of the work directory")
		}
	}
}
