// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:56Z
// Spec: openspec/specs/lab/spec.md#requirement-root-file-system
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"fmt"
	"os"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// family is a row of the table of systems that guests can hold.
type family struct {
	system hybridcore.System // as the root file system's os-release says
	recipe func() (recipe, error)
}

// families are those that there are; guests hold the first.
var families = []family{
	{hybridcore.System{ID: "debian", Version: version}, debian},
}

// System is what guests hold.
func System() hybridcore.System { return families[0].system }

// check compares what a root file system says of itself with the table.
func (f family) check(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("looking into the root file system: %w", err)
	}
	defer func() { _ = root.Close() }() // only read
	text, err := root.ReadFile("etc/os-release")
	if err != nil {
		return fmt.Errorf("looking for the root file system's name: %w", err)
	}
	var said hybridcore.System
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch value = strings.Trim(value, `"'`); key {
		case "ID":
			said.ID = value
		case "VERSION_ID":
			said.Version = value
		}
	}
	if !f.system.Is(said) {
		return fmt.Errorf("the root file system %s is to be %s and says that it is %s", dir, f.system, said)
	}
	return nil
}
