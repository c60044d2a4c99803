// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:23:48Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package provisioners

import (
	"io/fs"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Input is one target, and its project.
type Input struct {
	Target    hybridcore.Target
	Templates map[string]*hclfile.File // parsed, by path from the project root
	Files     fs.FS                    // of the project
}

// maxYAML bounds a file of Ansible's that is read, in bytes.
const maxYAML = 1 << 20

// content is a file of the project; nothing when it cannot be read.
func content(files fs.FS, name string) []byte {
	data, err := hclfile.BytesFS(files, name, hclfile.Limit{Kind: "file", Bytes: maxYAML})
	if err != nil {
		return nil // said when it is staged
	}
	return data
}
