// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:36Z
// Spec: openspec/specs/container/spec.md#requirement-licences
// Diagram: openspec/specs/container/diagram.md#from-sources-to-image

// Command licences copies the licence texts of what is linked into Go programs:
//
//	licences -out DIR PROGRAM...
//
// Each program says itself of which modules it was made (debug/buildinfo), so nothing can be in it that is not looked
// at. The
// texts come from the module cache, byte for byte as the module has them, to DIR/MODULE@VERSION/. A module without a
// licence
// text is an error: what may not be passed on must not be in the image.
package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"unicode"
)

func main() {
	out := flag.String("out", "", "folder for the texts")
	flag.Parse()
	if err := collect(*out, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "licences:", err)
		os.Exit(1)
	}
}

// collect copies the texts of all programs' modules and of Go itself.
func collect(out string, programs []string) error {
	if out == "" || len(programs) == 0 {
		return errors.New("a folder and programs are needed: licences -out DIR PROGRAM")
	}
	cache, err := goEnv("GOMODCACHE")
	if err != nil {
		return err
	}
	root, err := goEnv("GOROOT")
	if err != nil {
		return err
	}
	modules := map[string]bool{}
	for _, program := range programs {
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return fmt.Errorf("reading of what %s was made: %w", program, err)
		}
		for _, name := range modulesOf(info) {
			modules[name] = true
		}
	}
	err = texts(root, filepath.Join(out, "go"))
	for name := range modules {
		err = errors.Join(err, texts(filepath.Join(cache, escaped(name)), filepath.Join(out, name)))
	}
	return err
}

// goEnv asks the go command.
func goEnv(name string) (string, error) {
	value, err := exec.CommandContext(context.Background(), "go", "env", name).Output()
	if err != nil {
		return "", fmt.Errorf("asking go for %s: %w", name, err)
	}
	return strings.TrimSpace(string(value)), nil
}

// modulesOf returns the modules of a program as path@version. Those of this repository have no version; its LICENSE is
// theirs.
func modulesOf(info *debug.BuildInfo) []string {
	var names []string
	for _, m := range append([]*debug.Module{&info.Main}, info.Deps...) {
		if m.Replace != nil {
			m = m.Replace
		}
		if m.Version != "" && m.Version != "(devel)" {
			names = append(names, m.Path+"@"+m.Version)
		}
	}
	return names
}

// escaped returns the folder of a module in the cache, where a capital is an exclamation mark and the small letter.
func escaped(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte('!')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// isText matches the names of licence texts and of what belongs to them.
var isText = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|unlicense|notices?|patents|copyright)([-.].*)?$`)

// isLicence matches the names of licence texts alone.
var isLicence = regexp.MustCompile(`(?i)^(licen[cs]es?|copying|unlicense)([-.].*)?$`)

// texts copies the licence texts of one folder.
func texts(from, to string) error {
	entries, err := os.ReadDir(from)
	if err != nil {
		return fmt.Errorf("reading %s: %w", from, err)
	}
	entries = slices.DeleteFunc(entries,
		func(e os.DirEntry) bool { return !e.Type().IsRegular() || strings.HasSuffix(e.Name(), ".go") })
	if !slices.ContainsFunc(entries, func(e os.DirEntry) bool { return isLicence.MatchString(e.Name()) }) {
		return fmt.Errorf("%s has no licence text: it must not be redistributed", from)
	}
	if err := os.MkdirAll(to, 0o755); err != nil {
		return fmt.Errorf("making the folder of texts: %w", err)
	}
	for _, e := range entries {
		if !isText.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(from, e.Name()))
		if err != nil {
			return fmt.Errorf("reading a licence text: %w", err)
		}
		if err := os.WriteFile(filepath.Join(to, e.Name()), text, 0o644); err != nil {
			return fmt.Errorf("writing a licence text: %w", err)
		}
	}
	return nil
}
