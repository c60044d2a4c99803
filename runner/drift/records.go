// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:13:03Z
// Spec: openspec/specs/drift/spec.md#requirement-the-records-themselves
// Diagram: openspec/specs/drift/diagram.md#one-look

package drift

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/checkup"
)

// records holds the records of what is current to their checksums, and to what the snapshot
// says of them; with deep also every object of the state.
func (s Stage) records(ctx context.Context, r *report, deep bool, built map[string]hybridcore.Current) error {
	n, err := s.current(ctx, r, built)
	if err != nil {
		return err
	}
	if deep {
		return s.objects(ctx, r)
	}
	r.looked(hybridcore.DriftRecords, "records", n)
	return nil
}

// objects looks at every object of the state. Of those of which something is said, nothing more is.
func (s Stage) objects(ctx context.Context, r *report) error {
	found, err := checkup.Check(ctx, s.Project.State, func(int, int) {})
	if err != nil {
		return err
	}
	objects, told := 0, map[string]bool{}
	for _, n := range found.Objects {
		objects += n
	}
	for _, one := range r.of.Findings {
		told[one.Finding.Subject] = told[one.Finding.Subject] || one.Part == hybridcore.DriftRecords
	}
	for _, f := range found.Findings {
		if f.Severity != hybridcore.Info && !told[f.Subject] {
			r.deep[f.Subject] = true
			r.add(hybridcore.DriftRecords, damaged(f.Subject, f.Message, f.Hint))
		}
	}
	r.looked(hybridcore.DriftRecords, "objects", objects)
	return nil
}

// current looks at the records of what is current, and counts them.
func (s Stage) current(ctx context.Context, r *report, built map[string]hybridcore.Current) (int, error) {
	runs := map[string]hybridcore.Record{}
	for _, key := range slices.Sorted(maps.Keys(built)) {
		current := built[key]
		record, read := runs[current.RunID]
		if !read {
			var err error
			if record, err = s.Project.State.Record(ctx, current.RunID); err != nil {
				if err := s.unread(r, state.RecordName(current.RunID), err); err != nil {
					return 0, err
				}
			}
			runs[current.RunID] = record
		}
		if record.RunID == "" {
			continue // it was told
		}
		if why := differs(key, current, record); why != "" {
			r.add(hybridcore.DriftRecords, damaged(state.RecordName(current.RunID), why,
				"put the state back from a backup with packer-hybrid state push"))
		}
		if err := s.inventory(ctx, r, current.Inventory); err != nil {
			return 0, err
		}
	}
	return len(runs), nil
}

// unread adds a record that cannot be used. What is in the way of reading is an error.
func (s Stage) unread(r *report, name string, err error) error {
	_, blocked := errors.AsType[*hybridcore.BlockedError](err)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.add(hybridcore.DriftRecords, damaged(name, name+" is not there, and the snapshot refers to it",
			"put it back from a backup with packer-hybrid state push"))
	case blocked:
		r.add(hybridcore.DriftRecords, damaged(name, s.Project.Redact(err.Error()), ""))
	default:
		return err
	}
	return nil
}

// differs says how a record is not the one of which the snapshot speaks.
func differs(key string, current hybridcore.Current, record hybridcore.Record) string {
	_, name, _ := strings.Cut(key, "/")
	for _, res := range record.Results {
		switch {
		case res.Target != name:
		case res.Status != hybridcore.Built || res.Digest != current.Digest || res.Recipe != current.Recipe:
			return fmt.Sprintf("the record of run %s says of %s another build than the snapshot", record.RunID, name)
		default:
			return ""
		}
	}
	return fmt.Sprintf("the record of run %s does not say that it built %s, and the snapshot does", record.RunID, name)
}

// inventory holds an inventory to its checksum.
func (s Stage) inventory(ctx context.Context, r *report, of *hybridcore.Inventory) error {
	if of == nil {
		return nil
	}
	data, err := s.Project.State.Attachment(ctx, of.File)
	if err != nil {
		return s.unread(r, of.File, err)
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != of.SHA256 {
		r.add(hybridcore.DriftRecords, damaged(of.File,
			fmt.Sprintf("%s has sha256 %x…, the snapshot says %.12s…", of.File, sum[:6], of.SHA256),
			"put it back from a backup with packer-hybrid state push, or build the image again"))
	}
	return nil
}

func damaged(subject, message, hint string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: hybridcore.KindDrift, Rule: RuleRecord, Subject: subject, Severity: hybridcore.Error, Blocking: true,
		Message: message, Hint: hint,
	}
}
