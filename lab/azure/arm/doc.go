// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:03:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

// Package arm holds the words of Azure Resource Manager that the simulated Azure and its templates share: identifiers
// and types of resources, API versions, errors, and values of JSON.
package arm
