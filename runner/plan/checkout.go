// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:44:08Z
// Spec: openspec/specs/runner/spec.md#requirement-inputs-that-no-commit-has
// Diagram: openspec/specs/plan/diagram.md#two-trees

package plan

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// kindCheckout is the kind of findings about inputs that no commit has.
const kindCheckout = "checkout"

// maxUncommitted bounds what is listed of one target, and said of one plan.
const (
	maxUncommitted = 1000
	maxRefused     = 20
)

// head is the project as the commit of the checkout has it, beside the working tree.
type head struct {
	commit  string
	environ []string
	now     *tree
	files   fs.FS
	tree    *tree  // nil when that project does not load: then some file differs
	unknown string // why there is nothing to compare with
}

// compares says whether the inputs of a request are compared with the commit: before something is
// built or published, and for a preview of that where it would be refused.
func compares(req hybridcore.Request, env config.Environment) bool {
	switch req.Action {
	case hybridcore.ActionBuild, hybridcore.ActionPublish:
		return true
	case hybridcore.ActionPlan:
		return req.Base == "" && env.Clean
	default:
		return false
	}
}

// readHead reads the commit of the checkout.
func readHead(ctx context.Context, of *project.Project, commit string, now *tree) *head {
	h := &head{commit: commit, environ: of.Environ, now: now}
	if commit == "" {
		h.unknown = "the project is in no git repository, or that has no commit yet"
		return h
	}
	repository, err := git.Open(of.Config.Root, of.Environ)
	if err == nil {
		h.files, err = repository.Tree(ctx, commit, config.FileName, templates.Dir, templates.ConfigsDir, sources.LockPath)
	}
	if err != nil {
		h.unknown = project.Portable(of.Redact(err.Error()))
		return h
	}
	if was, err := readTree(h.files, now.env.Name); err == nil {
		h.tree = was
	}
	return h
}

// compare compares the inputs of a target with the commit.
func (h *head) compare(target hybridcore.Target) *hybridcore.Checkout {
	c := &hybridcore.Checkout{Commit: h.commit, Unknown: h.unknown}
	if c.Unknown == "" {
		c.Differs = h.uncommitted(target)
		if over := len(c.Differs) - maxUncommitted; over > 0 {
			c.Unknown = fmt.Sprintf("%d more differ than are listed", over)
			c.Differs = c.Differs[:maxUncommitted]
		}
	}
	return c
}

// uncommitted lists the inputs of a target that are not as the commit has them.
func (h *head) uncommitted(target hybridcore.Target) []hybridcore.Uncommitted {
	var found []hybridcore.Uncommitted
	seen := map[string]bool{}
	add := func(name, digest string) {
		if one, differs := h.differs(name, digest); differs && !seen[name] {
			found = append(found, one)
		}
		seen[name] = true
	}
	for _, f := range target.Files {
		add(f.From, f.SHA256)
	}
	names := []string{config.FileName, target.Image.File, sources.LockPath, parity.AllowFile}
	for _, layer := range h.now.set.LayerFiles(target.Image, target.Platform, target.Env) {
		names = append(names, layer.File)
	}
	if h.tree != nil { // what it stages, and is not there any more
		if was, _, err := h.tree.resolve(pair{target.Image.Name, target.Platform}, h.environ); err == nil {
			for _, f := range was.Files {
				names = append(names, f.From)
			}
		}
	}
	for _, name := range names {
		if !seen[name] {
			add(name, digestOf(h.now.files, name))
		}
	}
	for _, v := range target.Variables {
		last := len(v.Layers) - 1
		if v.Connection || v.Run || v.Sensitive || last < 0 || v.Layers[last].Name != config.LayerEnvironment {
			continue
		}
		found = append(found, hybridcore.Uncommitted{
			Input: "var:" + v.Name, State: hybridcore.InputOfEnvironment, SHA256: sum([]byte(v.JSON)),
		})
	}
	slices.SortFunc(found, func(a, b hybridcore.Uncommitted) int { return strings.Compare(a.Input, b.Input) })
	return found
}

