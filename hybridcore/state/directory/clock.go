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
	temp := safefile.TempName()
	before := time.Now()
	if d.writes && safefile.New(d.root, temp, nil, 0o600) == nil {
		after := time.Now()
		info, err := d.root.Lstat(temp)
		_ = d.root.Remove(temp) // the next Open tries again
		if err != nil {
			return off, fmt.Errorf("looking at the clock of the state: %w", err)
		}
		off.Behind = info.ModTime().Sub(before.Add(after.Sub(before) / 2))
		return off, nil
	}
	off.AtLeast = true
	off.Behind = d.newestTime().Sub(before)
	return off, nil
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
