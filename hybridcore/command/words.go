// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:39:17Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package command

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// reasonFlag is the one flag whose value is free text.
const reasonFlag = "--reason"

// quotes are what people and their telephones put around a text; a telephone also writes a dash for the two hyphens of
// a flag.
const quotes = "\"“”„«»"

// punctuation is what a free text may hold beside letters, digits and blanks. Nothing of it is read as more than text
// by a shell in double quotes, by the CI systems, which expand variables in values, or by Slack, which writes its own
// marks with &, < and >.
const punctuation = " .,:;!?()/+-_=#@'’%*…–—"

// Words splits a line from outside the shell at its blanks, and makes one word of a verb's two. There is no quoting but
// of the free text after --reason.
func Words(line string) ([]string, error) {
	if len(line) > MaxBytes {
		return nil, hybridcore.Usagef("the command has %d bytes; at most %d are read", len(line), MaxBytes)
	}
	if strings.ContainsAny(line, "\r\n\x00\\") {
		return nil, hybridcore.Usagef(noQuotes)
	}
	var words []string
	for rest := strings.Fields(line); len(rest) > 0; {
		word := flagged(rest[0])
		rest = rest[1:]
		value, free := strings.CutPrefix(word, reasonFlag)
		if !free || value != "" && value[0] != '=' {
			if strings.ContainsAny(word, quotes+"'`") {
				return nil, hybridcore.Usagef(noQuotes)
			}
			words = append(words, word)
			continue
		}
		if value = strings.TrimPrefix(value, "="); value != "" {
			rest = slices.Insert(rest, 0, value)
		}
		reason, after, err := freeText(rest)
		if err != nil {
			return nil, err
		}
		words, rest = append(words, reasonFlag+"="+reason), after
	}
	if len(words) > 1 && words[0] == firstOfTwo && !strings.HasPrefix(words[1], "-") &&
		!strings.ContainsAny(words[1], "@/") {
		words = slices.Insert(words[2:], 0, words[0]+"-"+words[1])
	}
	return words, nil
}

// firstOfTwo begins the verbs of two words.
const firstOfTwo = "lease"

// Line is the line that Words splits into these words.
func Line(words []string) string {
	all := slices.Clone(words)
	for i, word := range all {
		if value, free := strings.CutPrefix(word, reasonFlag+"="); free {
			all[i] = reasonFlag + ` "` + value + `"`
		}
	}
	if second, two := strings.CutPrefix(all[0], firstOfTwo+"-"); two {
		all[0] = firstOfTwo + " " + second
	}
	return strings.Join(all, " ")
}

const noQuotes = "the command holds a quote, a backslash or a line break; write plain words on one line"

// flagged is a word with its flag as the grammar has it.
func flagged(word string) string {
	for _, dash := range []string{"—", "–"} {
		if name, ok := strings.CutPrefix(word, dash); ok && name != "" && name[0] >= 'a' && name[0] <= 'z' {
			return "--" + name
		}
	}
	return word
}

// freeText takes a text from the beginning of a line: in quotes, or else up to the next flag.
func freeText(words []string) (text string, after []string, err error) {
	line := strings.Join(words, " ")
	if first, size := utf8.DecodeRuneInString(line); size > 0 && strings.ContainsRune(quotes, first) {
		end := strings.IndexAny(line[size:], quotes)
		if end < 0 {
			return "", nil, hybridcore.Usagef("the quote after %s has no end", reasonFlag)
		}
		text = line[size : size+end]
		_, closing := utf8.DecodeRuneInString(line[size+end:])
		rest := line[size+end+closing:]
		if rest != "" && rest[0] != ' ' {
			return "", nil, hybridcore.Usagef("%.20q stands right after a quote: a text in quotes has none inside", rest)
		}
		after = strings.Fields(rest)
	} else {
		end := slices.IndexFunc(words, func(word string) bool { return strings.HasPrefix(flagged(word), "--") })
		if end < 0 {
			end = len(words)
		}
		text, after = strings.Join(words[:end], " "), words[end:]
	}
	for _, r := range text {
		if !unicode.In(r, unicode.Letter, unicode.Mark, unicode.Number) && !strings.ContainsRune(punctuation, r) {
			return "", nil, hybridcore.Usagef("the text after %s holds %q: write it with letters, digits, blanks and %s "+
				"only", reasonFlag, r, strings.TrimSpace(punctuation))
		}
	}
	return strings.TrimSpace(text), after, nil
}
