// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:50:00Z
// Spec: openspec/specs/runner/spec.md#requirement-a-fingerprint-in-the-record
// Diagram: openspec/specs/runner/diagram.md#stages

package build

import (
	"context"
	"errors"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// KindFingerprint is the kind of the finding that a build has left no fingerprint.
const KindFingerprint = "fingerprint"

// fingerprint takes the fingerprints of what was just built. Where that fails the image is
// built all the same, and the report says what cannot be told of it later.
func (b *building) fingerprint(ctx context.Context, c project.Client) {
	taken, err := fingerprints(ctx, c, b.result.Artifact.URIs, b.run.project.Redact)
	if err == nil {
		b.result.Artifact.Fingerprints = taken
		return
	}
	b.result.Findings = append(b.result.Findings, hybridcore.Finding{
		Kind: KindFingerprint, Subject: b.target.Name(), Severity: hybridcore.Warning,
		Message: "built, but without a fingerprint, because " + b.run.project.Redact(err.Error()),
		Hint: "whether somebody changes this image on " + b.target.Platform.Info().Title +
			" cannot be told until it is built again; that it is there can",
	})
}

// fingerprints takes those of all objects, or of none.
func fingerprints(ctx context.Context, c project.Client, of []hybridcore.URI, clean func(string) string) (
	taken []hybridcore.Fingerprint, err error,
) {
	client, ok := c.(project.Looker)
	if !ok {
		return nil, errors.New("the client of the platform takes none")
	}
	seen, err := client.Fingerprint(ctx, of)
	if err != nil {
		return nil, err
	}
	for i, one := range seen {
		switch {
		case one.Unseen != "":
			return nil, errors.New(one.Unseen)
		case i >= len(of) || one.Of != of[i] || one.Now != of[i]:
			return nil, fmt.Errorf("%s %s is another one by now", one.Of.Kind, one.Of.Name)
		}
		facts := map[string]string{}
		for name, value := range one.Facts {
			facts[clean(name)] = clean(value)
		}
		taken = append(taken, hybridcore.Fingerprint{Of: one.Of, Facts: facts})
	}
	if len(taken) != len(of) {
		return nil, fmt.Errorf("the platform told of %d of %d objects", len(taken), len(of))
	}
	return taken, nil
}

// cleanFingerprints gives an artifact those of a part, fit for the state, as far as they are
// of its objects.
func cleanFingerprints(to, given *hybridcore.Artifact, clean func(string) string) error {
	if given == nil {
		return nil
	}
	for i, f := range given.Fingerprints {
		if i >= len(given.URIs) || f.Of != given.URIs[i] || len(f.Facts) > maxFacts {
			return hybridcore.Blockedf(
				"it has a fingerprint of something that it has not built, or one of more than %d facts", maxFacts)
		}
		facts := map[string]string{}
		for name, value := range f.Facts {
			if len(name) > maxFact || len(value) > maxFact {
				return hybridcore.Blockedf("it has a fingerprint with a fact of more than %d bytes", maxFact)
			}
			facts[clean(name)] = clean(value)
		}
		to.Fingerprints = append(to.Fingerprints, hybridcore.Fingerprint{Of: to.URIs[i], Facts: facts})
	}
	return nil
}

// Limits of a fingerprint in a part, which are above those of any that is taken.
const (
	maxFacts = 1 << 10
	maxFact  = 1 << 10 // bytes
)
