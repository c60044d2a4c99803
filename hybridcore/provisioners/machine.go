// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:23:48Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package provisioners

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// Kind is that of findings about tools.
const Kind = "tool"

// askable is the one program that is started to ask for its version.
const askable = "ansible-playbook"

// unknown is the version of what did not say it.
const unknown = "unknown"

// Machine is where a target is to be built.
type Machine struct {
	Environ  []string // of the process
	Checkout string   // absolute path of the project: what lies in it is not taken for a tool
	// Answer is what a program says to --version; empty when it says nothing. Nil asks none: then
	// versions are not compared. Only the program askable is asked, where the PATH has it: what a
	// template names may be any program of this machine.
	Answer func(ctx context.Context, path string) string
}

// Report is what a machine has of what a target needs.
type Report struct {
	Findings []hybridcore.Finding
	Tools    []hybridcore.Tool // that are there
}

// Check looks for everything that a target needs.
func (m Machine) Check(ctx context.Context, n Needs) Report {
	var r Report
	paths := map[string]string{}
	for _, p := range n.Programs {
		found, passed := "", []string(nil)
		for _, name := range p.AnyOf {
			path, over := m.look(name)
			passed = append(passed, over...)
			if found == "" && path != "" {
				found, paths[name] = path, path
			}
		}
		if found == "" {
			r.Findings = append(r.Findings, missing(p, passed))
		}
	}
	if n.Ansible != nil {
		m.ansible(ctx, *n.Ansible, paths[n.Ansible.Command], &r)
	}
	return r
}

// look finds a program on the PATH, and where it was passed over because that is in the
// checkout, or depends on the folder that a process is in.
func (m Machine) look(name string) (path string, passed []string) {
	dirs, base := filepath.SplitList(m.env("PATH")), name
	if strings.ContainsRune(name, filepath.Separator) {
		dirs, base = []string{filepath.Dir(name)}, filepath.Base(name)
	}
	for _, dir := range dirs {
		at := filepath.Join(dir, base)
		info, err := os.Stat(at)
		if err != nil || !info.Mode().IsRegular() || info.Mode()&0o111 == 0 {
			continue
		}
		if filepath.IsAbs(dir) && !m.inCheckout(at) {
			return at, passed
		}
		passed = append(passed, at)
	}
	return "", passed
}

// inCheckout says whether a file is in the checkout, under its name or what that links to.
func (m Machine) inCheckout(at string) bool {
	return m.Checkout != "" && (below(m.Checkout, at) || below(real(m.Checkout), real(at)))
}

func real(path string) string {
	if resolved, err := filepath.EvalSymlinks(path); err == nil {
		return resolved
	}
	return path
}

func below(dir, at string) bool {
	rel, err := filepath.Rel(dir, at)
	return err == nil && filepath.IsLocal(rel)
}

// Where tells which of the programs are there that provisioners run, so that a change is noticed.
func (m Machine) Where() []string {
	var all []string
	names := isoTools()
	for _, p := range packages {
		names = append(names, p.programs...)
	}
	for _, name := range names {
		path, _ := m.look(name)
		all = append(all, path)
	}
	return all
}

// env is a variable of the process; the last one of a name wins, as in a shell.
func (m Machine) env(name string) string {
	value := ""
	for _, entry := range m.Environ {
		if text, ok := strings.CutPrefix(entry, name+"="); ok {
			value = text
		}
	}
	return value
}

func missing(p Program, passed []string) hybridcore.Finding {
	f := hybridcore.Finding{
		Kind: Kind, Rule: "missing-tool", Subject: p.AnyOf[0], File: p.File, Line: p.Line,
		Severity: hybridcore.Error, Blocking: true, Hint: install(p.AnyOf[0]),
		Message: fmt.Sprintf("%s is not on the PATH, and %s needs it", p.AnyOf[0], p.For),
	}
	if len(p.AnyOf) > 1 {
		f.Message = fmt.Sprintf("none of %s is on the PATH, and %s needs one to make a CD", strings.Join(p.AnyOf, ", "),
			p.For)
	}
	if len(passed) > 0 {
		f.Message += fmt.Sprintf(" (%s is not taken: it is in the checkout, or the PATH names its folder by a relative path)",
			passed[0])
	}
	return f
}

