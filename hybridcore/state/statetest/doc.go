// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:15:20Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

// Package statetest is what every backend of the state is held to: the same
// suite, of the objects themselves and of a state that is kept in them.
package statetest
