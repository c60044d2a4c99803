// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:46:49Z
// Spec: openspec/specs/waivers/spec.md#requirement-read-from-a-reviewed-commit
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package project

import (
	"context"
	"os"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
	"github.com/packer-hybrid/packer-hybrid/runner/gate"
)

// Leaks searches the files of the project for secrets in plain text, once.
func (p *Project) Leaks(ctx context.Context) (gate.Leaks, error) {
	_, root, err := p.Templates()
	if err != nil {
		return gate.Leaks{}, err
	}
	p.leaks.mu.Lock()
	defer p.leaks.mu.Unlock()
	if p.leaks.done {
		return p.leaks.found, nil
	}
	found, err := gate.Look(ctx, p.gateInput(root), p.waivers(root))
	if err != nil {
		return gate.Leaks{}, err
	}
	p.leaks.found, p.leaks.done = found, true
	return found, nil
}

// Accept lets pass of findings what a reviewed waiver accepts; see gate.Waivers.
func (p *Project) Accept(
	ctx context.Context, findings []hybridcore.Finding, all func(waivers.Waiver) bool,
) ([]hybridcore.Finding, error) {
	_, root, err := p.Templates()
	if err != nil {
		return nil, err
	}
	p.leaks.mu.Lock()
	defer p.leaks.mu.Unlock()
	return p.waivers(root).Accept(ctx, findings, all), nil
}

// Accepted tells what is accepted now, for a memory of what was found.
func (p *Project) Accepted(ctx context.Context) (string, error) {
	_, root, err := p.Templates()
	if err != nil {
		return "", err
	}
	p.leaks.mu.Lock()
	defer p.leaks.mu.Unlock()
	return p.waivers(root).Key(ctx), nil
}

// waivers are those of the project, read once.
func (p *Project) waivers(root *os.Root) *gate.Waivers {
	if p.leaks.waivers == nil {
		p.leaks.waivers = gate.ReadWaivers(p.gateInput(root))
	}
	return p.leaks.waivers
}

func (p *Project) gateInput(root *os.Root) gate.Input {
	in := gate.Input{Project: p.Config, Root: root, Environ: p.Environ, Now: time.Now(), Reviewed: p.Reviewed}
	if p.Now != nil {
		in.Now = p.Now()
	}
	return in
}
