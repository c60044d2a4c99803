// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:03:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// testScope can refer to a few names, one of which refers to itself.
func testScope() *scope {
	return &scope{
		place: arm.ID{Subscription: "S", Group: "G"}, location: "westeurope", busy: map[string]bool{},
		parameters: map[string]any{"name": "vm", "none": "", "list": []any{"a", "b"}},
		variables: map[string]any{
			"vnet":  "[resourceId(variables('group'), 'Microsoft.Network/virtualNetworks', parameters('name'))]",
			"group": "[resourceGroup().name]", "self": "[variables('other')]", "other": "[variables('self')]",
			"twice": []any{"[variables('four')]", "[variables('four')]"},
			"four":  []any{"[variables('more')]", "[variables('more')]"},
			"more":  strings.Repeat("x", maxWork/3),
		},
	}
}

func TestEvaluate(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]any{
		"plain":                                "plain",
		"[[literal]":                           "[literal]",
		"[not closed":                          "[not closed",
		"[parameters('NAME')]":                 "vm",
		"['it''s']":                            "it's",
		"[concat('a', 1, parameters('name'))]": "a1vm",
		"[concat(parameters('list'), parameters('list'))]": []any{"a", "b", "a", "b"},
		"[parameters('list')[1]]":                          "b",
		"[resourceGroup().location]":                       "westeurope",
		"[subscription().subscriptionId]":                  "S",
		"[not(empty(parameters('none')))]":                 false,
		"[ equals( tolower('A') , 'a' ) ]":                 true,
		"[variables('vnet')]": "" +
			"/subscriptions/S/resourceGroups/G/providers/Microsoft.Network/virtualNetworks/vm",
		"[resourceId('s2', 'g2', 'A.B/c/d', 'x', 'y')]": "/subscriptions/s2/resourceGroups/g2/providers/A.B/c/x/d/y",
		"[resourceId('Microsoft.Compute/virtualMachines/', 'm')]": "" +
			"/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/m",
	} {
		got, err := testScope().value(given)
		if err != nil {
			t.Errorf("%s: %v", given, err)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", given, diff)
		}
	}
}

func TestEvaluateRefuses(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"[parameters('x')]":                     `parameter "x" is not found`,
		"[variables('x')]":                      `variable "x" is not found`,
		"[variables('self')]":                   "refers to itself",
		"[variables('twice')]":                  "larger than",
		"[parameters(]":                         "ends early",
		"[concat('a']":                          "expected , or )",
		"['open]":                               "does not end",
		"[concat('a') 'b']":                     "expected the end",
		"[name]":                                "expected ( after name",
		"[reference('x')]":                      `does not have the template function "reference"`,
		"[parameters('list')[2]]":               "no element 2",
		"[parameters('name').x]":                "neither an object nor an array",
		"[resourceGroup().owner]":               `no property "owner"`,
		"[resourceId('A.B/c')]":                 "another number of names",
		"[resourceId('name')]":                  "no argument is a resource type",
		"[concat('a', parameters('list'))]":     "cannot put together",
		"[99999999999999999999]":                "is not an integer",
		"[]":                                    "ends early",
		"[" + strings.Repeat("not(", 100) + "]": "nested deeper",
	} {
		got, err := testScope().value(given)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, %v; want an error with %q", given, got, err, want)
		}
	}
}

func FuzzExpression(f *testing.F) {
	for _, seed := range []string{
		"concat('a', parameters('name'))", "resourceId('A/b', 'c')", "resourceGroup().location", "parameters('list')[0]",
		"not(empty(''))",
		"variables('vnet')", "'it''s'", "-1",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, given string) {
		n, err := parseExpression(given)
		if err != nil {
			return
		}
		again, err := parseExpression(given + " ")
		if len(given) < maxExpression && err != nil {
			t.Errorf("%q parses, and with a blank behind it does not: %v", given, err)
		}
		first, errFirst := testScope().eval(n)
		if len(given) < maxExpression {
			second, errSecond := testScope().eval(again)
			if (errFirst == nil) != (errSecond == nil) || errFirst == nil && !cmp.Equal(first, second) {
				t.Errorf("%q is %v, %v once and %v, %v then", given, first, errFirst, second, errSecond)
			}
		}
	})
}
