// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:44Z
// Spec: openspec/specs/sources/spec.md#requirement-checks-without-git
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package git

import (
	"path/filepath"
	"testing"
)

func FuzzTrusted(f *testing.F) {
	f.Add([]byte("100644 blob e69de29bb2d1d6434b8b29ae775ad8c2e48c5391       0\ta\x00"))
	f.Add([]byte("100644 blob e69de29bb2d1d6434b8b29ae775ad8c2e48c5391       0\ta/b\x00120000 blob " +
		"e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 0\ta/../c\x00"))
	f.Add([]byte("160000 commit e69de29bb2d1d6434b8b29ae775ad8c2e48c5391 -\tm\x00"))
	f.Fuzz(func(t *testing.T, list []byte) {
		entries, err := parseList(list, true)
		if err != nil {
			return
		}
		treeID(entries, 0)
		for _, e := range entries {
			if !filepath.IsLocal(e.Path) {
				t.Errorf("a path outside: %q", e.Path)
			}
		}
	})
}