// differs compares a file of a digest, none where there is no such file, with that of the commit.
func (h *head) differs(name, digest string) (hybridcore.Uncommitted, bool) {
	one := hybridcore.Uncommitted{Input: name, SHA256: digest, State: hybridcore.InputChanged}
	was, err := hclfile.BytesFS(h.files, name, templates.Content())
	switch {
	case err != nil && digest == "": // neither has it
		return one, false
	case err != nil:
		one.State = hybridcore.InputUntracked
		return one, true
	case digest == "":
		one.State = hybridcore.InputRemoved
		return one, true
	case sum(was) == digest || pointsAt(was, digest):
		return one, false
	}
	if now, err := hclfile.BytesFS(h.now.files, name, templates.Content()); err == nil && sum(now) == digest &&
		bytes.Equal(unixLines(now), unixLines(was)) {
		one.State = hybridcore.InputLineEnds
	}
	return one, true
}

func unixLines(text []byte) []byte { return bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")) }

// pointsAt says whether a committed file is what Git LFS has in place of a file of a digest.
func pointsAt(was []byte, digest string) bool {
	return len(was) < 1024 && bytes.HasPrefix(was, []byte("version https://git-lfs.github.com/spec/v1\n")) &&
		bytes.Contains(was, []byte("\noid sha256:"+digest+"\n"))
}

func sum(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// digestOf is the digest of a file; empty where there is none that can be read.
func digestOf(files fs.FS, name string) string {
	content, err := hclfile.BytesFS(files, name, templates.Content())
	if err != nil {
		return ""
	}
	return sum(content)
}

// refused says which inputs keep an environment from being built for.
func refused(action hybridcore.Action, env config.Environment, c *hybridcore.Checkout) []hybridcore.Finding {
	var findings []hybridcore.Finding
	add := func(subject, file, message, hint string) {
		f := hybridcore.Finding{
			Kind: kindCheckout, Rule: "uncommitted", Subject: subject, File: file, Message: message, Hint: hint,
			Severity: hybridcore.Error, Blocking: true,
		}
		if action == hybridcore.ActionPlan {
			f.Severity, f.Blocking = hybridcore.Warning, false
		}
		findings = append(findings, f)
	}
	commit := fmt.Sprintf("%.12s", c.Commit)
	why := fmt.Sprintf("for the environment %s only what a commit has is built", env.Name)
	hint := fmt.Sprintf("or set clean = false in its block, %s:%d", config.FileName, env.Line)
	if c.Unknown != "" {
		add("HEAD", "", fmt.Sprintf("%s, and the inputs were not compared with %s: %s", why, cmp.Or(commit, "a commit"),
			c.Unknown), "build from a clone of the repository, "+hint)
	}
	files := slices.DeleteFunc(slices.Clone(c.Differs),
		func(u hybridcore.Uncommitted) bool { return u.State == hybridcore.InputOfEnvironment })
	for i, one := range files {
		if i == maxRefused {
			add("HEAD", "", fmt.Sprintf("%s, and %d more inputs are not in %s", why, len(files)-i, commit), "commit them, "+hint)
			break
		}
		fix := "commit it"
		if one.State == hybridcore.InputLineEnds {
			fix = "check it out as it was committed: .gitattributes and core.autocrlf decide on the ends of lines"
		}
		add(one.Input, one.Input, fmt.Sprintf("%s, and this input %s", why, said[one.State]+commit), fix+", "+hint)
	}
	return findings
}

// said is how an input differs from a commit, before its name.
var said = map[hybridcore.UncommittedState]string{
	hybridcore.InputChanged:   "is another one than in ",
	hybridcore.InputLineEnds:  "has other ends of lines than in ",
	hybridcore.InputUntracked: "is not in ",
	hybridcore.InputRemoved:   "was removed, and is in ",
}
