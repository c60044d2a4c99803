// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T16:01:00Z
// Spec: openspec/specs/posting/spec.md#requirement-what-a-dead-run-left
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"errors"
	"io/fs"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// maxStrays bounds the files that are told of.
const maxStrays = 20

// Strays tells of files in the project that are named like outboxes.
func Strays(root string) (said []string) {
	logs, err := safefile.ViewFolder(root, "logs")
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return []string{"logs/ of the project is not looked at: " + err.Error()}
	}
	defer logs.Close()                             //nolint:errcheck // nothing is written through it
	found, _ := fs.Glob(logs.FS(), "*/*"+FileName) // the pattern is well formed
	for _, name := range found[:min(len(found), maxStrays)] {
		said = append(said, "logs/"+name+
			" is not sent: it lies in the project, where a checkout can put files; jobs keep their reports outside of it")
	}
	return said
}
