// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:52:00Z
// Spec: openspec/specs/lab/spec.md#requirement-disk-delta
// Diagram: openspec/specs/lab/diagram.md#disks

package lab

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestLabsLeaveOverlays(t *testing.T) {
	dir := t.TempDir()
	var parts []string
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		part := filepath.Join(dir, name)
		if err := os.Mkdir(part, 0o755); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, part)
	}
	instead := filepath.Join(dir, "instead")
	if got, err := writableLayerDir(parts[0], instead); err != nil || got != parts[0] {
		t.Errorf("on a plain file system: %s, %v", got, err)
	}
	options := "lowerdir=" + parts[0] + ",upperdir=" + parts[1] + ",workdir=" + parts[2]
	if err := unix.Mount("overlay", parts[3], "overlay", 0, options); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Unmount(parts[3], 0); err != nil {
			t.Error(err)
		}
	}()
	if got, err := writableLayerDir(parts[3], instead); err != nil || got != instead {
		t.Errorf("on an overlay: %s, %v", got, err)
	}
}

func TestLivingLabsStay(t *testing.T) {
	parent := t.TempDir()
	alive, err := newLabDir(t.Context(), parent)
	if err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(parent, "lab-dead")
	if err := os.MkdirAll(filepath.Join(dead, "disks"), 0o755); err != nil {
		t.Fatal(err)
	}
	other, err := newLabDir(t.Context(), parent)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(alive.path); err != nil {
		t.Error("a living lab's directory was removed")
	}
	if _, err := os.Stat(dead); err == nil {
		t.Error("a dead lab's directory was spared")
	}
	for _, d := range []*labDir{alive, other} {
		if err := d.remove(); err != nil {
			t.Error(err)
		}
	}
}

func TestSecretsAreUnmistakable(t *testing.T) {
	a, b := newSecret("guest"), newSecret("guest")
	if a == b || len(a) < 16+len("lab-guest-") {
		t.Errorf("%q, %q", a, b)
	}
}
