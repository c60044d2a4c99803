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
	var candidates []string
	if path := a.getenv("PACKER_HYBRID_RPC"); path != "" {
		candidates = []string{path}
	} else {
		if self, err := os.Executable(); err == nil {
			candidates = append(candidates, filepath.Join(filepath.Dir(self), rpcName))
		}
		candidates = append(candidates, filepath.Join(a.cacheDir(), "bin", rpcName))
	}
	for _, path := range candidates {
		info, err := os.Stat(path)
		if filepath.IsAbs(path) && err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", hybridcore.Blockedf("%s, which talks to plugins, was not found (%s); put it beside packer-hybrid, set PACKER_HYBRID_RPC to its absolute path, or build it with `make tools`",
		rpcName, strings.Join(candidates, ", "))
}
