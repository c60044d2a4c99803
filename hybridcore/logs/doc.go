// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-every-sink-is-behind-the-redactor
// Diagram: openspec/specs/logs/diagram.md#sinks

// Package logs writes what packer-hybrid says: console, JSON and rotated file sinks for log/slog behind a redactor, and
// the log file of a target.
//
// A program makes one redact.Redactor, adds values as it learns them, and gives it to New; whatever does not go through
// slog (Packer's own output, reports) is written through its Writer or String.
package logs
