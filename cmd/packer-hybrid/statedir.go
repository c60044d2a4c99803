// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:44Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package main

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

// stateVariable names the folder of the state, in place of the project's: that
// one lies in a checkout, which the next job of a CI system cleans.
const stateVariable = "PACKER_HYBRID_STATE"

// stateDir is the folder of a project's state.
func stateDir(p config.Project) string {
	if filepath.IsAbs(p.State.Path) {
		return p.State.Path
	}
	return filepath.Join(p.Root, filepath.FromSlash(p.State.Path))
}

// openState opens the state, and makes it when it is missing. In the project's
// folder no link leads to it: the folder may have come with a checkout. Upgraded is
// told when the state had the former format.
func openState(p config.Project, upgraded func(backup string)) (*state.Store, error) {
	if err := ownState(p); err != nil {
		return nil, err
	}
	return directory.Open(stateDir(p), upgraded)
}

// upgraded says that the state has a new format from now on.
func (a *app) upgraded(backup string) {
	_, _ = fmt.Fprintf(a.Err, "note: the state has a new format now, which an older packer-hybrid refuses; "+
		"the former files are kept in %s\n", backup) // who cannot be told finds the folder
}

// viewState opens the state to read it: nothing is made or upgraded. One that is not
// there has nothing in it.
func viewState(p config.Project) (*state.Store, error) {
	if err := ownState(p); err != nil {
		return nil, err
	}
	store, err := directory.View(stateDir(p))
	if errors.Is(err, fs.ErrNotExist) {
		return directory.Nothing(stateDir(p)), nil
	}
	return store, err
}

// untrackedState refuses a job's state that came with a commit: whoever wrote the
// commit would have written the records too.
func (a *app) untrackedState(ctx context.Context, p config.Project) error {
	if filepath.IsAbs(p.State.Path) {
		return nil
	}
	brought, err := a.tracked(ctx, p.State.Path)
	if err != nil {
		return err
	}
	if len(brought) > 0 {
		return hybridcore.Blockedf("%s came with the commit, so that its author and not a run has written the state: "+
			"set %s to a folder outside of the checkout, and run `git rm -r --cached %s`", brought[0], stateVariable, p.State.Path)
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
	return &hybridcore.BlockedError{Msg: "the state's folder in the project is not usable; for one elsewhere set " + stateVariable + " to its whole path", Err: err}
}
