// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:44Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

// Package stored opens the state of a project, where its file or the environment of
// the process says that it is.
package stored

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// Open opens the state, and makes it when it is missing. In the project's
// folder no link leads to it: the folder may have come with a checkout. A state of the
// former format is upgraded, and that is said.
func Open(env places.Env, of config.Project, notes io.Writer) (*state.Store, error) {
	if of.State.Backend != config.BackendDirectory {
		return openShared(env, of)
	}
	if err := ownState(of); err != nil {
		return nil, err
	}
	return directory.Open(Dir(of), func(backup string) { upgraded(notes, backup) })
}

// openShared opens a state that lies elsewhere, where reading makes nothing.
func openShared(env places.Env, of config.Project) (*state.Store, error) {
	open := openBucket
	if of.State.Backend == config.BackendGit {
		open = func(env places.Env, of config.Project) (*state.Store, error) {
			return openGit(context.Background(), env, of)
		}
	}
	s, err := open(env, of)
	if err != nil && of.State.Line > 0 {
		return nil, fmt.Errorf("%s:%d: %w", config.FileName, of.State.Line, err)
	}
	return s, err
}

// View opens the state to read it: nothing is made or upgraded. One that is not
// there has nothing in it.
func View(env places.Env, of config.Project) (*state.Store, error) {
	if of.State.Backend != config.BackendDirectory {
		return openShared(env, of)
	}
	if err := ownState(of); err != nil {
		return nil, err
	}
	store, err := directory.View(Dir(of))
	if errors.Is(err, fs.ErrNotExist) {
		return directory.Nothing(Dir(of)), nil
	}
	return store, err
}

// Named puts the state that the environment names in place of the project's.
func Named(env places.Env, of *config.Project) error {
	kept := env.Getenv(Variable)
	if kept == "" {
		return nil
	}
	named, err := At(Variable, kept)
	if err == nil {
		named.Sign = of.State.Sign
		of.State = named
	}
	return err
}

// At is the state of an address, as StateVariable takes it; what names where the
// address comes from.
func At(what, address string) (config.State, error) {
	named, found := gitAddress(address)
	switch {
	case found:
		return named, nil
	case bucket.IsAddress(address):
		return config.State{Backend: config.BackendBucket, URL: address, Named: true}, nil
	case !filepath.IsAbs(address):
		return config.State{}, hybridcore.Usagef("%s is %q: give the whole path of a folder, git+ADDRESS#REF, or the "+
			"address of a bucket", what, address)
	}
	return config.State{Backend: config.BackendDirectory, Path: filepath.Clean(address)}, nil
}

// Address is the state of a project for StateVariable of another process.
func Address(ctx context.Context, env places.Env, of config.Project) (string, error) {
	switch of.State.Backend {
	case config.BackendDirectory:
		return Dir(of), nil
	case config.BackendBucket:
		b, err := bucket.New(bucketOptions(env, of)) // what a file may not say the environment would
		if err != nil {
			return "", err
		}
		return b.Where(""), nil
	}
	repository := of.State.Repository
	if repository == "" {
		var err error
		if repository, err = ownRepository(ctx, env, of.Root); err != nil {
			return "", err
		}
	}
	return gitPrefix + repository + "#" + cmp.Or(of.State.Ref, gitref.DefaultRef), nil
}
