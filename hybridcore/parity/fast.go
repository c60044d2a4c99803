// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:34:08Z
// Spec: openspec/specs/parity/spec.md#requirement-comparing-is-faster-than-diff
// Diagram: openspec/specs/parity/diagram.md#from-guest-to-record

package parity

import (
	"bytes"
	"slices"
	"strings"
)

// form is the packages section as inventory.py writes it: indented by one for
// each level, names sorted. JSON strings hold no line break, so these texts are
// never inside of one. What follows the first byte that is not exactly so is
// left to encoding/json, which takes ten times as long.
type form struct{ listStart, listEnd, itemStart, beforeMgr, beforeName, beforeVer, itemEnd string }

// formAt is the form of a section that is indented so far.
func formAt(indent string) form {
	field := "\n" + indent + "  \""
	return form{
		listStart: "\n" + indent + "\"packages\": [\n", listEnd: "\n" + indent + "]",
		itemStart: indent + " {" + field + "architecture\": \"",
		beforeMgr: "\"," + field + "manager\": \"", beforeName: "\"," + field + "name\": \"",
		beforeVer: "\"," + field + "version\": \"",
		itemEnd:   "\"\n" + indent + " }",
	}
}

// forms are those of formats 2 and 1.
var forms = []form{formAt("  "), formAt(" ")}

const (
	separator    = ",\n"
	bytesPerItem = 110 // about; for the first allocation
	bytesPerText = 36
)

// placeholder stands for the packages section while the rest is read, and
// proves that the section was where the inventory has its packages.
const placeholder = "\x7fplaceholder"

// fast reads the packages section and returns the document with the
// placeholder in its place. False means that the section is not written as
// expected, and that nothing is known about it.
func fast(data []byte) ([]Package, []byte, bool) {
	start, is := -1, form{}
	for _, is = range forms {
		if start = bytes.Index(data, []byte(is.listStart)); start >= 0 {
			break
		}
	}
	if start < 0 {
		return nil, nil, false
	}
	start += len(is.listStart)
	n := (len(data)-start)/bytesPerItem + 1
	r := reader{data: data, at: start}
	r.text.Grow(n * bytesPerText)
	list := make([]Package, 0, n)
	var p Package
	for {
		p.Architecture = r.again(is.itemStart, p.Architecture)
		p.Manager = r.again(is.beforeMgr, p.Manager)
		p.Name = r.value(is.beforeName)
		p.Version = r.value(is.beforeVer)
		r.skip(is.itemEnd)
		if r.failed {
			return nil, nil, false
		}
		list = append(list, p)
		if r.follows(is.listEnd) {
			break
		}
		r.skip(separator)
	}
	return list, slices.Concat(data[:start], []byte(`{"name":"\u007fplaceholder","version":"1"}`), data[r.at:]), true
}

// reader walks over a text that must be as expected.
type reader struct {
	data   []byte
	at     int
	failed bool
	// text holds the values one after the other. What was written to a builder
	// does not move away from strings that share it, also when it grows.
	text strings.Builder
}

func (r *reader) follows(text string) bool {
	return len(r.data)-r.at >= len(text) && string(r.data[r.at:r.at+len(text)]) == text
}

func (r *reader) skip(text string) {
	if r.failed = r.failed || !r.follows(text); !r.failed {
		r.at += len(text)
	}
}

// again reads a value that is mostly the same as the last one.
func (r *reader) again(before, last string) string {
	r.skip(before)
	if !r.failed && last != "" && r.follows(last) && r.at+len(last) < len(r.data) && r.data[r.at+len(last)] == '"' {
		r.at += len(last)
		return last
	}
	return r.value("")
}

// value reads up to the next quote. Anything but printable ASCII, and an
// escape, is a failure.
func (r *reader) value(before string) string {
	r.skip(before)
	if r.failed {
		return ""
	}
	for i, c := range r.data[r.at:] {
		if c == '"' {
			from := r.text.Len()
			r.text.Write(r.data[r.at : r.at+i])
			r.at += i
			return r.text.String()[from:]
		}
		if c < ' ' || c > '~' || c == '\\' {
			break
		}
	}
	r.failed = true
	return ""
}
