// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:58:00Z
// Spec: openspec/specs/runner/spec.md#requirement-parts-are-not-trusted
// Diagram: openspec/specs/runner/diagram.md#fan-out

package build

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner/compare"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// maxPart bounds a record with its line, in bytes.
const maxPart = 80 << 20

// taken is a part that was read and found right.
type taken struct {
	folder      string
	result      hybridcore.Result
	inventories map[string][]byte
}

// partFolders lists the folders at or below one that hold a record. Links are
// not followed. A folder that is not there holds none: with nothing to build,
// nothing was handed over.
func partFolders(dir string) ([]string, error) {
	var found []string
	entries := 0
	err := filepath.WalkDir(dir, func(at string, entry fs.DirEntry, err error) error {
		if err != nil {
			if at == dir && errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		rel, _ := filepath.Rel(dir, at) // both come from the walk
		if entries++; entries > project.MaxEntries || len(found) > project.MaxParts {
			return hybridcore.Usagef("%s holds too many files to be the parts of a build", dir)
		}
		switch {
		case entry.IsDir() && strings.Count(filepath.ToSlash(rel), "/") > project.MaxDepth:
			return fs.SkipDir
		case entry.Type().IsRegular() && filepath.Base(filepath.Dir(at)) == state.RecordsFolder:
			if info, err := entry.Info(); err != nil || info.Size() > maxPart {
				return errors.Join(hybridcore.Blockedf("%s has more than %d MiB, which no part has", at, maxPart>>20), err)
			}
			if folder := filepath.Dir(filepath.Dir(at)); !slices.Contains(found, folder) {
				found = append(found, folder)
			}
		}
		return nil
	})
	return found, err //nolint:wrapcheck // it names the path
}

// take reads a part, and refuses what is not exactly one result of a planned
// target, built from this commit with these inputs.
func (x *run) take(ctx context.Context, folder string, planned map[string]hybridcore.Target) (*taken, error) {
	store, err := directory.ViewObjects(folder)
	if err != nil {
		return nil, err
	}
	runs, err := store.Records(ctx)
	if err != nil {
		return nil, err
	}
	if len(runs) != 1 {
		return nil, hybridcore.Blockedf("it has %d records, not one", len(runs))
	}
	rec, err := store.Record(ctx, runs[0])
	if err != nil {
		return nil, err
	}
	if len(rec.Results) != 1 {
		return nil, hybridcore.Blockedf("its record has %d results, not one", len(rec.Results))
	}
	res := rec.Results[0]
	target, known := planned[res.Target]
	if !known {
		return nil, hybridcore.Blockedf(
			"%.140q is no target of this plan: name the same images and platforms as for the parts", res.Target)
	}
	if err := x.fits(rec, res, target); err != nil {
		return nil, err
	}
	res.Inputs = target.Inputs
	found := &taken{folder: folder, result: x.clean(res), inventories: map[string][]byte{}}
	if err := cleanFingerprints(found.result.Artifact, res.Artifact, x.project.Redact); err != nil {
		return nil, err
	}
	if res.Inventory == nil {
		if res.Status == hybridcore.Built {
			found.result.Findings = append(found.result.Findings, noInventory(target)) // its own word may leave it out
		}
		return found, nil
	}
	return found, x.adopt(ctx, store, found, target)
}

// fits compares a part with the plan.
func (x *run) fits(rec hybridcore.Record, res hybridcore.Result, target hybridcore.Target) error {
	switch {
	case rec.Request.Action != hybridcore.ActionBuild || rec.Request.Part == "":
		return hybridcore.Blockedf("it is the record of a %.20q, not a part of a build", rec.Request.Action)
	case rec.Commit != x.plan.Commit:
		return hybridcore.Blockedf("it was built from commit %.12q, and this checkout is at %.12q", rec.Commit, x.plan.Commit)
	case rec.Request.Env != x.plan.Request.Env:
		return hybridcore.Blockedf("it was built for the environment %.64q, not %s", rec.Request.Env, x.plan.Request.Env)
	case res.Image != target.Image.Name || res.Platform != target.Platform:
		return hybridcore.Blockedf("its result is of %.64q on %.20q, and its name says %s", res.Image, res.Platform,
			target.Name())
	case rec.Request.Part != res.Digest || res.Digest != target.Digest || res.Recipe != target.Recipe:
		return hybridcore.Blockedf(
			"%s was built with the digest %.12q, and here it has %.12s; files, Packer, plugins or PKR_VAR_ variables differ "+
				"between the machines (here: %s)",
			target.Name(), res.Digest, target.Digest, versionList(x.plan.Versions))
	case res.Started.After(x.project.Now().Add(project.MaxClock)) || res.Duration < 0:
		return hybridcore.Blockedf("%s was built from %s for %s, which is not over yet: set the clocks of the machines",
			target.Name(), res.Started, res.Duration)
	}
	switch res.Status {
	case hybridcore.Failed, hybridcore.Cancelled, hybridcore.BlockedStatus:
		return nil
	case hybridcore.Built:
		if res.Artifact == nil || len(res.Artifact.URIs) == 0 || len(res.Artifact.URIs) > project.MaxPartURIs {
			return hybridcore.Blockedf("%s is said to be built, without an artifact that was found on %s", target.Name(),
				target.Platform.Info().Title)
		}
		return nil
	default:
		return hybridcore.Blockedf("%s has the status %.20q, which no part has", target.Name(), res.Status)
	}
}

// refuse blocks what is built of another system, or of an unknown one.
func (t *taken) refuse(f hybridcore.Finding) {
	t.result.Status = hybridcore.BlockedStatus
	t.result.Failure = &hybridcore.Failure{Message: (&compare.AnotherSystemError{Message: f.Message}).Error()}
	t.result.Findings = append(t.result.Findings, f)
}

// adopt takes the inventory of a part over into this run. What is built of
// another system is blocked here as it should have been there.
func (x *run) adopt(ctx context.Context, store *state.Store, found *taken, target hybridcore.Target) error {
	was := *found.result.Inventory
	data, err := store.Attachment(ctx, was.File)
	if err != nil {
		return err
	}
	if parity.Digest(data) != was.SHA256 {
		return hybridcore.Blockedf("its inventory %s is not what its record says", was.File)
	}
	var guest parity.Normal
	inventory, err := parity.Parse(data)
	if err == nil {
		guest, err = parity.Normalise(inventory)
	}
	if err != nil {
		return &hybridcore.BlockedError{Msg: "its inventory is not usable", Err: err}
	}
	wrong := compare.CheckSystem(target.Image, target.Platform, target.Inputs, guest)
	if found.result.Status == hybridcore.Built && hybridcore.Blocked(wrong) != hybridcore.NotBlocked {
		found.refuse(wrong[0])
	}
	name := project.InventoryName(found.result.Target)
	found.inventories[name] = data
	found.result.Inventory = x.inventory(name, data, len(inventory.Packages))
	return nil
}

// clean makes all text of a result fit for a report and the state.
func (x *run) clean(res hybridcore.Result) hybridcore.Result {
	if !fs.ValidPath(res.Log) || !strings.HasPrefix(res.Log, "logs/") || path.Clean(res.Log) != res.Log {
		res.Log = ""
	}
	res.Log = x.project.Redact(res.Log)
	res.Provenance = cleanProvenance(x.project.Redact, res.Provenance)
	res.Notes = x.cleanAll(res.Notes)
	res.Steps = slices.Clone(res.Steps)
	for i := range res.Steps {
		res.Steps[i].Name = x.project.Redact(res.Steps[i].Name)
	}
	res.Findings = slices.Clone(res.Findings)
	for i, f := range res.Findings {
		for _, text := range []*string{
			&f.Kind, &f.Rule, &f.Subject, &f.Want, &f.Got, &f.Message, &f.Hint, &f.File,
			&f.Source,
		} {
			*text = x.project.Redact(*text)
		}
		res.Findings[i] = f
	}
	if res.Failure != nil {
		f := *res.Failure
		f.Step, f.File, f.Message, f.Tail = x.project.Redact(f.Step), x.project.Redact(f.File), x.project.Redact(
			f.Message), x.cleanAll(f.Tail)
		res.Failure = &f
	}
	if res.Artifact != nil {
		a := hybridcore.Artifact{ID: x.project.Redact(res.Artifact.ID), Builder: x.project.Redact(res.Artifact.Builder)}
		for _, uri := range res.Artifact.URIs {
			a.URIs = append(a.URIs, hybridcore.URI{
				Kind: x.project.Redact(uri.Kind), Name: x.project.Redact(uri.Name),
				ID: x.project.Redact(uri.ID),
			})
		}
		res.Artifact = &a
	}
	return res
}

func (x *run) cleanAll(texts []string) []string {
	texts = slices.Clone(texts)
	for i, text := range texts {
		texts[i] = x.project.Redact(text)
	}
	return texts
}

func versionList(versions map[string]string) string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(versions)) {
		all = append(all, strings.TrimPrefix(name, "plugin:")+" "+versions[name])
	}
	return strings.Join(all, ", ")
}

// PartDir is where a part of a build leaves its record, relative to the project.
func PartDir(target string) string { return hybridcore.PartsDir + "/" + target }

// storePart writes the record of a part into a folder of its own, in place of
// what was there. A link in its path is not followed.
func (x *run) storePart(ctx context.Context, rec hybridcore.Record) error {
	base, name := x.project.Config.Root, PartDir(rec.Results[0].Target)
	if x.stage.Folders.Uploads != "" {
		base, name = x.stage.Folders.Uploads, path.Join(path.Base(hybridcore.PartsDir), rec.Results[0].Target)
	}
	in, err := safefile.Folder(base, path.Dir(name), 0o755)
	if err != nil {
		return fmt.Errorf("opening the folder of the parts: %w", err)
	}
	if err := errors.Join(in.RemoveAll(path.Base(name)), in.Close()); err != nil {
		return fmt.Errorf("removing the former part: %w", err)
	}
	store, err := directory.Open(filepath.Join(base, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	return store.Append(ctx, rec, x.inventories)
}
