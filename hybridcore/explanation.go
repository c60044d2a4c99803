// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:07Z
// Spec: openspec/specs/plan/spec.md#requirement-explain-a-variable
// Diagram: openspec/specs/plan/diagram.md#layers

package hybridcore

// Explanation says where the value of one variable of one target comes from.
type Explanation struct {
	Target      string      `json:"target"` // IMAGE@PLATFORM
	Env         string      `json:"env"`
	Variable    string      `json:"variable"`
	Type        string      `json:"type"`
	Description string      `json:"description,omitempty"`
	File        string      `json:"file"` // where it is declared
	Line        int         `json:"line"`
	Sensitive   bool        `json:"sensitive,omitempty"`
	Connection  bool        `json:"connection,omitempty"` // says how to reach platform or guest; never in a digest
	Run         bool        `json:"run,omitempty"`        // differs from run to run; never in a digest
	Layers      []ReadLayer `json:"layers"`               // lowest first, those that do not set it too
	Findings    []Finding   `json:"findings,omitempty"`   // what is wrong with it
}

// ReadLayer is one place that was asked for a variable.
type ReadLayer struct {
	Layer
	State LayerState `json:"state"`
}

// LayerState says what a layer does for a variable.
type LayerState string

// States of a layer.
const (
	LayerWins    LayerState = "wins"
	LayerSets    LayerState = "sets"    // and a higher layer wins
	LayerSilent  LayerState = "silent"  // does not set it
	LayerMissing LayerState = "no file" // there is no such file
)
