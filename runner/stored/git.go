// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:00Z
// Spec: openspec/specs/state/spec.md#requirement-who-shows-what-to-a-repository
// Diagram: openspec/specs/state/diagram.md#git-ref

package stored

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// Variables of a state in a repository.
const (
	ownToken   = "PACKER_HYBRID_STATE_TOKEN" //nolint:gosec // the name of a variable
	deployKey  = "PACKER_HYBRID_STATE_KEY_FILE"
	knownHosts = "PACKER_HYBRID_STATE_KNOWN_HOSTS" // the keys of the repository's host
	signingKey = "PACKER_HYBRID_STATE_SIGNING_KEY_FILE"
)

// gitPrefix begins the address of a state in a repository: git+ADDRESS#REF.
const gitPrefix = "git+"

// gitAddress is the state of an address; false when it is none of a repository.
func gitAddress(address string) (config.State, bool) {
	repository, found := strings.CutPrefix(address, gitPrefix)
	if !found {
		return config.State{}, false
	}
	repository, ref, _ := strings.Cut(repository, "#")
	return config.State{Backend: config.BackendGit, Repository: repository, Ref: ref, Named: true}, true
}

// openGit opens a state in a repository.
func openGit(ctx context.Context, env places.Env, of config.Project) (*state.Store, error) {
	here, outside := forges.Detect(env.Getenv)
	o := gitref.Options{
		Repository: of.State.Repository, Ref: of.State.Ref, Sign: of.State.Sign, SigningKey: env.Getenv(signingKey),
		Environ: env, Local: of.State.Named, // a file of the project names no folder
		Own: outside != nil, // no job: git is set up as its user wants it
	}
	if o.Repository == "" {
		var err error
		if o.Repository, err = ownRepository(ctx, env, of.Root); err != nil {
			return nil, err
		}
	}
	if dir := env.TempDir(); filepath.IsAbs(dir) {
		o.Dir = dir
	}
	o.Access = gitref.Access{Key: env.Getenv(deployKey), Hosts: env.Getenv(knownHosts)}
	if here.Jobs.Clone != nil {
		job := here.Jobs.Clone(env.Getenv)
		o.Access.User, o.Access.Token = credentials(job, env.Getenv(ownToken), o.Repository, of.State.Named)
	} else if of.State.Named {
		o.Access.User, o.Access.Token = anybody, env.Getenv(ownToken)
	}
	b, err := gitref.New(ctx, o)
	if err != nil {
		return nil, err
	}
	return state.New(b, state.Capabilities{Guide: b}), nil
}

// ownRepository is that of the project: in a job the one that the CI system names,
// else the remote origin.
func ownRepository(ctx context.Context, env places.Env, root string) (string, error) {
	if here, err := forges.Detect(env.Getenv); err == nil && here.Jobs.Clone != nil {
		return here.Jobs.Clone(env.Getenv).Repository, nil
	}
	repo, err := git.Open(root, env)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, GitTime)
	defer cancel()
	address, err := repo.Origin(ctx)
	if err != nil {
		return "", hybridcore.Blockedf("the state is in the project's repository, and that has no remote origin: name a "+
			"repository in the block state of %s: %v", config.FileName, err)
	}
	return address, nil
}

// anybody is a user's name that servers ask for and do not look at.
const anybody = "packer-hybrid"

// credentials are what a job shows to a repository. A file of the project, which its
// author may have changed, gets no token to another host than the CI system's.
func credentials(job forge.Clone, own, repository string, named bool) (user, token string) {
	server, err := url.Parse(job.Repository)
	home := err == nil && server.Host != "" && server.Host == gitref.Host(repository)
	switch {
	case own != "" && (named || home):
		return anybody, own
	case home:
		return job.User, job.Token
	}
	return "", ""
}
