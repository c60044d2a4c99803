// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-form-of-files
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
)

// Limits of an Ansible file. Real roles have a few hundred nodes and no alias.
const (
	maxYAML      = 1 << 20
	maxYAMLDepth = 100     // brackets and indentation; the parser recurses
	maxYAMLNodes = 200_000 // after aliases are followed
)

// checkYAML checks that an Ansible file is YAML whose aliases do not multiply.
func checkYAML(found *finding.List, name string, content []byte) {
	refuse := func(message, hint string, line int) {
		found.Add(hybridcore.Finding{
			Kind: hybridcore.KindSyntax, Rule: finding.RuleYAML, Subject: name, File: name, Line: line,
			Message: hclfile.Printable(message), Hint: hint,
			Severity: hybridcore.Error, Blocking: true,
		})
	}
	switch line, deep := deepYAML(content); {
	case len(content) > maxYAML:
		refuse(fmt.Sprintf("the file is larger than %d KiB", maxYAML>>10), "split it", 0)
		return
	case bytes.IndexByte(content, 0) >= 0 || !utf8.Valid(content):
		refuse("the file is not UTF-8 text", "save it as UTF-8", 0)
		return
	case deep:
		refuse(fmt.Sprintf("nesting deeper than %d", maxYAMLDepth), "simplify it", line)
		return
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); err != nil {
			if message := err.Error(); message != "EOF" {
				line := 0
				_, _ = fmt.Sscanf(message, "yaml: line %d:", &line) // without a line it is 0
				refuse("the file is no YAML: "+strings.TrimPrefix(message, "yaml: "), "text with : { } or % needs quotes", line)
			}
			return
		}
		if expandedNodes(&document, map[*yaml.Node]int{}) > maxYAMLNodes {
			refuse(fmt.Sprintf("aliases expand the file to more than %d nodes", maxYAMLNodes), "write the values out", 1)
			return
		}
	}
}

// deepYAML finds the first line that nests too deep: by brackets outside of
// quotes, or by "- " and "? " on one line.
func deepYAML(content []byte) (int, bool) {
	open, line, dashes := 0, 1, 0
	for i, b := range content {
		switch b {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		case '\n':
			line++
			dashes = 0
		case '-', '?':
			if i+1 < len(content) && content[i+1] == ' ' {
				dashes++
			}
		}
		if open > maxYAMLDepth || dashes > maxYAMLDepth {
			return line, true
		}
	}
	return 0, false
}

// expandedNodes counts the nodes of a document with its aliases followed, up to a
// little more than the limit.
func expandedNodes(node *yaml.Node, known map[*yaml.Node]int) int {
	if n, ok := known[node]; ok {
		return n
	}
	known[node] = maxYAMLNodes + 1 // an alias to what is around it never ends
	total := 1
	if node.Alias != nil {
		total += expandedNodes(node.Alias, known)
	}
	for _, child := range node.Content {
		total = min(total+expandedNodes(child, known), maxYAMLNodes+1)
	}
	known[node] = total
	return total
}
