// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:20:33Z
// Spec: openspec/specs/leases/spec.md#requirement-clocks-that-differ
// Diagram: openspec/specs/leases/diagram.md#life-of-a-lease

package gitref_test

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// TestOffset takes the time of the newest commit for what another clock showed.
func TestOffset(t *testing.T) {
	t.Parallel()
	dir := repository(t)
	b := open(t, gitref.Options{Repository: dir})
	if off, err := b.Offset(t.Context()); err != nil || off.Behind > 0 {
		t.Errorf("an empty repository: %+v, %v", off, err)
	}
	s := state.New(b, state.Capabilities{Guide: b})
	statetest.Built(t, s, "run-1", "lab/debian-12@vsphere")
	if found, err := state.Clocks(t.Context(), s); err != nil || len(found) > 0 {
		t.Errorf("of this host: %v, %v", found, err)
	}
	cmd := exec.CommandContext(t.Context(), "git", "-C", dir, "fast-import", "--quiet")
	cmd.Stdin = strings.NewReader(fmt.Sprintf("commit %s\ncommitter x <x@y> %d +0000\ndata 0\nfrom %[1]s^0\n",
		gitref.DefaultRef, time.Now().Add(time.Hour).Unix()))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	found, err := state.Clocks(t.Context(), state.New(open(t, gitref.Options{Repository: dir}), state.Capabilities{}))
	if err != nil || len(found) != 1 || found[0].Rule != state.RuleClock {
		t.Errorf("a commit from the future: %v, %v", found, err)
	}
}
