// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:51:24Z
// Spec: openspec/specs/full-validation/spec.md#requirement-a-program-of-its-own
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package main

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// rpcName is the program that talks to plugins.
const rpcName = "packer-hybrid-rpc"

// findRPC looks for packer-hybrid-rpc where PACKER_HYBRID_RPC says, beside this
// program and in the cache of `make tools`.
func (a *app) findRPC() (string, error) {
	candidates := beside(rpcName, filepath.Join(a.cacheDir(), "bin"))
	if path := a.Getenv("PACKER_HYBRID_RPC"); path != "" {
		candidates = []string{path}
	}
	if path := firstProgram(candidates); path != "" {
		return path, nil
	}
	return "", hybridcore.Blockedf("%s, which talks to plugins, was not found (%s); put it beside packer-hybrid, set PACKER_HYBRID_RPC to its absolute path, or build it with `make tools`",
		rpcName, strings.Join(candidates, ", "))
}

// beside are the paths that a program of ours may have: in the folder of this
// one, then in others.
func beside(name string, others ...string) []string {
	dirs := others
	if self, err := os.Executable(); err == nil {
		dirs = append([]string{filepath.Dir(self)}, others...)
	}
	paths := make([]string, len(dirs))
	for i, dir := range dirs {
		paths[i] = filepath.Join(dir, name)
	}
	return paths
}

// firstProgram is the first of the paths that is absolute and can be run, empty
// for none.
func firstProgram(paths []string) string {
	for _, path := range paths {
		info, err := os.Stat(path)
		if filepath.IsAbs(path) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	return ""
}
