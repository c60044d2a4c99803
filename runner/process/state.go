// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:44Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package process

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
)

// StateVariable names the folder of the state, in place of the project's: that
// one lies in a checkout, which the next job of a CI system cleans.
const StateVariable = "PACKER_HYBRID_STATE"

// StateDir is the folder of a project's state.
func StateDir(p config.Project) string {
	if filepath.IsAbs(p.State.Path) {
		return p.State.Path
	}
	return filepath.Join(p.Root, filepath.FromSlash(p.State.Path))
}

// OpenState opens the state, and makes it when it is missing. In the project's
// folder no link leads to it: the folder may have come with a checkout. A state of the
// former format is upgraded, and that is said.
func (p Process) OpenState(of config.Project) (*state.Store, error) {
	if err := ownState(of); err != nil {
		return nil, err
	}
	return directory.Open(StateDir(of), p.upgraded)
}

// upgraded says that the state has a new format from now on.
func (p Process) upgraded(backup string) {
	_, _ = fmt.Fprintf(p.Notes, "note: the state has a new format now, which an older packer-hybrid refuses; "+
		"the former files are kept in %s\n", backup) // who cannot be told finds the folder
}

// ViewState opens the state to read it: nothing is made or upgraded. One that is not
// there has nothing in it.
func ViewState(p config.Project) (*state.Store, error) {
	if err := ownState(p); err != nil {
		return nil, err
	}
	store, err := directory.View(StateDir(p))
	if errors.Is(err, fs.ErrNotExist) {
		return directory.Nothing(StateDir(p)), nil
	}
	return store, err
}

// UntrackedState refuses a job's state that came with a commit: whoever wrote the
// commit would have written the records too.
func (p Process) UntrackedState(ctx context.Context, of config.Project) error {
	if filepath.IsAbs(of.State.Path) {
		return nil
	}
	brought, err := p.Tracked(ctx, of.State.Path)
	if err != nil {
		return err
	}
	if len(brought) > 0 {
		return hybridcore.Blockedf("%s came with the commit, so that its author and not a run has written the state: "+
			"set %s to a folder outside of the checkout, and run `git rm -r --cached %s`", brought[0], StateVariable,
			of.State.Path)
	}
	return nil
}

// ownState refuses a state below the project whose path holds a link or a folder
// of another user, as far as it is there.
func ownState(p config.Project) error {
	if filepath.IsAbs(p.State.Path) {
		return nil
	}
	in, err := safefile.ViewFolder(p.Root, p.State.Path)
	if err == nil {
		err = in.Close()
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &hybridcore.BlockedError{Msg: "the state's folder in the project is not usable; for one elsewhere set " +
		StateVariable + " to its whole path", Err: err}
}
