// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:05:35Z
// Spec: openspec/specs/plan/spec.md#requirement-published-schemas
// Diagram: openspec/specs/plan/diagram.md#two-trees

// Command schema writes the JSON Schemas of plan and record from the Go types
// of package hybridcore: names, types and options from the fields' tags, the
// descriptions from their comments, the enumerations from typed constants.
// Run it at the top of the tree after changing one of these types.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/parser"
	"os"
	"path/filepath"
)

// source is the folder with the types.
const source = "hybridcore"

// documents are the schemas: file → the fields of its root.
var documents = map[string]struct {
	title  string
	fields map[string]string // name → type
	needs  []string
}{
	"plan.schema.json": {
		"The answer of packer-hybrid plan --output json",
		map[string]string{"plan": "Plan"},
		[]string{"format_version", "plan"},
	},
	"record.schema.json": {
		"The record of one run: the answer of packer-hybrid inspect, and with the plan of build and validate, with " +
			"--output json",
		map[string]string{"record": "Record", "plan": "Plan", "cached": "string"},
		[]string{"format_version", "record"},
	},
	"answer.schema.json": {
		"What a request came to: artifacts/answer.json of a CI job, and without request and exit_code --output json of " +
			"every verb",
		map[string]string{
			"request": "Request", "exit_code": "int", "plan": "Plan", "plans": "[]EnvPlan",
			"record": "Record", "reaped": "[]Reaped",
			"reaped_on": "[]ReapPart",
			"parity":    "ParityReport", "status": "StatusReport", "release": "Release", "explanation": "Explanation",
			"cached": "string",
			"drift":  "DriftReport", "error": "string", "findings": "[]Finding",
		},
		[]string{"format_version"},
	},
	"release.schema.json": {
		"The release that packer-hybrid publish writes to artifacts/release.json",
		map[string]string{"release": "Release"},
		[]string{"format_version", "release"},
	},
}

func main() {
	if err := write("."); err != nil {
		fmt.Fprintln(os.Stderr, "schema:", err)
		os.Exit(1)
	}
}

func write(root string) error {
	made, err := generate(root)
	if err != nil {
		return err
	}
	for name, text := range made {
		if err := os.WriteFile(filepath.Join(root, "docs", "schemas", name), text, 0o644); err != nil {
			return fmt.Errorf("writing a schema: %w", err)
		}
	}
	return nil
}

// generate returns the schemas by file name.
func generate(root string) (map[string][]byte, error) {
	types, err := read(filepath.Join(root, source))
	if err != nil {
		return nil, err
	}
	made := map[string][]byte{}
	for name, doc := range documents {
		w := walker{types: types, defs: map[string]any{}}
		properties := map[string]any{"format_version": map[string]any{"const": 1, "description": "of this document"}}
		for field, typ := range doc.fields {
			expr, err := parser.ParseExpr(typ)
			if err != nil {
				return nil, fmt.Errorf("the type of %s: %w", field, err)
			}
			if properties[field], err = w.expr(expr); err != nil {
				return nil, err
			}
		}
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		err := enc.Encode(map[string]any{
			"$schema": "https://json-schema.org/draft/2020-12/schema", "title": doc.title, "type": "object",
			"properties": properties, "required": doc.needs, "additionalProperties": false, "$defs": w.defs,
		})
		if err != nil {
			return nil, fmt.Errorf("encoding %s: %w", name, err)
		}
		made[name] = out.Bytes()
	}
	return made, nil
}
