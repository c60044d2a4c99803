// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:51:24Z
// Spec: openspec/specs/full-validation/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package process

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// rpcName is the program that talks to plugins.
const rpcName = "packer-hybrid-rpc"

// FindRPC looks for packer-hybrid-rpc where PACKER_HYBRID_RPC says, Beside this
// program and in the cache of `make tools`.
func (p Process) FindRPC() (string, error) {
	candidates := places.Beside(rpcName, filepath.Join(p.Places().CacheDir(), "bin"))
	if path := p.Getenv("PACKER_HYBRID_RPC"); path != "" {
		candidates = []string{path}
	}
	if path := places.FirstProgram(candidates); path != "" {
		return path, nil
	}
	return "", hybridcore.Blockedf(
		"%s, which talks to plugins, was not found (%s); put it Beside packer-hybrid, set PACKER_HYBRID_RPC to its "+
			"absolute path, or build it with `make tools`",
		rpcName, strings.Join(candidates, ", "))
}

// FindPacker looks for Packer where the flags say, on PATH and in the cache of
// `make tools`.
func (p Process) FindPacker(grace time.Duration) func(context.Context) (packer.Tool, error) {
	return func(ctx context.Context) (packer.Tool, error) {
		cache := p.Places().CacheDir()
		candidates := []string{"packer", filepath.Join(cache, "bin", "packer")}
		if p.PackerPath != "" {
			candidates = []string{p.PackerPath}
		}
		tool, err := p.memory().Find(ctx, candidates, project.MinPacker)
		if err != nil {
			return packer.Tool{}, err
		}
		tool.Grace = grace
		tool.PluginDirs = p.allPluginDirs()
		if dir := p.Getenv("PACKER_HYBRID_LAB_PLUGINS"); dir != "" && p.Getenv("PACKER_HYBRID_LAB") != "" {
			tool.StandIns = []string{dir}
		}
		return tool, nil
	}
}

// allPluginDirs are the trees of installed plugins, those that flags name first.
func (p Process) allPluginDirs() []string {
	dirs := append(slices.Clone(p.PluginDirs), filepath.SplitList(p.Getenv("PACKER_PLUGIN_PATH"))...)
	dirs = append(dirs, p.pinnedPlugins())
	if home := p.Getenv("HOME"); home != "" {
		dirs = append(dirs, filepath.Join(home, ".config", "packer", "plugins"))
	}
	return dirs
}

// pinnedPlugins is the tree of plugins that tools/build made: where
// PACKER_HYBRID_PLUGINS says, as in the container image, else in the cache.
func (p Process) pinnedPlugins() string {
	if dir := p.Getenv("PACKER_HYBRID_PLUGINS"); dir != "" {
		return dir
	}
	return filepath.Join(p.Places().CacheDir(), "plugins")
}

// memory remembers what was found out about Packer and its plugins.
func (p Process) memory() packer.Memory {
	return packer.Memory(filepath.Join(p.Places().CacheDir(), "memory"))
}

// program names this build of packer-hybrid: the rules that a verdict rests on
// are part of it.
func (p Process) program() string {
	path, err := os.Executable()
	if err != nil {
		return p.Version
	}
	info, err := os.Stat(path)
	if err != nil {
		return p.Version
	}
	return fmt.Sprintf("%s %s %d %d", p.Version, path, info.Size(), info.ModTime().UnixNano())
}
