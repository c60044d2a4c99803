// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:01:16Z
// Spec: openspec/specs/static-validation/spec.md#requirement-the-functions-of-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/zclconf/go-cty/cty/function"
)

// The functions are those of Packer, with the number of their arguments, + for
// more. What is left to Packer takes any number.
func TestFunctions(t *testing.T) {
	t.Parallel()
	list, err := os.ReadFile("../../hybridcore/validate/eval/testdata/functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	tmpl, diags := load(t, body+"locals { v = 1 }")
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	all := map[string]function.Function{}
	for scope := tmpl.SourceScope(tmpl.Builds[0].Sources[0]); scope != nil; scope = scope.Parent() {
		maps.Copy(all, scope.Functions)
	}
	want := strings.Fields(strings.ReplaceAll(string(list), " ", "/"))
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
