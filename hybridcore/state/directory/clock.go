// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:10:25Z
// Spec: openspec/specs/leases/spec.md#requirement-clocks-that-differ
// Diagram: openspec/specs/leases/diagram.md#life-of-a-lease

package directory

import (
	"context"
	"fmt"
	"path"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Offset implements state.Clock: a file system gives what is written the time of its
// server. Where nothing may be written the newest time that it shows must do.
func (d *Directory) Offset(_ context.Context) (state.Offset, error) {
	off := state.Offset{Of: "that of the file system of " + d.path}
	for range clockTries {
		if !d.writes {
			break
		}
		behind, err := d.written()
		if err == nil {
			off.Behind = behind
			return off, nil
		}
	}
	off.AtLeast = true
	off.Behind = time.Until(d.newestTime())
	return off, nil
}

// clockTries bounds the files that are written for their time: whoever opens the state
// removes those that look like left ones, and may be faster than who looks at it.
const clockTries = 5

// written is how far the time of a file that is written now is from this host's.
func (d *Directory) written() (behind time.Duration, err error) {
	temp := safefile.TempName()
	before := time.Now()
	if err := safefile.New(d.root, temp, nil, 0o600); err != nil {
		return 0, fmt.Errorf("writing for the clock of the state: %w", err)
	}
	after := time.Now()
	info, err := d.root.Lstat(temp)
	_ = d.root.Remove(temp) // the next Open tries again
	if err != nil {
		return 0, fmt.Errorf("looking at the clock of the state: %w", err)
	}
	return info.ModTime().Sub(before.Add(after.Sub(before) / 2)), nil
}

// newestTime is the latest at which a folder of objects was changed.
func (d disk) newestTime() time.Time {
	folders := []string{path.Clean(state.SnapshotFolder), state.RecordsFolder, formerLeases}
	if entries, err := d.entries(formerLeases); err == nil {
		for _, e := range entries {
			folders = append(folders, path.Join(formerLeases, e.Name()))
		}
	}
	var newest time.Time
	for _, folder := range folders {
		info, err := d.root.Lstat(folder)
		if err == nil && info.ModTime().After(newest) {
			newest = info.ModTime()
		}
	}
	return newest
}
