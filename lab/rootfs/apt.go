// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:30:00Z
// Spec: openspec/specs/lab/spec.md#requirement-root-file-system
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"bufio"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// source is one entry of apt's sources: a place and the suites taken from it.
type source struct {
	uri    string
	suites []string
}

// hostSources reads the host's apt sources below dir (/etc/apt), both formats of sources.list(5).
// What cannot be read is passed over: the defaults stand in for it.
func hostSources(dir string) []source {
	var found []source
	lists, _ := filepath.Glob(filepath.Join(dir, "sources.list.d", "*.list"))
	for _, file := range append(lists, filepath.Join(dir, "sources.list")) {
		if content, err := os.ReadFile(file); err == nil {
			found = append(found, parseList(string(content))...)
		}
	}
	stanzas, _ := filepath.Glob(filepath.Join(dir, "sources.list.d", "*.sources"))
	for _, file := range stanzas {
		if content, err := os.ReadFile(file); err == nil {
			found = append(found, parseStanzas(string(content))...)
		}
	}
	return found
}

// parseList reads one-line entries: deb [options] uri suite component...
func parseList(content string) []source {
	var found []source
	scan := bufio.NewScanner(strings.NewReader(content))
	for scan.Scan() {
		entry, isDeb := strings.CutPrefix(strings.TrimSpace(scan.Text()), "deb ")
		if !isDeb {
			continue
		}
		entry = strings.TrimSpace(entry)
		if strings.HasPrefix(entry, "[") {
			_, entry, _ = strings.Cut(entry, "]")
		}
		if f := strings.Fields(entry); len(f) >= 2 && isMirror(f[0]) {
			found = append(found, source{uri: f[0], suites: []string{f[1]}})
		}
	}
	return found
}

// parseStanzas reads deb822 stanzas.
func parseStanzas(content string) []source {
	var found []source
	for stanza := range strings.SplitSeq(content, "\n\n") {
		fields := make(map[string][]string)
		name := ""
		for line := range strings.SplitSeq(stanza, "\n") {
			switch {
			case strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"):
				fields[name] = append(fields[name], strings.Fields(line)...)
			default:
				key, value, _ := strings.Cut(line, ":")
				name = strings.ToLower(strings.TrimSpace(key))
				fields[name] = strings.Fields(value)
			}
		}
		if !slices.Contains(fields["types"], "deb") || slices.Contains(fields["enabled"], "no") {
			continue
		}
		for _, uri := range fields["uris"] {
			if isMirror(uri) {
				found = append(found, source{uri: uri, suites: fields["suites"]})
			}
		}
	}
	return found
}

// isMirror tells whether debootstrap can use the address. Anything else, such as mirror+file, is passed over.
func isMirror(uri string) bool {
	return strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://")
}
