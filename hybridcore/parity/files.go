// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:58:00Z
// Spec: openspec/specs/parity/spec.md#requirement-what-an-image-is-made-of
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxFolders bounds what a scope lists by name.
const maxFolders = 50

// files reads what lies in the folders that the guest compares.
func files(n *Normal, raw json.RawMessage) error {
	if n.format < wholeFolders {
		return listedFiles(n, raw)
	}
	var said struct {
		Packages map[string]string            `json:"packages"`
		Tree     map[string]map[string]string `json:"tree"`
		Rules    []struct {
			How, Reason string
			Paths       map[string]int
		} `json:"rules"`
		Scope struct {
			PackageFiles int      `json:"package_files"`
			BySize       int      `json:"by_size"`
			NoDigest     int      `json:"no_digest"`
			Listed       int      `json:"listed"`
			Unread       int      `json:"unread"`
			NotEntered   []string `json:"not_entered"`
		} `json:"scope"`
	}
	if err := unmarshal(raw, &said); err != nil {
		return err
	}
	n.contents = said.Packages
	n.scope = &hybridcore.Scope{
		Folders: []string{}, PackageFiles: said.Scope.PackageFiles, BySize: said.Scope.BySize,
		NoDigest: said.Scope.NoDigest, Unread: said.Scope.Unread, NotEntered: firstOf(said.Scope.NotEntered),
	}
	for _, rule := range said.Rules {
		for path, count := range rule.Paths {
			n.add("files", "(rule) "+rule.How+" "+path, "in force")
			n.rules++
			switch rule.How {
			case "compare":
				n.scope.Folders = append(n.scope.Folders, path)
			case "leave out":
				n.scope.LeftOut += count
				n.scope.LeftOutRules += min(count, 1)
			case "own":
				n.scope.Own += count
			case "normalise":
				n.scope.Normalised += count
			}
		}
	}
	slices.Sort(n.scope.Folders)
	n.scope.Folders = firstOf(n.scope.Folders)
	for folder, names := range said.Tree {
		for name, text := range names {
			e := Entry{Key: strings.TrimSuffix(folder, "/") + "/" + name, Value: text}
			e.Package, e.Value = owner(text)
			n.sections["files"] = append(n.sections["files"], e)
		}
	}
	return nil
}

func firstOf(list []string) []string {
	all := []string{}
	for _, text := range list[:min(len(list), maxFolders)] {
		all = append(all, clean(text))
	}
	return all
}

// has says whether a package is installed.
func (n Normal) has(name string) bool {
	_, found := slices.BinarySearchFunc(n.sections["packages"], name,
		func(e Entry, name string) int { return strings.Compare(e.Key, name) })
	return found
}

// comesWith says whether an entry that only one side has is in its package, which the other side lacks: the
// difference is that of the package.
func comesWith(category string, e *Entry, other Normal) bool {
	return category == "files" && e.brought() && !other.has(e.Package)
}

// listing is what is compared of files, in words.
func (n Normal) listing() string {
	if n.scope == nil {
		return fmt.Sprintf("not compared: a fixed list of files (inventory format %d)", n.format)
	}
	return fmt.Sprintf("not compared: whole folders (inventory format %d)", n.format)
}

// ownFiles hold what each host makes for itself: of them only mode and owner
// are compared, or, for the names of devices, nothing. Since format 3 the guest
// is told so by its rules.
var (
	ownContent = []string{"/etc/chrony/chrony.keys", "/etc/chrony.keys"}
	ownFiles   = []string{"/etc/udev/rules.d/70-persistent-*.rules"}
)

// listedFiles reads the fixed list of files of formats 1 and 2.
func listedFiles(n *Normal, raw json.RawMessage) error {
	var list map[string]struct{ Group, Owner, Link, Mode, SHA256 string }
	if err := unmarshal(raw, &list); err != nil {
		return err
	}
	for path, f := range list {
		switch {
		case slices.ContainsFunc(ownFiles, func(glob string) bool { return match(glob, path) }):
			continue
		case f.Link != "":
			n.add("files", path, fmt.Sprintf("%s:%s link to %s", f.Owner, f.Group, f.Link))
			continue
		case slices.Contains(ownContent, path):
			f.SHA256 = "own"
		}
		n.add("files", path, fmt.Sprintf("%s %s:%s sha256:%s", f.Mode, f.Owner, f.Group, f.SHA256))
	}
	return nil
}
