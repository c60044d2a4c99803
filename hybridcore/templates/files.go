// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:24Z
// Spec: openspec/specs/templates/spec.md#requirement-a-target-is-a-fixed-list-of-files
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// KindDrift is the kind of findings about files that work behind the plan.
const KindDrift = "drift"

// Limits of a templates folder. The public example frameworks hold 200 files
// with 1 MiB together.
const (
	maxFiles    = 10_000
	maxFile     = 16 << 20 // bytes of one file
	maxTotal    = 64 << 20 // bytes of all files
	maxTotalHCL = 8 << 20  // bytes of all files that end with .hcl
	maxDepth    = 32       // folders above a file: opening one costs as many steps
)

// ignored names what editors, version control and Ansible leave behind; it
// enters no target.
var ignored = []string{".git", ".DS_Store", "*.swp", "*~", "__pycache__", "*.pyc", "*.retry", ".gitkeep"}

// walker collects the files of a templates folder and their problems.
type walker struct {
	tree     fs.FS
	files    map[string]asset
	total    int64
	totalHCL int64
	findings []hybridcore.Finding
}

func walk(tree fs.FS) (map[string]asset, []hybridcore.Finding, error) {
	w := &walker{tree: tree, files: map[string]asset{}}
	if err := fs.WalkDir(tree, ".", w.visit); err != nil && !errors.Is(err, fs.SkipAll) {
		return nil, nil, fmt.Errorf("reading the folder: %w", err)
	}
	return w.files, w.findings, nil
}

func (w *walker) visit(name string, entry fs.DirEntry, err error) error {
	if err != nil {
		w.add(hybridcore.KindSchema, name, fmt.Sprintf("cannot be read: %v", cause(err)), "make it readable or remove it")
		if entry != nil && entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if name != "." && isIgnored(path.Base(name)) {
		if entry.IsDir() {
			return fs.SkipDir
		}
		return nil
	}
	if entry.IsDir() {
		if strings.Count(name, "/") < maxDepth {
			return nil
		}
		w.add(hybridcore.KindSchema, path.Dir(name), fmt.Sprintf("it lies more than %d folders deep", maxDepth),
			"keep only what goes into images here")
		return fs.SkipDir
	}
	if len(w.files) >= maxFiles {
		w.add(hybridcore.KindSchema, name, fmt.Sprintf("the folder holds more than %d files", maxFiles),
			"keep only what goes into images here")
		return fs.SkipAll
	}
	if auto(name) {
		w.add(KindDrift, name, "Packer would load this file unasked",
			"rename it to one of the layers below templates/vars/ or configs/, or remove it")
	}
	return w.file(name)
}

// file reads one entry that is a file or a link to one.
func (w *walker) file(name string) error {
	f, err := w.tree.Open(name)
	if err != nil {
		w.add(hybridcore.KindSchema, name, fmt.Sprintf("cannot be opened: %v", cause(err)),
			"links may not leave the folder; replace it by a copy")
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		w.add(hybridcore.KindSchema, name, "is neither a regular file nor a link to one",
			"only regular files go into an image; replace or remove it")
		return nil
	}
	hash := sha256.New()
	size, err := io.Copy(hash, io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	w.total += size
	if strings.HasSuffix(name, ".hcl") {
		w.totalHCL += size
	}
	switch {
	case size > maxFile:
		w.add(hybridcore.KindSchema, name, fmt.Sprintf("is larger than %d MiB", maxFile>>20),
			"let the guest download large files by their digest")
	case w.total > maxTotal || w.totalHCL > maxTotalHCL:
		w.add(hybridcore.KindSchema, name, fmt.Sprintf("the files together are larger than %d MiB, or those ending with "+
			".hcl than %d MiB", maxTotal>>20, maxTotalHCL>>20), "keep only what goes into images here")
		return fs.SkipAll
	}
	w.files[name] = asset{sha256: hex.EncodeToString(hash.Sum(nil)), size: size}
	return nil
}

func (w *walker) add(kind, name, message, hint string) {
	file := path.Join(Dir, name)
	w.findings = append(w.findings, hybridcore.Finding{
		Kind: kind, Subject: file, File: file, Message: message, Hint: hint, Severity: hybridcore.Error, Blocking: true,
	})
}

func isIgnored(base string) bool {
	return slices.ContainsFunc(ignored, func(pattern string) bool {
		match, err := path.Match(pattern, base)
		return err == nil && match
	})
}

// auto says whether Packer loads a variable file of that name by itself.
func auto(name string) bool {
	return strings.HasSuffix(name, ".auto.pkrvars.hcl") || strings.HasSuffix(name, ".auto.pkrvars.json")
}

func cause(err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return at.Err
	}
	return err
}

// unread warns of templates that no platform uses, and of variable files below
// templates/vars/ that no image reads.
func (s *Set) unread() []hybridcore.Finding {
	read := map[string]bool{}
	for _, image := range s.images {
		for _, platform := range hybridcore.Platforms() {
			for _, layer := range s.LayerFiles(image, platform.Name, "") {
				if strings.HasPrefix(layer.File, Dir+"/") {
					read[layer.File] = true
				}
			}
		}
	}
	layers := slices.Sorted(maps.Keys(read))
	var findings []hybridcore.Finding
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		at := path.Join(Dir, name)
		if dir := path.Dir(name); strings.HasSuffix(name, suffix) &&
			slices.Contains([]string{".", osDir, platformDir, fromDir}, dir) && s.templates[name] == nil {
			findings = append(findings, neverRead(at, "", "templates are common, variables, os/OS, os/OS-FROM, "+
				"platforms/PLATFORM, platforms/PLATFORM-FROM and from/FROM"+suffix))
		}
		if strings.HasPrefix(name, varsDir+"/") && !auto(name) && !read[at] {
			findings = append(findings, neverRead(at, text.DidYouMean(at, layers),
				"the layers are vars/OS, vars/OS/FAMILY and vars/OS/FAMILY/VERSION, each with common and PLATFORM"+varSuffix))
		}
	}
	return findings
}

