// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:20:33Z
// Spec: openspec/specs/leases/spec.md#requirement-clocks-that-differ
// Diagram: openspec/specs/leases/diagram.md#life-of-a-lease

package directory_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// TestOffset measures this host's clock against the file system's, and changes nothing
// where it was opened to read it only.
func TestOffset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := directory.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	off, err := d.Offset(t.Context())
	if err != nil || off.AtLeast || off.Behind.Abs() > time.Second {
		t.Errorf("%+v, %v", off, err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("left behind: %v, %v", entries, err)
	}
	statetest.Built(t, d.Store(), "run-1", "lab/debian-12@vsphere")
	ahead := time.Now().Add(7 * time.Minute)
	if err := os.Chtimes(filepath.Join(dir, "snapshot"), ahead, ahead); err != nil {
		t.Fatal(err)
	}
	seen, err := directory.View(dir)
	if err != nil {
		t.Fatal(err)
	}
	found, err := state.Clocks(t.Context(), seen)
	if err != nil || len(found) != 1 || found[0].Rule != state.RuleClock {
		t.Errorf("%v, %v", found, err)
	}
}

// TestOffsetBesideOthers looks at the clock while others remove what looks like left files.
func TestOffsetBesideOthers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := directory.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var other sync.WaitGroup
	other.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			left, _ := filepath.Glob(filepath.Join(dir, safefile.TempPrefix+"*"))
			for _, path := range left {
				_ = os.Remove(path)
			}
		}
	})
	for range 200 {
		if off, err := d.Offset(t.Context()); err != nil || !off.AtLeast && off.Behind.Abs() > time.Minute {
			t.Errorf("%+v, %v", off, err)
			break
		}
	}
	close(done)
	other.Wait()
}
