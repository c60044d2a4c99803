// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:50:00Z
// Spec: openspec/specs/logs/spec.md#requirement-documents-stay-documents
// Diagram: openspec/specs/logs/diagram.md#documents

package redact

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// JSON returns a JSON document with what the redactor knows hidden in its strings, names included. Numbers, true,
// false and null stay: a mark in their place would be no JSON. Text that is none is redacted as a whole.
func (r *Redactor) JSON(text []byte) []byte {
	if !json.Valid(text) {
		return r.Bytes(text)
	}
	out, name := make([]byte, 0, len(text)), ""
	for len(text) > 0 {
		start := bytes.IndexByte(text, '"')
		if start < 0 {
			break
		}
		if bytes.ContainsAny(text[:start], ",[{") {
			name = "" // it was that of another value
		}
		end := start + literal(text[start:])
		rest := bytes.TrimLeft(text[end:], " \t\r\n")
		value, said := text[start:end], ""
		if json.Unmarshal(value, &said) == nil {
			value = r.quoted(value, name, said)
		}
		if name = ""; len(rest) > 0 && rest[0] == ':' {
			name = said
		}
		out = append(append(out, text[:start]...), value...)
		text = text[end:]
	}
	return append(out, text...)
}

// literal is the length of the string that a text begins with.
func literal(text []byte) int {
	at := 1
	for ; at < len(text) && text[at] != '"'; at++ {
		if text[at] == '\\' {
			at++
		}
	}
	return min(at+1, len(text))
}

// quoted is a string of a document, redacted. The name that it is the value of decides with it: some credentials are
// known by what stands before them.
func (r *Redactor) quoted(as []byte, name, said string) []byte {
	clean := r.String(said)
	if before := name + ": "; clean == said && name != "" && r.String(before) == before {
		clean = r.String(before + said)[len(before):]
	}
	if clean == said {
		return as
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the mark is to be found
	if enc.Encode(clean) != nil {
		return []byte(`""`) // cannot be: a string always encodes
	}
	var out []byte
	for _, c := range string(bytes.TrimRight(b.Bytes(), "\n")) {
		if c < 0x7f {
			out = append(out, byte(c))
			continue
		}
		for _, unit := range utf16.Encode([]rune{c}) { // what a terminal would obey is among them
			out = fmt.Appendf(out, "\\u%04x", unit)
		}
	}
	return out
}

// counts are the attributes of a JUnit report that are numbers.
var counts = map[string]bool{"tests": true, "failures": true, "errors": true, "skipped": true, "time": true}

// XML returns an XML document with what the redactor knows hidden in its texts and in the values of its attributes,
// but for the numbers of a JUnit report: the mark's own brackets are escaped. Text that is none is redacted as a whole.
func (r *Redactor) XML(text []byte) []byte {
	out, err := r.xml(text)
	if err != nil {
		return r.Bytes(text)
	}
	return out
}

func (r *Redactor) xml(text []byte) ([]byte, error) {
	var out bytes.Buffer
	from, to := xml.NewDecoder(bytes.NewReader(text)), xml.NewEncoder(&out)
	for {
		token, err := from.RawToken()
		if errors.Is(err, io.EOF) {
			return out.Bytes(), to.Close()
		}
		if err != nil {
			return nil, err //nolint:wrapcheck // the text is redacted as a whole then
		}
		switch t := token.(type) {
		case xml.CharData:
			token = xml.CharData(r.Bytes(t))
		case xml.Comment:
			token = xml.Comment(r.Bytes(t))
		case xml.StartElement:
			for i, a := range t.Attr {
				if !counts[a.Name.Local] || strings.Trim(a.Value, "0123456789.") != "" {
					t.Attr[i].Value = r.String(a.Value)
				}
			}
		}
		if err := to.EncodeToken(token); err != nil {
			return nil, err //nolint:wrapcheck // as above
		}
		if err := to.Flush(); err != nil {
			return nil, err //nolint:wrapcheck // as above
		}
	}
}

// JSONLines returns a writer that redacts each write as one JSON document, and else is as Writer's.
func (r *Redactor) JSONLines(w io.Writer) *Writer {
	return &Writer{redactor: r, sink: w, documents: true}
}
