// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:14:00Z
// Spec: openspec/specs/state/spec.md#requirement-who-shows-what-to-a-repository
// Diagram: openspec/specs/state/diagram.md#git-ref

package git

import (
	"context"
	"fmt"
	"strings"
)

// maxAddress bounds the address of a remote, in bytes.
const maxAddress = 4 << 10

// Origin is the address of the remote origin, as the clone's configuration has it.
func (r *Repository) Origin(ctx context.Context) (string, error) {
	out, err := r.git.Run(ctx, maxAddress, "config", "--local", "--get", "remote.origin.url")
	if err != nil {
		return "", fmt.Errorf("looking for the remote origin: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
