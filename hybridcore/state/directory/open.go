// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:13:04Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#upgrade

package directory

import "github.com/packer-hybrid/packer-hybrid/hybridcore/state"

// Open opens the state in a directory, which it creates (mode 0700) when it is
// missing, and removes what a killed writer left. A state of the former format
// becomes one of this format, and upgraded is told where its files are kept. A
// path that is no directory is a UsageError.
func Open(path string, upgraded ...func(backup string)) (*state.Store, error) {
	d, err := New(path)
	if err != nil {
		return nil, err
	}
	backup, err := d.upgrade()
	if err != nil {
		return nil, err
	}
	for _, tell := range upgraded {
		if backup != "" {
			tell(backup)
		}
	}
	return d.Store(), nil
}

// View opens the state in a directory only to read it, also one of the former
// format: nothing is created, changed or removed. A missing directory gives an
// error that is fs.ErrNotExist.
func View(path string) (*state.Store, error) {
	d, err := view(path)
	if err != nil {
		return nil, err
	}
	former, err := d.isFormer()
	if err != nil {
		return nil, d.refused(err)
	}
	if !former {
		return d.Store(), nil
	}
	return (&formerFiles{Directory: d}).store(), nil
}

// ViewObjects is View for a directory of another machine, in which files of the
// former format are not looked for.
func ViewObjects(path string) (*state.Store, error) {
	d, err := view(path)
	if err != nil {
		return nil, err
	}
	return d.Store(), nil
}

func (f *formerFiles) store() *state.Store {
	return state.New(f, state.Capabilities{Liveness: f, Guide: f})
}
