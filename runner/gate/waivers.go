// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:46:49Z
// Spec: openspec/specs/waivers/spec.md#requirement-read-from-a-reviewed-commit
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package gate

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/waivers"
)

// gitTime is how long git may take for the gate.
const gitTime = 30 * time.Second

// Input is what the gate looks at.
type Input struct {
	Project config.Project
	Root    *os.Root // of the project
	Environ []string // of the process
	Now     time.Time
	// Reviewed is the commit whose waivers count; empty for HEAD.
	Reviewed string
}

// Waivers are those of a project: of the working tree, and, once somebody has something
// to accept, those of the reviewed commit, which alone count.
type Waivers struct {
	// Wrong is what is wrong with those of the working tree.
	Wrong []hybridcore.Finding

	in       Input
	tree     waivers.Set
	done     bool
	counting waivers.Set
	from     string // where they were read, in words
	unread   []hybridcore.Finding
}

// ReadWaivers reads those of the working tree.
func ReadWaivers(in Input) *Waivers {
	w := &Waivers{in: in}
	w.tree, w.Wrong = waivers.Read(hclfile.Folder(in.Root))
	return w
}

// Key tells what is accepted now: it changes when a waiver that counts does, or expires, and when
// one of the working tree does, of which findings speak.
func (w *Waivers) Key(ctx context.Context) string {
	w.ready(ctx)
	if !w.tree.Any() && !w.counting.Any() && len(w.unread) == 0 {
		return ""
	}
	holds := waivers.Set{}
	for _, one := range w.counting {
		if one.Holds(w.in.Now) {
			holds = append(holds, one)
		}
	}
	return fmt.Sprintf("%+v %+v %s", holds, w.tree, w.from)
}

// Accept lets pass of findings what a waiver accepts, and says of others what their waiver
// lacks. All says whether a waiver of the working tree is about something that was looked at
// as a whole: when no finding has it then, it is stale. What is wrong with waivers is among the
// findings afterwards, once.
func (w *Waivers) Accept(
	ctx context.Context, findings []hybridcore.Finding, all func(waivers.Waiver) bool,
) []hybridcore.Finding {
	accepted := slices.Grow([]hybridcore.Finding(nil), len(findings)) // nil for none, as findings are
	used := map[int]bool{}
	for _, f := range findings {
		in := w.tree.About(f)
		if f.Waived.Kind != "" { // accepted before
			in = w.tree.Like(f)
		}
		for _, i := range in {
			used[i] = true
		}
		if f.Severity != hybridcore.Info && waivers.WhyNever(f) == "" {
			f = w.accept(ctx, f, in)
		}
		accepted = append(accepted, f)
	}
	for i, one := range w.tree {
		if all != nil && one.Kind != waivers.Leak && !used[i] && one.Holds(w.in.Now) && all(one) {
			why := fmt.Sprintf("the waiver of %s is stale: nothing found there has the rule %s", one.Subject, one.Rule)
			if one.Accepts != "" {
				why += ", or it is not what the waiver accepts"
			}
			accepted = append(accepted, one.Finding(waivers.RuleStale, hybridcore.Warning, why, staleHint(one.Kind)))
		}
	}
	for _, f := range slices.Concat(w.Wrong, w.unread) {
		if !slices.Contains(accepted, f) {
			accepted = append(accepted, f)
		}
	}
	return accepted
}

func staleHint(kind string) string {
	if kind == waivers.Found {
		return "remove it, unless another environment needs it"
	}
	return "remove it"
}

// accept is one finding as the waivers have it. Inside are those of the working tree.
func (w *Waivers) accept(ctx context.Context, f hybridcore.Finding, inside []int) hybridcore.Finding {
	w.ready(ctx)
	counting := w.counting.About(f)
	held := slices.IndexFunc(counting, func(i int) bool { return w.counting[i].Holds(w.in.Now) })
	hint := ""
	switch {
	case held >= 0:
		return w.counting[counting[held]].Accept(f, w.from)
	case len(counting) > 0:
		hint = "its waiver has expired; waivers are read from " + w.from
	case len(inside) > 0:
		hint = fmt.Sprintf("its waiver at %s:%d counts once it is reviewed; waivers are read from %s", waivers.FileName,
			w.tree[inside[0]].Line, w.from)
	case w.counting.Otherwise(f) >= 0:
		hint = fmt.Sprintf("its waiver accepts something else, %q; waivers are read from %s",
			w.counting[w.counting.Otherwise(f)].Accepts, w.from)
	}
	if f.Hint != "" && hint != "" && !strings.HasSuffix(f.Hint, hint) {
		hint = f.Hint + ";\n" + hint
	}
	f.Hint = cmp.Or(hint, f.Hint)
	return f
}

// ready reads those that count.
func (w *Waivers) ready(ctx context.Context) {
	if w.done {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	repository, err := git.Open(w.in.Project.Root, w.in.Environ)
	if err != nil {
		repository = nil
	}
	w.read(ctx, repository)
}

// read reads those that count, from a commit that was reviewed, once. That they cannot be
// read is a finding.
func (w *Waivers) read(ctx context.Context, repository *git.Repository) []hybridcore.Finding {
	if w.done {
		return w.unread
	}
	w.done = true
	commit := ""
	if repository != nil {
		rev := cmp.Or(w.in.Reviewed, "HEAD")
		id, err := repository.Resolve(ctx, rev)
		if err == nil {
			commit = id
		} else if head, err := repository.Head(ctx); w.in.Reviewed != "" || err != nil || head != "" {
			w.from = "a commit that is not in this clone"
			return w.unreadable(rev)
		}
	}
	if commit == "" && w.in.Reviewed != "" {
		w.from = "a commit that is not here: this is no clone"
		return w.unreadable(w.in.Reviewed)
	}
	if commit == "" {
		w.counting, w.from = w.tree, "the working tree"
		return nil
	}
	w.from = fmt.Sprintf("commit %.12s", commit)
	tree, err := repository.Tree(ctx, commit, waivers.FileName)
	if err != nil {
		return w.unreadable(commit)
	}
	w.counting, _ = waivers.Read(tree) // what is wrong with it was said when it was reviewed
	return nil
}

// unreadable says that no waiver counts.
func (w *Waivers) unreadable(commit string) []hybridcore.Finding {
	w.unread = []hybridcore.Finding{{
		Kind: waivers.Kind, Rule: waivers.RuleNotYet, Subject: waivers.FileName, Severity: hybridcore.Warning,
		Message: fmt.Sprintf("no waiver counts: those of commit %.12s cannot be read", hclfile.Printable(commit)),
		Hint:    "fetch that commit",
	}}
	return w.unread
}
