// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:45:07Z
// Spec: openspec/specs/full-validation/spec.md#requirement-schemas-of-what-is-installed
// Diagram: openspec/specs/full-validation/diagram.md#schemas

package packer

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// maxSchemas bounds the schemas of one plugin, in bytes: those of vsphere take 200 KB.
const maxSchemas = 16 << 20

// Schemas finds what is known of the settings of installed plugins. It needs no
// Packer and starts nothing.
type Schemas struct {
	PluginDirs []string // as of a Tool
	Memory     Memory   // that LearnSchemas wrote to; empty knows nothing
}

// Known returns the address of the plugin that meets a requirement and the
// schemas of its components, an object by KIND.NAME. Both are empty when no such
// plugin is installed, or its schemas were never asked for.
func (s Schemas) Known(r Requirement) (string, []byte) {
	if !s.Any() {
		return "", nil
	}
	plugin, err := Tool{PluginDirs: s.PluginDirs, Memory: s.Memory}.plugin(r)
	if err != nil {
		return "", nil
	}
	path := s.Memory.schemas(plugin.SHA256)
	if info, err := os.Stat(path); err != nil || info.Size() > maxSchemas {
		return "", nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", nil
	}
	return plugin.Address, data
}

// Any says whether the schemas of any plugin were ever asked for.
func (s Schemas) Any() bool {
	if s.Memory == "" {
		return false
	}
	_, err := os.Stat(s.Dir())
	return err == nil
}

// Dir is where schemas are kept.
func (s Schemas) Dir() string { return filepath.Join(string(s.Memory), components) }

// components is the folder of a memory where packer-hybrid-rpc keeps what
// binaries said about themselves, by their digest.
const components = "components"

func (m Memory) schemas(sha256 string) string {
	return filepath.Join(string(m), components, sha256, "schemas.json")
}

// LearnSchemas has packer-hybrid-rpc, at the path helper, ask those plugins of
// a job for the schemas of their components whose binary was never asked. It
// needs the job's Scratch, Env and Plugins, and a Memory.
func (t Tool) LearnSchemas(ctx context.Context, helper string, job Job) error {
	unknown := slices.DeleteFunc(slices.Clone(job.Plugins), func(p Plugin) bool {
		_, err := os.Stat(t.Memory.schemas(p.SHA256))
		return err == nil || p.StandIn // a stand-in has the settings of the real plugin
	})
	if len(unknown) == 0 || t.Memory == "" {
		return nil
	}
	dirs := scratch(job.Scratch)
	if err := dirs.make(); err != nil {
		return err
	}
	stage := rpcStage{
		Name: "schemas", Root: job.Scratch, Dir: job.Scratch, Temp: dirs.tmp(),
		Env: environ(job.Env, nil, dirs), Plugins: binaries(unknown),
	}
	input, err := json.Marshal(rpcJob{
		Protocol: rpcProtocol, Packer: rpcBinary{Version: t.Version, Path: t.Path},
		Cache: string(t.Memory), Stages: []rpcStage{stage},
	})
	if err != nil {
		return fmt.Errorf("writing the job of %s: %w", filepath.Base(helper), err)
	}
	_, err = askRPC(ctx, rpcCall{helper: helper, verb: "schemas", input: input}, job) // it keeps what it answers
	return err
}

func binaries(plugins []Plugin) []rpcBinary {
	list := make([]rpcBinary, 0, len(plugins))
	for _, p := range plugins {
		list = append(list, rpcBinary{Address: p.Address, Version: p.Version, Path: p.Path, SHA256: p.SHA256})
	}
	return list
}
