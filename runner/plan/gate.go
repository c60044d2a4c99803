// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:50:00Z
// Spec: openspec/specs/runner/spec.md#requirement-plugin-gate
// Diagram: openspec/specs/runner/diagram.md#plugin-gate

package plan

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
)

// gate compares the plugins of a target with the lock. A stand-in is not the
// plugin that the lock speaks of: it is named instead.
func (p *planning) gate(plugins []packer.Plugin) []hybridcore.Finding {
	var used []sources.Binary
	var findings []hybridcore.Finding
	pinned := map[string]bool{}
	for _, plugin := range plugins {
		if plugin.StandIn {
			findings = append(findings, standIn(plugin))
			continue
		}
		used = append(used, sources.Binary{
			Address: plugin.Address, Version: plugin.Version, System: runtime.GOOS + "_" + runtime.GOARCH, SHA256: plugin.SHA256,
			Path: plugin.Path,
		})
		rel, err := filepath.Rel(p.project.Tools.PinnedPlugins, plugin.Path)
		pinned[plugin.Address] = err == nil && filepath.IsLocal(rel)
	}
	return append(findings, slices.DeleteFunc(p.now.lock.CheckPlugins(used), func(f hybridcore.Finding) bool {
		return pinned[f.Subject] && !f.Blocking
	})...)
}

func standIn(plugin packer.Plugin) hybridcore.Finding {
	real := strings.TrimSuffix(plugin.Version, hybridcore.StandInLabel)
	return hybridcore.Finding{
		Kind: sources.KindPlugin, Subject: plugin.Address, Want: real, Got: plugin.Version, Severity: hybridcore.Info,
		Message: fmt.Sprintf("the lab's stand-in %s takes the place of the plugin %s, which is not installed", plugin.Version,
			plugin.Address),
		Hint: "to build with the real one: packer plugins install " + plugin.Address + " v" + real,
	}
}
