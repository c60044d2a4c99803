// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:24Z
// Spec: openspec/specs/packer/spec.md#requirement-failures-people-can-act-on
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package output

import (
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// MaxDiagnostics bounds one text with diagnostics, in bytes.
const MaxDiagnostics = 64 << 10

var (
	placeLine  = regexp.MustCompile(`^  on (.+?) line (\d+)(?:, in .*)?:$`)
	sourceLine = regexp.MustCompile(`^ *\d+: ?(.*)$`)
)

// FindingsOf reads the diagnostics in Packer's texts, for display. What it does
// not understand becomes a message without a place.
func FindingsOf(texts []string) []hybridcore.Finding {
	var found []hybridcore.Finding
	for _, text := range texts {
		var part []string
		for _, line := range append(strings.Split(text, "\n"), "Error: ") {
			starts := strings.HasPrefix(line, "Error: ") || strings.HasPrefix(line, "Warning: ")
			if starts && len(part) > 0 && len(found) < MaxTexts {
				found = append(found, finding(part))
				part = nil
			}
			part = append(part, line)
		}
	}
	return found
}

// finding reads one diagnostic: its headline, the place with the source line,
// and the detail, which Packer wraps at 80 columns.
func finding(part []string) hybridcore.Finding {
	f := hybridcore.Finding{Kind: hybridcore.KindSchema, Subject: "packer", Severity: hybridcore.Error}
	text, warning := strings.CutPrefix(part[0], "Warning: ")
	if warning {
		f.Severity = hybridcore.Warning
	}
	f.Message = strings.TrimSpace(strings.TrimPrefix(text, "Error: "))
	f.Blocking = !warning
	if strings.Contains(f.Message, "variable") {
		f.Kind = hybridcore.KindVariable
	}
	var detail []string
	for i := 1; i < len(part); i++ {
		if m := placeLine.FindStringSubmatch(part[i]); m != nil && f.File == "" {
			f.File = m[1]
			f.Line, _ = strconv.Atoi(m[2]) // digits; too many give the highest number
			if i+1 < len(part) {
				if src := sourceLine.FindStringSubmatch(part[i+1]); src != nil {
					f.Source = strings.TrimSpace(src[1])
					i++
				}
			}
			continue
		}
		if line := strings.TrimSpace(part[i]); line != "" && line != "(source code not available)" {
			detail = append(detail, line)
		}
	}
	f.Hint = strings.Join(detail, " ")
	return f
}

// ShowLine adds the line itself where Packer did not print it.
func ShowLine(stage string, f *hybridcore.Finding) {
	if f.File == "" || f.Line < 1 || f.Source != "" {
		return
	}
	root, err := os.OpenRoot(stage)
	if err != nil {
		return // the place is enough
	}
	defer func() { _ = root.Close() }() // nothing is written
	file, err := root.Open(f.File)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }() // opened for reading
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return
	}
	text, _ := io.ReadAll(io.LimitReader(file, MaxRecord)) // what could be read will do
	if all := strings.Split(string(text), "\n"); f.Line <= len(all) {
		f.Source = strings.TrimSpace(all[f.Line-1])
	}
}

// Headline is the first diagnostic of a text in one sentence, with its place.
func Headline(text string) string {
	found := FindingsOf([]string{text})
	if len(found) == 0 {
		return FirstLine(text)
	}
	f := found[0]
	message := f.Message
	if f.File != "" {
		message = f.File + ":" + strconv.Itoa(f.Line) + ": " + message
	}
	if f.Hint != "" {
		message += ": " + f.Hint
	}
	return message
}
