// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:47:41Z
// Spec: openspec/specs/lab/spec.md#requirement-isolation
// Diagram: openspec/specs/lab/diagram.md#guest-start

// Package guest boots simulated guests: a process tree in its own namespaces over a Debian root file
// system, with the SSH server of that system and no network of its own.
//
// The lab process listens on a loopback address and re-executes its own binary in new user, mount,
// process, host name, IPC and network namespaces. The listener is inherited, so SSH reaches a guest that
// has no network. The new process becomes the guest's pid 1: it mounts an overlay over the root file
// system, leaves the host's file system with pivot_root and starts every guest process, of which sshd for a
// connection is one, from one thread whose capability bounding set is that of an ordinary container.
//
// A program that starts guests must call Main first thing in its main function (tests: in TestMain).
package guest
