// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:26Z
// Spec: openspec/specs/plan/spec.md#requirement-reasons-down-to-the-line
// Diagram: openspec/specs/plan/diagram.md#two-trees

package plan

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"io/fs"
	"strings"
	"unicode/utf8"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// past is what a target is compared with.
type past struct {
	target *hybridcore.Target // nil when only its inputs were recorded
	commit string             // that holds its files; may be empty
}

// maxCommits is from how many different commits a plan reads old files: each
// costs two runs of git, and targets are mostly built together.
const maxCommits = 8

// maxLines bounds the files whose lines are compared, in bytes.
const maxLines = 1 << 20

// describe adds to a reason where its cause is, and the sentence.
func (p *planning) describe(ctx context.Context, r *hybridcore.Reason, now hybridcore.Target, was past) {
	had, has := r.Was != "", r.Now != ""
	switch r.Kind {
	case "file":
		r.Part = part(r.Subject)
		for _, f := range now.Files {
			if f.Path == r.Subject {
				r.File, r.Line = f.From, p.line(ctx, f.From, r.Was, was.commit)
			}
		}
	case "source", "variable":
		name := r.Subject
		if r.Kind == "source" {
			name = "build_from"
		}
		layer := winner(now, name)
		r.Layer, r.File, r.Line = layer.Name, layer.File, layer.Line
		if was.target != nil {
			if before := winner(*was.target, name); before.Name != r.Layer {
				r.WasLayer = before.Name
			}
		}
	case "version":
		r.File, r.Line = p.now.plugin(now, r.Subject)
	}
	r.Text = sentence(*r, had, has)
}

// winner is the layer that sets a variable of a target.
func winner(target hybridcore.Target, name string) hybridcore.Layer {
	for _, v := range target.Variables {
		if v.Name == name && len(v.Layers) > 0 {
			return v.Layers[len(v.Layers)-1]
		}
	}
	return hybridcore.Layer{}
}

// part names the role or installer that a staged file belongs to.
func part(file string) string {
	folders := strings.Split(file, "/")
	switch {
	case len(folders) > 3 && folders[0] == "ansible" && folders[1] == "roles":
		return "role " + folders[2]
	case len(folders) > 2 && folders[0] == "installers":
		return "installer " + folders[1]
	default:
		return ""
	}
}

// line is the first line of a file that differs from the file of a digest in a
// commit; 0 when that is not to be had.
func (p *planning) line(ctx context.Context, from, digest, commit string) int {
	if digest == "" || commit == "" {
		return 0
	}
	id := digest + " " + from
	if n, ok := p.lines[id]; ok {
		return n
	}
	n := 0
	if files := p.files(ctx, commit); files != nil {
		was, now := content(files, from), content(p.now.files, from)
		if sum := sha256.Sum256(was); hex.EncodeToString(sum[:]) == digest {
			n = firstDifference(was, now)
		}
	}
	p.lines[id] = n
	return n
}

// files are the templates of a commit; nil when the clone does not have them.
func (p *planning) files(ctx context.Context, commit string) fs.FS {
	if files, ok := p.commits[commit]; ok || len(p.commits) >= maxCommits {
		return files
	}
	p.commits[commit] = nil
	if p.repository == nil {
		repository, err := git.Open(p.project.Config.Root, p.project.Environ)
		if err != nil {
			return nil // not in a repository: then there are no old files
		}
		p.repository = repository
	}
	if files, err := p.repository.Tree(ctx, commit, templates.Dir); err == nil {
		p.commits[commit] = files
	}
	return p.commits[commit]
}

// content reads a file up to the bound; what cannot be read is empty.
func content(files fs.FS, name string) []byte {
	f, err := files.Open(name)
	if err != nil {
		return nil
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxLines+1))
	if err != nil || len(data) > maxLines {
		return nil
	}
	return data
}

// firstDifference is the number of the first line that differs, as it is now;
// 0 for what is no text. Where the end is missing it is the last line left.
func firstDifference(was, now []byte) int {
	if !utf8.Valid(was) || !utf8.Valid(now) || bytes.IndexByte(was, 0) >= 0 || bytes.IndexByte(now, 0) >= 0 {
		return 0
	}
	same := 0
	for same < len(was) && same < len(now) && was[same] == now[same] {
		same++
	}
	n := bytes.Count(now[:same], []byte("\n")) + 1
	if same == len(now) && n > 1 && now[same-1] == '\n' {
		n--
	}
	return n
}
