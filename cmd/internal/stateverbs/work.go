// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:15:58Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs-of-a-state
// Diagram: openspec/specs/cli/diagram.md#one-command

package stateverbs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/checkup"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/transfer"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// work does something with the state of the project, which was opened to read it
// only, or to write.
type work func(context.Context, *state.Store, transfer.Progress) (answer, error)

// onState opens the state of the project, does something with it and shows the answer.
func onState(ctx context.Context, p process.Process, s process.Screen, writes bool, do work) error {
	open := p.Read
	if writes {
		open = p.Open
	}
	r, done, err := open()
	if err != nil {
		return err
	}
	defer done()
	a, failure := do(ctx, r.Project.State, counting(s))
	return show(s, a, failure)
}

// checkState looks at every object of the state.
func checkState(ctx context.Context, store *state.Store, tell transfer.Progress) (answer, error) {
	found, err := checkup.Check(ctx, store, func(done, all int) { tell("checked", done, all) })
	if err != nil {
		return answer{}, err
	}
	clocks, err := state.Clocks(ctx, store)
	return answer{Objects: found.Objects, Findings: append(found.Findings, clocks...)}, err
}

// pullState copies the state into a new folder.
func pullState(dir string) work {
	return func(ctx context.Context, store *state.Store, tell transfer.Progress) (answer, error) {
		if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
			return answer{}, hybridcore.Usagef("the folder %s is not empty: give a new one", dir)
		}
		to, err := directory.New(dir)
		if err != nil {
			return answer{}, err
		}
		target := to.Store()
		defer target.Close() //nolint:errcheck // nothing is kept back
		copied, err := transfer.Pull(ctx, store, target, tell)
		if err != nil {
			return answer{}, fmt.Errorf("%w (a part is in %s: remove it before you run this again)", err, dir)
		}
		return answer{Copied: &copied}, nil
	}
}

// pushState puts what the state lacks of a copy in a folder.
func pushState(dir string) work {
	return func(ctx context.Context, store *state.Store, tell transfer.Progress) (answer, error) {
		from, err := directory.ViewObjects(dir)
		if err != nil {
			return answer{}, hybridcore.Usagef("the folder %s cannot be read: %v", dir, err)
		}
		defer from.Close() //nolint:errcheck // only read
		pushed, err := transfer.Push(ctx, from, store, tell)
		if err == nil && len(pushed.Kept)+len(pushed.Refused) > 0 {
			err = hybridcore.Exit(hybridcore.ExitBlocked) // it is said what
		}
		return answer{Pushed: &pushed}, err
	}
}

// copyObject copies an object of the state to another name.
func copyObject(from, to string) work {
	return func(ctx context.Context, store *state.Store, _ transfer.Progress) (answer, error) {
		return answer{Copied: &transfer.Copied{Objects: 1, Put: 1}}, transfer.Copy(ctx, store, from, to)
	}
}

// migrateState copies the state of an address to another, and compares both.
func migrateState(ctx context.Context, p process.Process, s process.Screen, from, to string) error {
	if from == to {
		return hybridcore.Usagef("source and target are the same")
	}
	source, err := stateAt(p, "FROM", from, stored.View)
	if err != nil {
		return err
	}
	defer source.Close() //nolint:errcheck // only read
	opened := func(env places.Env, of config.Project) (*state.Store, error) { return stored.Open(env, of, p.Notes) }
	target, err := stateAt(p, "TO", to, opened)
	if err != nil {
		return err
	}
	tell := counting(s)
	copied, err := transfer.Migrate(ctx, source, target, tell)
	if err = errors.Join(err, target.Close()); err != nil {
		return err
	}
	again, err := stateAt(p, "TO", to, stored.View) // as another process sees it
	if err != nil {
		return err
	}
	err = transfer.Verify(ctx, source, again, tell)
	copied.Verified = err == nil
	if err = errors.Join(err, again.Close()); err != nil {
		return err
	}
	return show(s, answer{Copied: &copied}, nil)
}

// opening opens a state.
type opening func(places.Env, config.Project) (*state.Store, error)

// stateAt opens the state of an address.
func stateAt(p process.Process, what, address string, open opening) (*state.Store, error) {
	at, err := stored.At(what, address)
	if err != nil {
		return nil, err
	}
	return open(p.Places(), config.Project{State: at})
}

// folder is the whole path of a folder that a user names.
func folder(dir string) (string, error) {
	whole, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("finding %s: %w", dir, err)
	}
	return whole, nil
}
