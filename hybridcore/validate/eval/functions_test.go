// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:01:16Z
// Spec: openspec/specs/static-validation/spec.md#requirement-the-functions-of-packer
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// The functions are those of testdata/functions.txt: Packer's, with the number of
// their arguments, + for more. What is not computed here takes any number.
func TestFunctions(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("testdata/functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(strings.ReplaceAll(string(list), " ", "/"))
	all := (&eval.Tree{}).Scope(&module.Module{}, hybridcore.Target{}).Context.Functions
	var got []string
	for i, name := range slices.Sorted(maps.Keys(all)) {
		params, more := all[name].Params(), all[name].VarParam()
		arity := fmt.Sprintf("%s/%d", name, len(params))
		switch {
		case more != nil && more.Name == "arguments" && len(params) == 0 && i < len(want):
			_, count, _ := strings.Cut(want[i], "/")
			arity = name + "/" + count
		case more != nil:
			arity += "+"
		}
		got = append(got, arity)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
