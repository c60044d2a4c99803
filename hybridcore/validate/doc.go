// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-a-pure-check-of-values
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

// Package validate checks staged targets inside the process: no Packer, no
// plugin, no platform, no file system. It takes the files and the resolved
// variables of any number of targets as values, reads each file once, and
// answers with findings that carry a rule, a place and what to do.
//
// What it knows of builders, provisioners, post-processors and data sources are
// the schemas that the real plugins gave: package schemas. Package module reads
// what templates declare, eval evaluates their expressions, parts holds what they
// make of sources and steps against the schemas, and untrusted refuses what may not be when the
// author is not trusted. Secrets, run values and whatever would read the
// environment, the network or a clock stay unknown.
package validate
