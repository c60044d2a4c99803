// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-values-between-stages
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

// Package hybridcore holds the values that pass between the stages of one
// request, the platform table and the command grammar. It does no I/O.
//
//	door → Request → Plan → Results → Record → Report
package hybridcore