// ansible compares versions, and looks for collections.
func (m Machine) ansible(ctx context.Context, a Ansible, path string, r *Report) {
	if path == "" {
		return
	}
	var said answered
	switch {
	case a.Command != askable:
		r.Findings = append(r.Findings, hybridcore.Finding{
			Kind: Kind, Rule: "not-looked-at", Subject: a.Command, File: a.file, Line: a.line, Severity: hybridcore.Info,
			Message: fmt.Sprintf("the version of Ansible and its collections are not looked at, because the template names "+
				"the program %q: only %s of the PATH is asked", a.Command, askable),
		})
	case m.Answer != nil:
		said = parse(m.Answer(ctx, path))
	}
	r.Tools = append(r.Tools,
		hybridcore.Tool{Name: "ansible-core", Version: cmp.Or(said.Core, unknown)},
		hybridcore.Tool{Name: "python", Version: cmp.Or(said.Python, unknown)})
	if said.Core != "" && newer(a.Oldest, said.Core) {
		r.Findings = append(r.Findings, hybridcore.Finding{
			Kind: Kind, Rule: "old-tool", Subject: a.Command, Want: a.Oldest, Got: said.Core, File: a.OldestOf,
			Severity: hybridcore.Error, Blocking: true,
			Message: fmt.Sprintf("ansible-core %s is older than %s, which the role needs", said.Core, a.Oldest),
			Hint:    install("ansible-playbook"),
		})
	}
	dirs, known := m.collectionDirs(a, said)
	for _, c := range a.Collections {
		version, there := a.own[c.Name]
		if !there {
			version, there = installed(dirs, c.Name)
		}
		switch {
		case a.galaxy: // installed before the playbook runs, into a folder of its own
		case !there && known:
			r.Findings = append(r.Findings, c.finding("missing-collection", "",
				fmt.Sprintf("the collection %s is not installed", c.Name)))
		case there && version != "" && !meets(c.Version, version):
			r.Findings = append(r.Findings, c.finding("old-tool", version,
				fmt.Sprintf("the collection %s %s does not meet %s", c.Name, version, c.Version)))
		}
		if there {
			r.Tools = append(r.Tools, hybridcore.Tool{Name: "collection:" + c.Name, Version: cmp.Or(version, unknown)})
		}
	}
}

func (c Collection) finding(rule, got, message string) hybridcore.Finding {
	what := c.Name
	if c.Version != "" && c.Version != "*" {
		what = "'" + c.Name + ":" + c.Version + "'"
	}
	return hybridcore.Finding{
		Kind: Kind, Rule: rule, Subject: c.Name, Want: c.Version, Got: got, File: c.File, Severity: hybridcore.Error,
		Blocking: true, Message: message, Hint: "ansible-galaxy collection install " + what,
	}
}

// collectionDirs are the folders in which Ansible looks for collections; known says that these
// are all of them.
func (m Machine) collectionDirs(a Ansible, said answered) (dirs []string, known bool) {
	known = said.Core != "" && !a.elsewhere && !strings.Contains(a.environment, "ANSIBLE_COLLECTIONS_PATH")
	dirs = []string{said.Beside}
	if a.Paths == nil {
		dirs = append(dirs, said.Collections...)
	}
	for _, dir := range a.Paths {
		dir = strings.TrimSpace(dir)
		if rest, home := strings.CutPrefix(dir, "~/"); home {
			dir = filepath.Join(m.env("HOME"), rest)
		}
		if filepath.IsAbs(dir) {
			dirs = append(dirs, strings.TrimSuffix(dir, "/ansible_collections"))
		} else {
			known = false // in the stage, or named by a variable
		}
	}
	return dirs, known
}

// maxManifest bounds the description of a collection, in bytes.
const maxManifest = 4 << 20

// installed finds a collection in folders.
func installed(dirs []string, name string) (version string, there bool) {
	namespace, short, _ := strings.Cut(name, ".")
	for _, dir := range dirs {
		at := filepath.Join(dir, "ansible_collections", namespace, short)
		if info, err := os.Stat(at); dir == "" || err != nil || !info.IsDir() {
			continue
		}
		for _, file := range []string{"MANIFEST.json", "galaxy.yml"} {
			data, err := safefile.Read(filepath.Join(at, file), maxManifest)
			if err != nil {
				continue
			}
			if version := collectionVersion(file, data); version != "" {
				return version, true
			}
		}
		return "", true
	}
	return "", false
}
