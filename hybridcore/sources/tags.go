// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:40:00Z
// Spec: openspec/specs/sources/spec.md#requirement-what-is-asked-of-publishers
// Diagram: openspec/specs/drift/diagram.md#one-look

package sources

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
)

// maxTags bounds the answer of a repository about its tags, in bytes.
const maxTags = 4 << 20

// Tags asks a repository for the names of its tags.
func (s *Syncer) Tags(ctx context.Context, address string) ([]string, error) {
	if _, err := plainURL(address); err != nil {
		return nil, err
	}
	home, err := os.MkdirTemp("", "packer-hybrid-sources-")
	if err != nil {
		return nil, fmt.Errorf("asking for tags: %w", err)
	}
	defer os.RemoveAll(home) //nolint:errcheck // empty
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	g := git.Runner{Program: s.program(), Environ: s.Environ, Dir: home, Home: home}
	out, err := g.Run(ctx, maxTags, "ls-remote", "--quiet", "--tags", "--refs", "--end-of-options", address)
	if err != nil {
		return nil, fmt.Errorf("asking %s for tags: %w", address, err)
	}
	var tags []string
	for line := range strings.Lines(string(out)) {
		if _, tag, ok := strings.Cut(strings.TrimSpace(line), "\trefs/tags/"); ok {
			tags = append(tags, tag)
		}
	}
	return tags, nil
}
