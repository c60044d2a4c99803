// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:42Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package project

import (
	"context"
	"errors"
	"slices"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// Pinned gives a BlockedError when the checkout is at a commit that the request
// is not about: a branch may move between an approval and the checkout.
func (p *Project) Pinned(ctx context.Context, req hybridcore.Request) error {
	if len(req.Heads) == 0 {
		return nil
	}
	switch at, err := p.Head(ctx); {
	case err != nil:
		return hybridcore.Blockedf("the request is about commit %.12s, and the commit of the checkout is not known: %v",
			req.Heads[0], err)
	case at == "":
		return hybridcore.Blockedf(
			"the request is about commit %.12s, but there is no checkout at %s; check the commit out first", req.Heads[0],
			p.Config.Root)
	case !slices.Contains(req.Heads, at):
		return hybridcore.Blockedf(
			"the request is about commit %.12s, but the checkout is at %.12s: the branch may have moved since; check out %s, "+
				"or ask again for the new commit",
			req.Heads[0], at, req.Heads[0])
	}
	return nil
}

// Head is the commit of the checkout, as git says; empty outside of a repository
// and before the first commit.
func (p *Project) Head(ctx context.Context) (string, error) {
	repository, err := git.Open(p.Config.Root, p.Environ)
	if _, none := errors.AsType[*hybridcore.UsageError](err); none {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return repository.Head(ctx)
}

// Commit is Head for a plan, which goes on without it and says so.
func (p *Project) Commit(ctx context.Context) (string, []hybridcore.Finding) {
	at, err := p.Head(ctx)
	if err != nil {
		return "", []hybridcore.Finding{{
			Kind: "commit", Subject: "HEAD", Severity: hybridcore.Warning,
			Message: "the commit of the project is not known: " + Portable(p.Redact(err.Error())),
		}}
	}
	return at, nil
}
