// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:14:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package gitlab

// Variables of a pipeline, for the tests of this package.
const (
	CommandVariable = commandVariable
	SHAVariable     = shaVariable
	RequestVariable = requestVariable
	TicketVariable  = ticketVariable
)
