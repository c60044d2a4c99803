// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:24Z
// Spec: openspec/specs/logs/spec.md#requirement-every-sink-is-behind-the-redactor
// Diagram: openspec/specs/logs/diagram.md#sinks

// Package redact hides secrets in what is written: values that it was told, however they are encoded or escaped, and
// credentials of well-known shape.
//
// A log is searched as it is, and where it has escapes, as it is with one kind of them undone, and with a second kind
// in that (view, undo): a value or a shape is found however many of its characters are escaped.
//
// Texts and short codes are searched for as they are (matcher). Longer codes, Base64 and hexadecimal, also of UTF-16
// and one in the other, are decoded where the characters of a log may be one (codes, decoder), and parts of 8 bytes
// of each value are looked up in what they mean: the number of spellings does not grow with the pairs of encodings.
//
// The redactor is frozen. Its forms, shapes and search are changed only for a leak that was seen, with a test that
// shows it, and with bench/run redact before and after: each form is searched for in every byte that is logged.
package redact
