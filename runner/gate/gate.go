// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:14:39Z
// Spec: openspec/specs/leaks/spec.md#requirement-waivers
// Diagram: openspec/specs/leaks/diagram.md#one-waiver

// Package gate looks at a project before anything else is done with it: it finds secrets in
// plain text, and lets pass what a reviewed commit accepts.
package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/leaks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// gitTime is how long git may take for the gate.
const gitTime = 30 * time.Second

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

// Input is what the gate looks at.
type Input struct {
	Project config.Project
	Root    *os.Root // of the project
	Environ []string // of the process
	Now     time.Time
	// Reviewed is the commit whose waivers count; empty for HEAD.
	Reviewed string
}

// Look searches the files of a project for secrets.
func Look(ctx context.Context, in Input) (Leaks, error) {
	g := gate{in: in, leaks: Leaks{places: map[place]bool{}}, used: map[int]bool{}}
	if err := g.look(ctx); err != nil {
		return Leaks{}, err
	}
	return g.leaks, nil
}

// gate joins what a scan has found with what is waived.
type gate struct {
	in    Input
	leaks Leaks

	counting waivers.Set // reviewed
	from     string      // where they were read, in words
	tree     waivers.Set // of the working tree
	used     map[int]bool
}

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
	var wrong []hybridcore.Finding
	g.tree, wrong = waivers.Read(hclfile.Folder(g.in.Root))
	g.add(wrong...)
	if len(report.Leaks) > 0 {
		g.waivers(inTime, repository)
	}
	for _, leak := range report.Leaks {
		if err := ctx.Err(); err != nil {
			return err //nolint:wrapcheck // the caller knows that it cancelled
		}
		g.leak(leak)
	}
	g.add(report.Notes...)
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

// waivers reads those that count, from a commit that was reviewed.
func (g *gate) waivers(ctx context.Context, repository *git.Repository) {
	commit := ""
	if repository != nil {
		rev := cmp.Or(g.in.Reviewed, "HEAD")
		id, err := repository.Resolve(ctx, rev)
		if err == nil {
			commit = id
		} else if head, err := repository.Head(ctx); g.in.Reviewed != "" || err != nil || head != "" {
			g.from = "a commit that is not in this clone"
			g.unread(rev)
			return
		}
	}
	if commit == "" && g.in.Reviewed != "" {
		g.from = "a commit that is not here: this is no clone"
		g.unread(g.in.Reviewed)
		return
	}
	if commit == "" {
		g.counting, g.from = g.tree, "the working tree"
		return
	}
	g.from = fmt.Sprintf("commit %.12s", commit)
	tree, err := repository.Tree(ctx, commit, waivers.FileName)
	if err != nil {
		g.unread(commit)
		return
	}
	g.counting, _ = waivers.Read(tree) // what is wrong with it was said when it was reviewed
}

func (g *gate) unread(commit string) {
	g.add(hybridcore.Finding{
		Kind: waivers.Kind, Rule: waivers.RuleNotYet, Subject: waivers.FileName, Severity: hybridcore.Warning,
		Message: fmt.Sprintf("no waiver counts: those of commit %.12s cannot be read", hclfile.Printable(commit)),
		Hint:    "fetch that commit",
	})
}

// leak says a leak, or that it is waived.
func (g *gate) leak(leak leaks.Leak) {
	f := leak.Finding
	g.leaks.places[place{f.File, f.Line}] = true
	tree := g.tree.Of(waivers.Leak, f.File, leak.Value)
	for _, i := range tree {
		g.used[i] = true
	}
	counting := g.counting.Of(waivers.Leak, f.File, leak.Value)
	held := slices.IndexFunc(counting, func(i int) bool { return g.counting[i].Holds(g.in.Now) })
	switch {
	case leak.Fixed && len(tree) > 0:
		g.add(g.tree[tree[0]].Finding(waivers.RuleRefused, hybridcore.Error, "a private key cannot be waived",
			"remove the key, and the waiver"))
	case leak.Fixed:
	case held >= 0:
		w := g.counting[counting[held]]
		f.Kind, f.Rule, f.Severity, f.Blocking = waivers.Kind, waivers.RuleInForce, hybridcore.Info, false
		f.Message += fmt.Sprintf(": waived until %s by %s, because %s", w.Expires.AddDate(0, 0, -1).Format(time.DateOnly),
			hclfile.Printable(w.Owner), hclfile.Printable(w.Reason))
		f.Hint = "read from " + waivers.FileName + " of " + g.from
		g.add(f)
		return
	case len(counting) > 0:
		f.Hint += ";\nits waiver has expired; waivers are read from " + g.from
	case len(tree) > 0:
		f.Hint += fmt.Sprintf(";\nits waiver at %s:%d counts once it is reviewed; waivers are read from %s", waivers.FileName,
			g.tree[tree[0]].Line, g.from)
	default:
		f.Hint += fmt.Sprintf(";\nif it has to stay, fill in and add to %s, which is read from %s:\n%s",
			waivers.FileName, g.from,
			waivers.Propose(waivers.Leak, f.File, leak.Value, fmt.Sprint(g.in.Project.Name, f.Message)))
	}
	g.add(f)
}

// stale says which waivers of the tree are past their day, or about nothing.
func (g *gate) stale() {
	for i, w := range g.tree {
		switch {
		case !g.used[i]:
			g.add(w.Finding(waivers.RuleStale, hybridcore.Warning,
				"the waiver of "+w.Subject+" is stale: nothing there has its hash", "remove it"))
		case !w.Holds(g.in.Now):
			g.add(w.Finding(waivers.RuleExpired, hybridcore.Warning,
				"the waiver of "+w.Subject+" has expired", "remove the secret, or have the waiver reviewed again"))
		}
	}
}