func neverRead(at, near, hint string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: hybridcore.KindVariable, Subject: at, File: at, Severity: hybridcore.Warning,
		Message: "no target reads this file" + near, Hint: hint,
	}
}

// readConfigs lists the environments below configs/ and warns of variable
// files there that no target reads.
func readConfigs(project fs.FS, set *Set) ([]string, []hybridcore.Finding, error) {
	entries, err := fs.ReadDir(project, ConfigsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("reading %s: %w", ConfigsDir, err)
	}
	leaves := append([]string{"common"}, hybridcore.PlatformNames()...)
	for _, image := range set.images {
		leaves = append(leaves, image.Name)
		for _, platform := range hybridcore.Platforms() {
			leaves = append(leaves, hybridcore.TargetName(image.Name, platform.Name))
		}
	}
	var environments []string
	var findings []hybridcore.Finding
	for _, entry := range entries {
		if !entry.IsDir() || hybridcore.CheckName("environment", entry.Name()) != nil {
			continue
		}
		environments = append(environments, entry.Name())
		files, err := fs.ReadDir(project, path.Join(ConfigsDir, entry.Name()))
		if err != nil {
			return nil, nil, fmt.Errorf("reading %s: %w", ConfigsDir, err)
		}
		for _, file := range files {
			leaf, isVars := strings.CutSuffix(file.Name(), varSuffix)
			if !isVars || slices.Contains(leaves, leaf) {
				continue
			}
			at := path.Join(ConfigsDir, entry.Name(), file.Name())
			findings = append(findings,
				neverRead(at, text.DidYouMean(leaf, leaves), "name it common, PLATFORM, IMAGE or IMAGE@PLATFORM"+varSuffix))
		}
	}
	return environments, findings, nil
}
