// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:58:00Z
// Spec: openspec/specs/runner/spec.md#requirement-stages-stand-on-one-project
// Diagram: openspec/specs/runner/diagram.md#layers-of-the-runner

package project

import (
	"context"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// MinPacker is the oldest Packer that builds: the first with the plugin
// installation layout that is relied on.
const MinPacker = "1.10.0"

// Tools finds Packer and its plugins, each once.
type Tools struct {
	// Version is that of packer-hybrid itself; empty when it is not known.
	Version string
	// FindPacker finds Packer.
	FindPacker func(context.Context) (packer.Tool, error)
	// Answer is what a program at a path says to --version; empty when it says nothing. Nil asks none.
	Answer func(ctx context.Context, path string) string
	// FindRPC finds packer-hybrid-rpc, which talks to plugins.
	FindRPC func() (string, error)
	// PinnedPlugins is a tree whose plugins were built from sources that a
	// go.sum pins: nothing is said when the lock has no hash of them.
	PinnedPlugins string
	// Schemas finds what is known of the settings of installed plugins.
	Schemas packer.Schemas
	// Answers is a folder that keeps answers of publishers for a while; empty keeps none.
	Answers string
	// Hurry, when closed, ends the grace that a cancelled Packer has.
	Hurry <-chan struct{}

	mu      sync.Mutex
	tool    *packer.Tool
	plugins map[Need]packer.Plugin
}

// Need is one required plugin.
type Need struct{ Address, Constraint string }

// Packer finds Packer.
func (t *Tools) Packer(ctx context.Context) (packer.Tool, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tool == nil {
		tool, err := t.FindPacker(ctx)
		if err != nil {
			return packer.Tool{}, err
		}
		t.tool = &tool
	}
	return *t.tool, nil
}

// Installed finds the plugins that templates require, in their order.
func (t *Tools) Installed(tool packer.Tool, required []templates.Plugin) ([]packer.Plugin, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.plugins == nil {
		t.plugins = map[Need]packer.Plugin{}
	}
	var found []packer.Plugin
	for _, p := range required {
		need := Need{p.Source, p.Version}
		plugin, known := t.plugins[need]
		if !known {
			got, err := tool.Plugins([]packer.Requirement{{Addresses: p.Addresses(), Constraint: p.Version}})
			if err != nil {
				return nil, err
			}
			plugin = got[0]
			t.plugins[need] = plugin
		}
		found = append(found, plugin)
	}
	return found, nil
}
