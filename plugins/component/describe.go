// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:37:40Z
// Spec: openspec/specs/full-validation/spec.md#requirement-plugins-run-bounded
// Diagram: openspec/specs/full-validation/diagram.md#one-component

package component

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// describeLimit bounds `PLUGIN describe`, which takes some 30 ms.
const describeLimit = 30 * time.Second

// maxDescription bounds its answer, in bytes.
const maxDescription = 1 << 20

// Description is what a plugin says about itself.
type Description struct {
	Version         string   `json:"version"`
	APIVersion      string   `json:"api_version"`
	ProtocolVersion string   `json:"protocol_version"`
	Builders        []string `json:"builders"`
	Provisioners    []string `json:"provisioners"`
	PostProcessors  []string `json:"post_processors"`
	DataSources     []string `json:"datasources"`
}

// unnamed is a component that is called like its plugin.
const unnamed = "-packer-default-plugin-name-"

// Describe asks a plugin what it holds.
func Describe(ctx context.Context, path string, env []string) (Description, error) {
	var d Description
	ctx, cancel := context.WithTimeout(ctx, describeLimit)
	defer cancel()
	out := &limited{max: maxDescription}
	cmd := exec.CommandContext(ctx, path, "describe")
	cmd.Env = env
	cmd.Stdout = out
	cmd.SysProcAttr = ownGroup()
	cmd.WaitDelay = linger
	if err := cmd.Run(); err != nil {
		return d, fmt.Errorf("asking %s to describe itself: %w", filepath.Base(path), err)
	}
	if err := json.Unmarshal(out.Bytes(), &d); err != nil {
		return d, fmt.Errorf("asking %s to describe itself: %w", filepath.Base(path), err)
	}
	return d, nil
}

// names lists the components of a kind.
func (d Description) names(kind Kind) []string {
	switch kind {
	case Builder:
		return d.Builders
	case Provisioner:
		return d.Provisioners
	case PostProcessor:
		return d.PostProcessors
	default:
		return d.DataSources
	}
}

// All lists the components of a kind as templates call them, where the plugin
// is required under the name accessor.
func (d Description) All(kind Kind, accessor string) []string {
	var all []string
	for _, name := range d.names(kind) {
		if name == unnamed {
			all = append(all, accessor)
		} else {
			all = append(all, accessor+"-"+name)
		}
	}
	return all
}

// Program is how a component of the plugin is started; name is as templates
// call it.
func (d Description) Program(path, sha256 string, kind Kind, accessor, name string) (Program, bool) {
	i := slices.Index(d.All(kind, accessor), name)
	if i < 0 {
		return Program{}, false
	}
	p := Program{Path: path, Args: []string{"start", string(kind)}, SHA256: sha256, Proto: d.ProtocolVersion == "v2"}
	if p.Proto {
		p.Args = append(p.Args, "--protobuf")
	}
	p.Args = append(p.Args, d.names(kind)[i])
	return p, true
}

// limited is a buffer that drops what is beyond its bound.
type limited struct {
	bytes.Buffer
	max int
}

func (l *limited) Write(p []byte) (int, error) {
	if room := l.max - l.Len(); room > 0 {
		l.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// builtIn are the components that Packer itself holds (1.15, command/execute).
var builtIn = map[Kind][]string{
	Builder: {"file", "null"},
	Provisioner: {
		"breakpoint", "file", "hcp-sbom", "powershell", "shell", "shell-local", "sleep", "windows-restart",
		"windows-shell",
	},
	PostProcessor: {"artifice", "checksum", "compress", "manifest", "shell-local"},
	DataSource: {
		"hcp-packer-artifact", "hcp-packer-image", "hcp-packer-iteration", "hcp-packer-version", "http",
		"null",
	},
}

// BuiltIn is how a component of Packer itself is started. It speaks gob, as
// every Packer 1.x does.
func BuiltIn(packer, sha256 string, kind Kind, name string) (Program, bool) {
	if packer == "" || !slices.Contains(builtIn[kind], name) {
		return Program{}, false
	}
	return Program{Path: packer, Args: []string{"execute", "packer-" + string(kind) + "-" + name}, SHA256: sha256}, true
}

// BuiltInNames lists the components of a kind that Packer itself holds.
func BuiltInNames(kind Kind) []string { return builtIn[kind] }
