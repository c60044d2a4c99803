// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:42:00Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

package upstream

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// maxFiles bounds the files of which one list has the checksums.
const maxFiles = 1 << 14

// maxAlike bounds the names that are told of a file that is not published.
const maxAlike = 3

// sum is a line of sha256sum or sha512sum: the star says that it read bytes, not text.
var sum = regexp.MustCompile(`^([0-9a-f]{64}|[0-9a-f]{128}) [ *](?:\./)?([A-Za-z0-9][A-Za-z0-9._+-]{0,254})$`)

// Checksums reads a file in the form of sha256sum or sha512sum: the checksums of files by
// their names. One without any checksum is an error: it publishes nothing, and says nothing.
func Checksums(text []byte) (map[string]string, error) {
	found := map[string]string{}
	for line := range strings.Lines(string(text)) {
		m := sum.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue // a comment, a signature, a file in a folder
		}
		if was, twice := found[m[2]]; twice && was != m[1] {
			return nil, fmt.Errorf("it has two checksums of %s", m[2])
		}
		if found[m[2]] = m[1]; len(found) > maxFiles {
			return nil, fmt.Errorf("it has more than %d files", maxFiles)
		}
	}
	if len(found) == 0 {
		return nil, errors.New("it has no checksum in the form of sha256sum or sha512sum")
	}
	return found, nil
}

// digits are those of a version in the name of a file.
var digits = regexp.MustCompile(`[0-9]+(\.[0-9]+)*`)

// Alike are published names that differ from a name in their numbers only, the last ones.
func Alike(published map[string]string, name string) []string {
	shape := digits.ReplaceAllString(name, "#")
	var alike []string
	for _, other := range slices.Sorted(maps.Keys(published)) {
		if digits.ReplaceAllString(other, "#") == shape {
			alike = append(alike, other)
		}
	}
	return alike[max(len(alike)-maxAlike, 0):]
}
