// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:44Z
// Spec: openspec/specs/sources/spec.md#requirement-checks-without-git
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package git

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // git's own object names; the pin is one
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Bounds of what sync leaves in a checkout's .git. Linux, with 90,000 files,
// has a list of 9 MiB.
const (
	MaxCommit = 1 << 20  // bytes of a commit object
	MaxList   = 64 << 20 // bytes of the list of files
	maxNested = 256      // folders within each other
)

// Modes of a tree's entries.
const (
	ModeFile    = "100644"
	ModeProgram = "100755"
	ModeLink    = "120000"
	ModeModule  = "160000" // a submodule: an empty folder, for none is fetched
	modeFolder  = "40000"
)

// Entry is one file of a commit.
type Entry struct {
	Mode string
	ID   string // of the object, in hexadecimal digits
	Size int64  // bytes; -1 for a submodule, and where the list does not say it
	Path string
}

// ObjectID is the name git gives to an object.
func ObjectID(kind string, content []byte) string {
	h := sha1.New() //nolint:gosec // git's object names
	fmt.Fprintf(h, "%s %d\x00", kind, len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

// treeOf returns the tree that a commit object names, if the object is the
// commit of that name.
func treeOf(object []byte, commit string) (string, error) {
	if id := ObjectID("commit", object); id != commit {
		return "", fmt.Errorf("the commit object has the hash %s, not that of the commit", id)
	}
	line, _, _ := bytes.Cut(object, []byte("\n"))
	tree, ok := strings.CutPrefix(string(line), "tree ")
	if !ok || !hybridcore.IsObjectID(tree) {
		return "", fmt.Errorf("the commit object names no tree")
	}
	return tree, nil
}

// parseList reads the output of `git ls-tree -r -z`, with the sizes that -l adds or
// without.
func parseList(list []byte, sizes bool) ([]Entry, error) {
	var entries []Entry
	for record := range strings.SplitSeq(string(list), "\x00") {
		if record == "" {
			continue
		}
		e, ok := ParseEntry(record, sizes)
		if !ok {
			return nil, fmt.Errorf("the list of files holds %.80q", record)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// ParseEntry reads MODE TYPE OBJECT SIZE TAB PATH, or the same without a size.
func ParseEntry(record string, sizes bool) (Entry, bool) {
	head, path, found := strings.Cut(record, "\t")
	fields := strings.Fields(head)
	want := 3
	if sizes {
		want++
	}
	if !found || len(fields) != want || !hybridcore.IsObjectID(fields[2]) || !local(path) {
		return Entry{}, false
	}
	e := Entry{Mode: fields[0], ID: fields[2], Path: path, Size: -1}
	switch {
	case e.Mode == ModeModule:
		return e, !sizes || fields[3] == "-"
	case !slices.Contains([]string{ModeFile, ModeProgram, ModeLink}, e.Mode):
		return Entry{}, false
	case !sizes:
		return e, true
	}
	var err error
	e.Size, err = strconv.ParseInt(fields[3], 10, 64)
	return e, err == nil && e.Size >= 0
}

// local says whether a path stays within the checkout and out of .git.
func local(path string) bool {
	segments := strings.Split(path, "/")
	if len(segments) > maxNested {
		return false
	}
	for _, s := range segments {
		if s == "" || s == "." || s == ".." || strings.EqualFold(s, ".git") {
			return false
		}
	}
	return true
}

// treeID computes the name of the tree that holds these files, which stand in
// git's order, that of their paths' bytes; prefix is how much of each path is
// behind us. Another order gives a name that fits nothing.
func treeID(entries []Entry, prefix int) string {
	type item struct {
		key, name, mode, id string
	}
	var items []item
	for i := 0; i < len(entries); {
		name, _, nested := strings.Cut(entries[i].Path[prefix:], "/")
		if !nested {
			items = append(items, item{name, name, entries[i].Mode, entries[i].ID})
			i++
			continue
		}
		end := i
		for end < len(entries) && strings.HasPrefix(entries[end].Path[prefix:], name+"/") {
			end++
		}
		items = append(items, item{name + "/", name, modeFolder, treeID(entries[i:end], prefix+len(name)+1)})
		i = end
	}
	slices.SortFunc(items, func(a, b item) int { return strings.Compare(a.key, b.key) })
	var content bytes.Buffer
	for _, it := range items {
		content.WriteString(it.mode + " " + it.name + "\x00")
		id, _ := hex.DecodeString(it.id) // ParseEntry has looked at it
		content.Write(id)
	}
	return ObjectID("tree", content.Bytes())
}

// Trusted returns the files of a commit from its object and its list, when
// both belong to it: nothing else of a checkout's .git needs to be believed.
func Trusted(commit string, object, list []byte) ([]Entry, error) {
	want, err := treeOf(object, commit)
	if err != nil {
		return nil, err
	}
	entries, err := parseList(list, true)
	if err != nil {
		return nil, err
	}
	if got := treeID(entries, 0); got != want {
		return nil, fmt.Errorf("the list of files hashes to %s, but the commit's tree is %s", got, want)
	}
	return entries, nil
}
