// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:26:17Z
// Spec: openspec/specs/runner/spec.md#requirement-reap-in-parts
// Diagram: openspec/specs/runner/diagram.md#reap-in-parts

package build

import (
	"errors"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// kindReapPart is the kind of what the jobs of a reap hand over.
const kindReapPart = "reap-part"

// maxReapedURIs bounds the objects of one dead run: its machine, what belongs to
// that, and the 64 CDs that a lease can name.
const maxReapedURIs = 1024

// notLooked is what is said of a platform whose job handed nothing over.
const notLooked = "not looked at, because its job left no answer"

// SealReapPart is the file of what was reaped on one platform, with its name.
func SealReapPart(part hybridcore.ReapPart) (name string, data []byte, err error) {
	data, _, err = state.Seal(kindReapPart, part)
	return reapFile(part.Platform), data, err
}

func reapFile(platform hybridcore.Platform) string { return "reaped-" + string(platform) + ".json" }

// ReadReaped reads what jobs reaped on the platforms, each in its own answer
// below a folder. There is a part for each platform: of one without an answer it
// says so, and one that is refused is in the error, a BlockedError, too.
func (s Stage) ReadReaped(dir string, pin project.JobPin, platforms []hybridcore.Platform) ([]hybridcore.ReapPart,
	error,
) {
	found, err := project.HandedOver(dir, func(name string) bool {
		return slices.ContainsFunc(hybridcore.Platforms(),
			func(p hybridcore.PlatformInfo) bool { return reapFile(p.Name) == name })
	})
	if err != nil {
		return nil, err
	}
	var all []hybridcore.ReapPart
	var errs []error
	for _, platform := range platforms {
		part := hybridcore.ReapPart{
			Run: pin.Run, Commit: pin.Commit, Env: pin.Asked.Env, Platform: platform,
			DryRun: pin.Asked.DryRun, Error: notLooked,
		}
		if file := found[reapFile(platform)]; file != nil {
			read, err := s.readReaped(file.Data, pin, platform)
			if err != nil {
				part.Error = "its answer is refused: " + s.Project.Redact(err.Error())
				errs = append(errs, project.RefusedFile(file.Path, err))
			} else {
				part = read
			}
		}
		if part.Reaped == nil {
			part.Reaped = []hybridcore.Reaped{}
		}
		all = append(all, part)
	}
	return all, errors.Join(errs...)
}

// readReaped reads the answer of a platform, and makes its text inert.
func (s Stage) readReaped(data []byte, pin project.JobPin, platform hybridcore.Platform) (hybridcore.ReapPart, error) {
	part, _, err := state.Unseal[hybridcore.ReapPart](kindReapPart, data)
	if err != nil {
		return part, err
	}
	made := pin.Made(part.Run, part.Commit)
	switch {
	case part.Platform != platform:
		return part, hybridcore.Blockedf("it is of %.20q, and its name says %s", part.Platform, platform)
	case made != nil:
		return part, made
	case part.Env != pin.Asked.Env || part.DryRun != pin.Asked.DryRun:
		return part, hybridcore.Blockedf("it is for the environment %.64q, dry run %t, and this job is about another",
			part.Env, part.DryRun)
	case len(part.Reaped) > project.MaxParts:
		return part, hybridcore.Blockedf("it has %d runs, and at most %d are read", len(part.Reaped), project.MaxParts)
	}
	part.Error = s.Project.Redact(part.Error)
	for i, one := range part.Reaped {
		if !pin.Asked.Wants(one.Lease.Key) || !strings.HasSuffix(one.Lease.Key, "@"+string(platform)) {
			return part, hybridcore.Blockedf("it has %.140q, which this job is not asked about", one.Lease.Key)
		}
		if len(one.Removed) > maxReapedURIs || len(one.Kept) > maxReapedURIs {
			return part, hybridcore.Blockedf("it has %d and %d objects of one run, and at most %d are read", len(one.Removed),
				len(one.Kept), maxReapedURIs)
		}
		part.Reaped[i] = s.cleanReaped(one)
	}
	return part, nil
}

// cleanReaped makes all text of what was reaped fit for a report. What only the
// machine of the run can use is left out.
func (s Stage) cleanReaped(one hybridcore.Reaped) hybridcore.Reaped {
	l := one.Lease
	one.Lease = hybridcore.Lease{
		Key: s.Project.Redact(l.Key), RunID: s.Project.Redact(l.RunID), Owner: s.Project.Redact(l.Owner),
		Host: s.Project.Redact(l.Host), PID: l.PID,
		At:       l.At,
		Artifact: s.Project.Redact(l.Artifact), Phase: s.Project.Redact(l.Phase), Serial: l.Serial, Expires: l.Expires,
		QuietSince: l.QuietSince,
	}
	one.Error = s.Project.Redact(one.Error)
	for _, uris := range [][]hybridcore.URI{one.Removed, one.Kept} {
		for i, u := range uris {
			uris[i] = hybridcore.URI{Kind: s.Project.Redact(u.Kind), Name: s.Project.Redact(u.Name), ID: s.Project.Redact(u.ID)}
		}
	}
	return one
}
