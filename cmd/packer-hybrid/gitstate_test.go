// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:55:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

// testSharedByGit has three machines that share no folder build a platform each, with
// the state in a repository, and a fourth one look at what they have built.
func testSharedByGit(t *testing.T, l *lab.Lab) {
	t.Helper()
	repository := filepath.Join(t.TempDir(), "state.git")
	out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "--bare", repository).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PACKER_HYBRID_STATE", "git+"+repository)
	var all sync.WaitGroup
	for _, platform := range hybridcore.Platforms() {
		b := newShortBed(t, l)
		all.Go(func() {
			if code, out := b.run(t, "build", "debian-12", "--platforms", string(platform.Name)); code != 0 {
				t.Errorf("%s: exit %d\n%s", platform.Name, code, out)
			}
		})
	}
	all.Wait()
	b := newShortBed(t, l)
	for _, look := range []struct {
		args []string
		says []string
	}{
		{[]string{"status"}, []string{"debian-12@proxmox", "debian-12@vsphere", "debian-12@azure"}},
		{[]string{"parity", "debian-12"}, []string{"identical in what is compared, but for"}},
		{[]string{"plan", "debian-12"}, []string{"0 to build, 3 unchanged"}},
	} {
		code, out := b.run(t, look.args...)
		if code != 0 {
			t.Errorf("%v: exit %d\n%s", look.args, code, out)
		}
		want(t, out, look.says...)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "state", "runs")); err == nil {
		t.Error("the machine has a state of its own")
	}
	b.nothingOn(t)
}
