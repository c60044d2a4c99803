// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package github

import "github.com/packer-hybrid/packer-hybrid/runner/ci"

// What the tests of this package need of its inside.
const MaxPayload = maxPayload

// Review is one review of a change.
type Review = review

// Approving are the reviews that count.
var Approving = approving

// FromPayload is the job of an event by its name and payload.
func FromPayload(event string, data []byte, in ci.Input) (ci.Job, error) {
	p, err := decode(data)
	if err != nil {
		return ci.Job{}, err
	}
	e, err := fromPayload(event, p, in)
	if err != nil {
		return ci.Job{}, err
	}
	return ci.Read(in, e)
}
