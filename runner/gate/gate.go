// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:14:39Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

// Package gate looks at a project before anything else is done with it: it finds secrets in
// plain text, and lets pass what a reviewed commit accepts.
package gate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/leaks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// Leaks are the secrets in plain text that a scan of the project has found.
type Leaks struct {
	Findings []hybridcore.Finding
	places   map[place]bool // of leaks, also of waived ones
}

// place is a line of a file.
type place struct {
	file string
	line int
}

// Others leaves out of findings the leaks at lines that the scan has spoken of: it has
// said them already, or they are waived.
func (l Leaks) Others(findings []hybridcore.Finding) []hybridcore.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f hybridcore.Finding) bool {
		return f.Kind == leaks.Kind && l.places[place{f.File, f.Line}]
	})
}

// Look searches the files of a project for secrets.
func Look(ctx context.Context, in Input, accepted *Waivers) (Leaks, error) {
	g := gate{
		in: in, leaks: Leaks{places: map[place]bool{}}, waivers: accepted, used: map[int]bool{}, within: hashTime,
	}
	if err := g.look(ctx); err != nil {
		return Leaks{}, err
	}
	return g.leaks, nil
}

// gate joins what a scan has found with what is waived.
type gate struct {
	in      Input
	leaks   Leaks
	waivers *Waivers
	used    map[int]bool // waivers of the working tree
	hashes  waivers.Hashes
	within  time.Duration // for hashing
}

// hashTime is how long secrets may be compared with waivers: both may be a stranger's.
const hashTime = 10 * time.Second

func (g *gate) add(findings ...hybridcore.Finding) {
	g.leaks.Findings = append(g.leaks.Findings, findings...)
}

func (g *gate) look(ctx context.Context) error {
	inTime, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	repository, err := git.Open(g.in.Project.Root, g.in.Environ)
	if err != nil {
		repository = nil
	}
	names, err := g.files(inTime, repository)
	if err != nil {
		return err
	}
	report := leaks.Scan(ctx, g.in.Root, names)
	if err := ctx.Err(); err != nil {
		return err //nolint:wrapcheck // the caller knows that it cancelled
	}
	g.add(g.waivers.Wrong...)
	if len(report.Leaks) > 0 {
		g.add(g.waivers.read(inTime, repository)...)
	}
	g.hashes.Until = time.Now().Add(g.within)
	for _, leak := range report.Leaks {
		if err := ctx.Err(); err != nil {
			return err //nolint:wrapcheck // the caller knows that it cancelled
		}
		g.leak(leak)
	}
	g.add(report.Notes...)
	if g.hashes.Late {
		g.add(hybridcore.Finding{
			Kind: waivers.Kind, Rule: waivers.RuleNotYet, Subject: waivers.FileName, Severity: hybridcore.Warning,
			Message: fmt.Sprintf("some secrets were not compared with their waivers, because that took more than %v", g.within),
			Hint:    "remove secrets and waivers: each secret of a file is compared with each waiver of it",
		})
	}
	g.stale()
	return nil
}

// files lists what is searched: what git tracks or does not ignore. Without git, every file
// but those that the program makes itself.
func (g *gate) files(ctx context.Context, repository *git.Repository) ([]string, error) {
	if repository != nil {
		if names, err := repository.Files(ctx); err == nil {
			return names, nil
		}
	}
	skip := []string{"artifacts", "logs", "work", config.DefaultStatePath}
	checkouts, err := fs.ReadDir(g.in.Root.FS(), "sources")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing the checkouts of sources: %w", err)
	}
	for _, one := range checkouts {
		if one.IsDir() {
			skip = append(skip, "sources/"+one.Name())
		}
	}
	return leaks.Walk(ctx, g.in.Root, skip)
}

// leak says a leak, or that it is waived.
func (g *gate) leak(leak leaks.Leak) {
	f := leak.Finding
	g.leaks.places[place{f.File, f.Line}] = true
	tree := g.waivers.tree.Of(&g.hashes, waivers.Leak, f.File, leak.Value)
	for _, i := range tree {
		g.used[i] = true
	}
	counting := g.waivers.counting.Of(&g.hashes, waivers.Leak, f.File, leak.Value)
	held := slices.IndexFunc(counting, func(i int) bool { return g.waivers.counting[i].Holds(g.in.Now) })
	switch {
	case leak.Fixed && len(tree) > 0:
		g.add(g.waivers.tree[tree[0]].Finding(waivers.RuleRefused, hybridcore.Error, "a private key cannot be waived",
			"remove the key, and the waiver"))
	case leak.Fixed:
	case held >= 0:
		g.add(g.waivers.counting[counting[held]].Accept(f, g.waivers.from))
		return
	case len(counting) > 0:
		f.Hint += ";\nits waiver has expired; waivers are read from " + g.waivers.from
	case len(tree) > 0:
		f.Hint += fmt.Sprintf(";\nits waiver at %s:%d counts once it is reviewed; waivers are read from %s", waivers.FileName,
			g.waivers.tree[tree[0]].Line, g.waivers.from)
	case time.Now().After(g.hashes.Until): // to propose one takes a hash
		g.hashes.Late = true
		f.Hint += ";\nit was not compared with waivers: there are too many secrets and waivers"
	default:
		f.Hint += fmt.Sprintf(";\nif it has to stay, fill in and add to %s, which is read from %s:\n%s",
			waivers.FileName, g.waivers.from,
			waivers.Propose(waivers.Leak, f.File, leak.Value, fmt.Sprint(g.in.Project.Name, f.Message)))
	}
	g.add(f)
}

// stale says which waivers of the tree are past their day, and which of leaks are about
// nothing: others were not looked for here.
func (g *gate) stale() {
	for i, w := range g.waivers.tree {
		switch {
		case w.Kind == waivers.Leak && !g.used[i] && !g.hashes.Late:
			g.add(w.Finding(waivers.RuleStale, hybridcore.Warning,
				"the waiver of "+w.Subject+" is stale: nothing there has its hash", "remove it"))
		case !w.Holds(g.in.Now):
			g.add(w.Finding(waivers.RuleExpired, hybridcore.Warning,
				"the waiver of "+w.Subject+" has expired", "remove what it is about, or have the waiver reviewed again"))
		}
	}
}
