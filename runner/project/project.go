// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:42Z
// Spec: openspec/specs/runner/spec.md#requirement-stages-stand-on-one-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

// Package project is what all stages of the runner share: the opened project, its
// state, and the tools that work on it. The stages stand above it, and none of
// them stands below it.
package project

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/runner/gate"
)

// Project is one project, as a process works on it.
type Project struct {
	Config   config.Project
	Environ  []string // the process environment, KEY=VALUE
	State    *state.Store
	Redactor *redact.Redactor
	Log      *slog.Logger
	Now      func() time.Time
	Tools    Tools
	// Connect opens a client for the target's platform. Without it nothing is
	// reached, and what leads to a platform need not be at hand.
	Connect func(context.Context, hybridcore.Target) (Client, error)

	// Reviewed is the commit whose waivers count, where the checkout is at another one that
	// nobody has reviewed; empty for HEAD.
	Reviewed string

	files files
	leaks search
}

// search is what the files of the project were found to hold, once.
type search struct {
	mu      sync.Mutex
	done    bool
	found   gate.Leaks
	waivers *gate.Waivers
}

// files are those of the project, opened once.
type files struct {
	mu   sync.Mutex
	set  *templates.Set
	root *os.Root
}

// Close gives up what the project has open. It may be used again.
func (p *Project) Close() error {
	p.files.mu.Lock()
	defer p.files.mu.Unlock()
	if p.files.root == nil {
		return nil
	}
	err := p.files.root.Close()
	p.files.set, p.files.root = nil, nil
	p.leaks.mu.Lock()
	p.leaks.done, p.leaks.waivers = false, nil
	p.leaks.mu.Unlock()
	if err != nil {
		return fmt.Errorf("closing the project: %w", err)
	}
	return nil
}

// Templates reads the templates of the project, once: what was planned is what
// is staged.
func (p *Project) Templates() (*templates.Set, *os.Root, error) {
	p.files.mu.Lock()
	defer p.files.mu.Unlock()
	if p.files.set != nil {
		return p.files.set, p.files.root, nil
	}
	root, err := os.OpenRoot(p.Config.Root)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the project: %w", err)
	}
	set, err := templates.Load(root)
	if err != nil {
		_ = root.Close()
		return nil, nil, err
	}
	p.files.set, p.files.root = set, root
	return set, root, nil
}

// Images lists the catalogue of the project.
func (p *Project) Images() ([]hybridcore.Image, error) {
	set, _, err := p.Templates()
	if err != nil {
		return nil, err
	}
	return set.Images(), nil
}

// Redact makes text from outside fit for a report.
func (p *Project) Redact(text string) string { return p.Redactor.Clean(text) }

// Workers is how many targets of a request are worked on at once.
func (p *Project) Workers(req hybridcore.Request) int {
	if req.Parallel > 0 {
		return req.Parallel
	}
	if env, err := p.Config.Environment(req.Env); err == nil && env.Parallel > 0 {
		return env.Parallel
	}
	return 1
}

// With connects to a target's platform while use runs.
func (p *Project) With(ctx context.Context, t hybridcore.Target, use func(Client) error) error {
	client, err := p.Connect(ctx, t)
	if err != nil {
		return err
	}
	defer func() {
		if err := client.Close(context.WithoutCancel(ctx)); err != nil {
			p.Log.Warn("session not ended", "target", t.Name(), "error", err)
		}
	}()
	return use(client)
}
