// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:44:00Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

package drift

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/upstream"
)

// Variables of templates that name an installation medium, and its checksum as sha256:… or sha512:….
const (
	mediumFile     = "iso_file"
	mediumChecksum = "iso_checksum"
)

// published asks what sources/upstream.hcl names.
func (q *questions) published(ctx context.Context, plan hybridcore.Plan) {
	file, err := sources.LoadPublished(q.Project.Config.Root)
	if errors.Is(err, fs.ErrNotExist) {
		q.unasked(sources.UpstreamPath,
			"installation media and releases were not looked at, because there is no "+sources.UpstreamPath)
		return
	}
	if err != nil {
		q.asked++
		q.unknown(sources.UpstreamPath, err)
		return
	}
	asker := upstream.Asker{Cache: q.Project.Tools.Answers, Now: q.Project.Now}
	for _, one := range mediaOf(plan) {
		q.medium(ctx, asker, file.Media, one)
	}
	for _, release := range file.Releases {
		q.release(ctx, asker, release, plan)
	}
}

// medium is an installation medium that targets start from.
type medium struct {
	family, version string
	file, checksum  string
	of              string // the first image that starts from it
	at              hybridcore.Layer
}

// mediaOf are the installation media of a plan, each once.
func mediaOf(plan hybridcore.Plan) (all []medium) {
	for _, t := range plan.Targets {
		one := medium{family: t.Target.Image.Family, version: t.Target.Image.Version, of: t.Target.Image.Name}
		for _, v := range t.Target.Variables {
			switch {
			case v.Sensitive:
			case v.Name == mediumFile:
				if one.file = v.Plain(); len(v.Layers) > 0 {
					one.at = v.Layers[len(v.Layers)-1]
				}
			case v.Name == mediumChecksum:
				one.checksum = v.Plain()
			}
		}
		same := func(m medium) bool {
			return m.file == one.file && m.checksum == one.checksum && m.family == one.family && m.version == one.version
		}
		if one.file != "" && !slices.ContainsFunc(all, same) {
			all = append(all, one)
		}
	}
	return all
}

// medium holds one to what its distributor publishes.
func (q *questions) medium(ctx context.Context, asker upstream.Asker, known []sources.Medium, one medium) {
	at := slices.IndexFunc(known, func(m sources.Medium) bool {
		return m.Family == one.family && m.Version == one.version
	})
	if at < 0 {
		q.unasked(one.file, fmt.Sprintf("%s of %s was not looked at, because no block medium of %s is for %s %s", one.file,
			one.of, sources.UpstreamPath, one.family, one.version))
		return
	}
	q.asked++
	answer, err := asker.Get(ctx, known[at].Checksums)
	if err != nil {
		q.unknown(one.file, err)
		return
	}
	sums, err := upstream.Checksums(answer.Text)
	if err != nil {
		q.unknown(one.file, fmt.Errorf("the answer of %s cannot be used: %w", known[at].Checksums, err))
		return
	}
	q.answered(answer.At)
	f := hybridcore.Finding{
		Kind: hybridcore.KindDrift, Rule: RuleMedium, Subject: one.file, File: one.at.File, Line: one.at.Line,
		Severity: hybridcore.Warning,
	}
	got, there := sums[one.file]
	want := one.checksum[strings.LastIndex(one.checksum, ":")+1:] // as Packer has it, with or without its kind
	switch {
	case !there:
		f.Message = fmt.Sprintf("%s of %s is not published at %s", one.file, one.of, known[at].Checksums)
		f.Hint = "build from a medium that is published, and name it in " + mediumFile
		if alike := upstream.Alike(sums, one.file); len(alike) > 0 {
			f.Want, f.Got = alike[len(alike)-1], one.file
			f.Message += "; published are " + strings.Join(alike, ", ")
		}
	case want == "":
		q.unasked(one.file, fmt.Sprintf("the checksum of %s was not compared, because no variable %s has it", one.file,
			mediumChecksum))
		return
	case len(want) != len(got):
		q.unasked(one.file, fmt.Sprintf("the checksum of %s was not compared, because %s publishes one of another kind",
			one.file, known[at].Checksums))
		return
	case !strings.EqualFold(want, got):
		f.Severity, f.Blocking, f.Want, f.Got = hybridcore.Error, true, want, got
		f.Message = fmt.Sprintf("%s of %s has the checksum %.12s… here, and %s publishes %.12s…", one.file, one.of, want,
			known[at].Checksums, got)
		f.Hint = "find out why the distributor has another file of the same name before you build from it"
	default:
		return
	}
	q.report.add(hybridcore.DriftUpstream, f)
}

// release holds a program to its newest release.
func (q *questions) release(ctx context.Context, asker upstream.Asker, of sources.Release, plan hybridcore.Plan) {
	used := cmp.Or(plan.Versions[of.Name], plan.Versions["plugin:"+of.Name], q.pinned(of.Name))
	if used == "" && of.Name == "packer" { // a plan has no versions while a plugin is missing
		if tool, err := q.Project.Tools.Packer(ctx); err == nil {
			used = tool.Version
		}
	}
	if used == "" {
		q.unasked(of.Name, of.Name+" was not looked at, because nothing says which version is in use")
		return
	}
	q.asked++
	newest, err := q.newest(ctx, asker, of)
	newer := false
	if err == nil {
		newer, err = upstream.Newer(newest, used)
	}
	if err != nil {
		q.unknown(of.Name, err)
		return
	}
	if newer {
		q.report.add(hybridcore.DriftUpstream, hybridcore.Finding{
			Kind: hybridcore.KindDrift, Rule: RuleRelease, Subject: of.Name, Want: newest, Got: used,
			Severity: hybridcore.Info, File: sources.UpstreamPath, Line: of.Line,
			Message: fmt.Sprintf("%s %s is released, %s is in use", of.Name, newest, used),
			Hint:    "read what changed before you move to it",
		})
	}
}

// pinned is the version of a plugin in the lock; empty when it has none.
func (q *questions) pinned(address string) string {
	lock, err := sources.Load(q.Project.Config.Root)
	if err != nil {
		return "" // it was told
	}
	for _, plugin := range lock.Plugins {
		if plugin.Address == address {
			return plugin.Version
		}
	}
	return ""
}

// newest asks for the newest release of a program.
func (q *questions) newest(ctx context.Context, asker upstream.Asker, of sources.Release) (string, error) {
	where := of.Index
	var answer upstream.Answer
	var names []string
	var err error
	if where != "" {
		if answer, err = asker.Get(ctx, where); err == nil {
			names, err = upstream.Index(answer.Text)
		}
	} else {
		where = of.Tags
		answer, err = asker.Keep(where, func() ([]byte, error) {
			syncer := sources.Syncer{Root: q.Project.Config.Root, Environ: q.Project.Environ}
			tags, err := syncer.Tags(ctx, where)
			return []byte(strings.Join(tags, "\n")), err
		})
		names = strings.Fields(string(answer.Text))
	}
	if err != nil {
		return "", err
	}
	newest, err := upstream.Newest(names)
	if err != nil {
		return "", fmt.Errorf("the answer of %s cannot be used: %w", where, err)
	}
	q.answered(answer.At)
	return newest, nil
}
