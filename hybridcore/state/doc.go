// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-durable-snapshot
// Diagram: openspec/specs/state/diagram.md#directory

// Package state keeps what was built and what is being built: the current
// snapshot, one immutable record for each run with its attachments, and one
// lease for each target that a run works on.
//
// Dir is the backend in a directory of one host. Its files:
//
//	packer-hybrid.json         the snapshot, replaced as a whole
//	packer-hybrid.json.1 .. 3  its former generations, newest first
//	records.jsonl              one line for each run, only ever appended to
//	records.idx                where each run's line begins; derived, may be deleted
//	records/RUN/NAME           attachments, e.g. the guest inventory
//	leases/KEY.json            who works on a target, or did last; KEY.lock is held while it lives
//	tickets/REQUEST.json       which run used a ticket of the bot, until that ends
//	lock                       held by the one process that writes
//
// A call that returns without an error is on disk. A call that returns an
// error has changed nothing.
package state
