// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:03:43Z
// Spec: openspec/specs/config/spec.md#requirement-variable-layers-with-provenance
// Diagram: openspec/specs/config/diagram.md#layers-of-a-variable

package config

import (
	"errors"
	"io/fs"
	"os"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// Layer is one variable file that was read.
type Layer struct {
	Name   string // e.g. "linux/debian/common"
	File   *hclfile.File
	Values map[string]hclfile.Literal
}

// Reader reads variable files, each once. Its methods may be called at the
// same time.
type Reader struct {
	tree  fs.FS
	mu    sync.Mutex
	cache map[string]cached
}

type cached struct {
	absent   bool
	layer    Layer
	findings []hybridcore.Finding
}

// NewReader returns a Reader for the project below root, which must stay open.
func NewReader(root *os.Root) *Reader {
	return NewReaderFS(hclfile.Folder(root))
}

// NewReaderFS returns a Reader for a project's tree of any kind.
func NewReaderFS(tree fs.FS) *Reader { return &Reader{tree: tree, cache: map[string]cached{}} }

// Layers reads the files of the given places (name and file) in their order.
// Files that do not exist are left out; everything that is wrong with the
// others is returned at once.
func (r *Reader) Layers(places []hybridcore.Layer) ([]Layer, []hybridcore.Finding) {
	var layers []Layer
	var findings []hybridcore.Finding
	for _, place := range places {
		entry := r.read(place.File)
		findings = append(findings, entry.findings...)
		if entry.absent || entry.layer.File == nil {
			continue
		}
		layer := entry.layer
		layer.Name = place.Name
		layers = append(layers, layer)
	}
	return layers, findings
}

// Only leaves one variable of the layers that set it.
func Only(layers []Layer, name string) []Layer {
	var only []Layer
	for _, layer := range layers {
		if literal, ok := layer.Values[name]; ok {
			layer.Values = map[string]hclfile.Literal{name: literal}
			only = append(only, layer)
		}
	}
	return only
}

func (r *Reader) read(path string) cached {
	r.mu.Lock()
	defer r.mu.Unlock()
	if entry, ok := r.cache[path]; ok {
		return entry
	}
	var entry cached
	file, err := hclfile.ReadFS(r.tree, path, hclfile.VarFile())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		entry.absent = true
	case err != nil:
		entry.findings = hclfile.Findings(path, err)
	default:
		entry.layer.File = file
		entry.layer.Values, entry.findings = file.Literals()
	}
	r.cache[path] = entry
	return entry
}
