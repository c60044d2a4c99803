// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:54:39Z
// Spec: openspec/specs/repository/spec.md#requirement-file-headers
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package rules

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"
)

// License is the SPDX identifier that every header names.
const License = "Apache-2.0"

// commented maps file name endings to the sign that starts a comment line.
var commented = map[string]string{
	".go": "//", ".sh": "#", ".hcl": "#", ".py": "#", ".yml": "#", ".yaml": "#",
	"Makefile": "#", "Dockerfile": "#",
}

// Headers reports files without the header that the repository asks for: the
// licence, the creation time, the requirement and the diagram, an empty line.
// Every citation is resolved. Folders in except hold files of other tools.
func Headers(t *Tree, except []string) []Problem {
	var problems []Problem
	anchors := map[string][]string{}
	for _, f := range t.Files {
		sign := commentSign(f)
		if sign == "" || f.testdata() || within(f.Dir(), except) {
			continue
		}
		problems = append(problems, header(t, f, sign, anchors)...)
	}
	return problems
}

// commentSign is empty for files that need no header.
func commentSign(f *File) string {
	if sign := commented[path.Base(f.Path)]; sign != "" {
		return sign
	}
	if sign := commented[path.Ext(f.Path)]; sign != "" {
		return sign
	}
	if strings.HasPrefix(f.Text, "#!") {
		return "#"
	}
	return ""
}

// header checks one file. Lines that a program wants first (an interpreter,
// cloud-init's mark, YAML's start) may stand before the header.
func header(t *Tree, f *File, sign string, anchors map[string][]string) []Problem {
	lines := strings.Split(f.Text, "\n")
	at := 0
	for at < len(lines) && (strings.HasPrefix(lines[at], "#!") || lines[at] == "#cloud-config" || lines[at] == "---") {
		at++
	}
	next := func(key string) (string, bool) {
		if at >= len(lines) {
			return "", false
		}
		return strings.CutPrefix(lines[at], sign+" "+key+": ")
	}
	problem := func(format string, args ...any) []Problem {
		return []Problem{{f.Path, at + 1, fmt.Sprintf(format, args...)}}
	}
	if value, ok := next("SPDX-License-Identifier"); !ok || value != License {
		return problem("the header must start with %q", sign+" SPDX-License-Identifier: "+License)
	}
	at++
	if value, ok := next("Created"); !ok || !utcTime(value) {
		return problem("the second line must be %q with the UTC time of creation", sign+" Created: 2006-01-02T15:04:05Z")
	}
	at++
	for _, kind := range []struct{ key, file string }{{"Spec", "spec.md"}, {"Diagram", "diagram.md"}} {
		cited := at
		for value, ok := next(kind.key); ok; value, ok = next(kind.key) {
			if text := cite(t, value, kind.file, anchors); text != "" {
				return problem("%s: %s", kind.key, text)
			}
			at++
		}
		if at == cited {
			return problem("the next line must be %q", sign+" "+kind.key+": openspec/specs/CAPABILITY/"+kind.file+"#HEADING")
		}
	}
	if !emptyLine(lines[at:], sign) {
		return problem("an empty line must follow the header")
	}
	return nil
}

// emptyLine says whether the first line is empty, or a bare comment sign: in
// a script the description may follow in the same block.
func emptyLine(lines []string, sign string) bool {
	return len(lines) == 0 || lines[0] == "" || sign != "//" && lines[0] == sign
}

func utcTime(text string) bool {
	_, err := time.Parse("2006-01-02T15:04:05Z", text)
	return err == nil
}

var citation = regexp.MustCompile(`^(openspec/specs/[a-z0-9-]+/([a-z]+\.md))#(\S+)$`)

// cite says what is wrong with a citation, or nothing.
func cite(t *Tree, text, file string, anchors map[string][]string) string {
	parts := citation.FindStringSubmatch(text)
	if parts == nil || parts[2] != file {
		return fmt.Sprintf("%q is not of the form openspec/specs/CAPABILITY/%s#HEADING", text, file)
	}
	doc := t.Get(parts[1])
	if doc == nil {
		return parts[1] + " does not exist"
	}
	if anchors[parts[1]] == nil {
		anchors[parts[1]] = Anchors(doc.Text)
	}
	known := anchors[parts[1]]
	if !slices.Contains(known, parts[3]) {
		return fmt.Sprintf("%s has no heading #%s (it has #%s)", parts[1], parts[3], strings.Join(known, ", #"))
	}
	return ""
}
