// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:03:03Z
// Spec: openspec/specs/static-validation/spec.md#requirement-the-functions-of-packer
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

// Package packer_test holds what this project knows of Packer to the code that go.mod pins.
package packer_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/packer/hcl2template"
)

// The list of functions that validation is held to is that of the pinned Packer.
func TestFunctions(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("../../hybridcore/validate/eval/testdata/functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	all := hcl2template.Functions(".")
	for _, name := range slices.Sorted(maps.Keys(all)) {
		more := ""
		if all[name].VarParam() != nil {
			more = "+"
		}
		fmt.Fprintf(&b, "%s %d%s\n", name, len(all[name].Params()), more)
	}
	if b.String() != string(list) {
		t.Errorf("the list is to be:\n%s", &b)
	}
}
