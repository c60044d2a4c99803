// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:20:00Z
// Spec: openspec/specs/lab/spec.md#requirement-identity
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// idLength is the length of a lab's identity: "lab-" and 26 characters (rand.Text).
const idLength = 30

// idLetters are those of rand.Text, in lower case.
const idLetters = "abcdefghijklmnopqrstuvwxyz234567"

// identity says which lab this is, in every start of it the same: it is made
// with a cache's first lab, so that what a lab built last week counts as built in
// it. A file that was cut short by a crash is made anew.
func identity(ctx context.Context, cache string) (string, error) {
	lock, err := takeLock(ctx, filepath.Join(cache, "lab-id.lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	path := filepath.Join(cache, "lab-id")
	text, err := readOwn(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading which lab this is: %w", err)
	}
	id := strings.TrimSpace(string(text))
	if random, ok := strings.CutPrefix(id, "lab-"); ok && len(id) == idLength && strings.Trim(random, idLetters) == "" {
		return id, nil
	}
	id = "lab-" + strings.ToLower(rand.Text())
	if err := safefile.Replace(path, []byte(id+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("writing which lab this is: %w", err)
	}
	return id, nil
}
