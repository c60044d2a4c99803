// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-objects
// Diagram: openspec/specs/state/diagram.md#objects

// Package state keeps what was built and what is being built: the current
// snapshot, one immutable record for each run with its attachments, and one
// lease for each target that a run works on.
//
// Store does so with a Backend, which holds objects by name and knows four
// calls: put if absent, get, list, delete. The objects:
//
//	snapshot/00000042     the snapshot: the newest number counts, three older ones are kept
//	runs/RUN.json         the record of a run
//	records/RUN/NAME      its attachments, e.g. the guest inventory
//	leases/KEY/00000007   who works on a target, or did last: the newest number counts
//	drift/ENV/00000003    since when what is not as recorded is known: the newest number counts
//	tickets/REQUEST.json  which run used a ticket of the bot, until that ends
//
// Nothing is written over. What changes is put under the next number if nobody
// else has put that one, which is the only compare and swap that is needed.
//
// Package directory is the backend in a directory of one host, package statetest
// what every backend is held to.
//
// A call that returns without an error is stored. A call that returns an
// error has changed nothing.
package state
