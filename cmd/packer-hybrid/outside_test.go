// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:33:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// outside makes a command one that does not run in the lab: it reaches the same
// servers, and takes them for real ones.
func outside(cmd *exec.Cmd) *exec.Cmd {
	cmd.Env = slices.DeleteFunc(cmd.Env, func(e string) bool { return strings.HasPrefix(e, "PACKER_HYBRID_LAB") })
	return cmd
}

// testOutside builds with the real vSphere plugin in the lab, and then outside
// of it: what the lab built counts as nothing there, and the other way round.
func testOutside(t *testing.T, b *bed) {
	t.Helper()
	target := []string{"debian-12", "--platforms", "vsphere"}
	here := func(verb string, more ...string) *exec.Cmd {
		return b.command(slices.Concat([]string{verb}, target, more)...)
	}
	ends := func(cmd *exec.Cmd, code int, parts ...string) {
		t.Helper()
		out, err := cmd.CombinedOutput()
		if got := exitCode(t, err); got != code {
			t.Errorf("%q: exit %d, want %d\n%s", cmd.Args[1:], got, code, out)
		}
		want(t, string(out), parts...)
	}
	ends(here("build"), hybridcore.ExitOK, "debian-12@vsphere  built", "a simulated VMware vSphere")
	ends(here("build"), hybridcore.ExitOK, "debian-12@vsphere  unchanged")
	built := b.record(t)
	if id := hybridcore.BuiltInLab(built.Results[0].Inputs); !strings.HasPrefix(id, "lab-") ||
		len(hybridcore.StandIns(built.Versions)) > 0 {
		t.Errorf("the record has the lab %q and the versions %v", id, built.Versions)
	}
	ends(outside(here("status")), hybridcore.ExitOK, "lab: lab/debian-12@vsphere was built in the lab lab-",
		"no real platform has it")
	ends(outside(here("plan", "--detailed-exitcode")), hybridcore.ExitChanges, "built in a lab, not on this platform")
	ends(outside(here("publish", "--release", "v1.0.0")), hybridcore.ExitFailed,
		"built in a lab, not on this platform; build it first")
	ends(outside(here("build")), hybridcore.ExitOK, "debian-12@vsphere  built")
	ends(outside(here("build")), hybridcore.ExitOK, "debian-12@vsphere  unchanged")
	ends(here("plan", "--detailed-exitcode"), hybridcore.ExitChanges, "built on the platform, not in this lab")
	if rec := b.record(t); hybridcore.BuiltInLab(rec.Results[0].Inputs) != "" {
		t.Errorf("the record of the build outside has %v", rec.Results[0].Inputs)
	}
	// the guest is Debian: in the lab alone may it stand in
	ubuntu := []string{"build", "ubuntu-24.04", "--platforms", "vsphere"}
	ends(outside(b.command(ubuntu...)), hybridcore.ExitBlocked,
		"the guest of ubuntu-24.04@vsphere holds debian 12, and the image is to be ubuntu 24.04")
	ends(outside(here("status")), hybridcore.ExitOK, "debian-12@vsphere")
	ends(b.command(ubuntu...), hybridcore.ExitOK, "ubuntu-24.04@vsphere  built", "stand-in  ",
		"a guest of debian 12+lab, of the lab, not ubuntu-24.04")
	b.nothingOn(t)
}
