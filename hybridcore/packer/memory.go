// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:48Z
// Spec: openspec/specs/packer/spec.md#requirement-remembered-checks
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// Memory is a directory that remembers what was found out about binaries: the
// version of a Packer, the digest of a plugin. Asking again costs 50 ms, hashing
// again a millisecond for each MB. An answer holds for as long as the file has
// the same size and modification time. Its change time says less: linking a
// plugin into a job's tree alters that. Packer itself still checks each plugin's
// digest before it starts one. The empty Memory remembers nothing.
type Memory string

// recall returns what is remembered of a file, or an empty string.
func (m Memory) recall(kind, path string) string {
	id := m.identity(path)
	if id == "" {
		return ""
	}
	text, err := safefile.Read(m.file(kind, path), 4<<10)
	if err != nil {
		return ""
	}
	was, value, _ := strings.Cut(string(text), "\n")
	value, whole := strings.CutSuffix(value, "\n")
	if was != id || !whole {
		return ""
	}
	return value
}

// remember keeps an answer. A failure costs the next run some time, no more.
func (m Memory) remember(kind, path, value string) {
	id := m.identity(path)
	if id != "" {
		_ = safefile.Keep(m.file(kind, path), []byte(id+"\n"+value+"\n"))
	}
}

func (m Memory) file(kind, path string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(string(m), kind+"-"+hex.EncodeToString(sum[:16]))
}

// identity changes whenever the file does.
func (m Memory) identity(path string) string {
	if m == "" {
		return ""
	}
	info, err := os.Stat(path)
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%s %d %d", path, info.Size(), info.ModTime().UnixNano())
}
