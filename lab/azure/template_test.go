// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:35:00Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testScope can refer to a few names, one of which refers to itself.
func testScope() *scope {
	return &scope{
		place: target{subscription: "S", group: "G"}, location: "westeurope", busy: map[string]bool{},
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

func FuzzTarget(f *testing.F) {
	f.Add("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/g/images/i/versions/1.0.0")
	f.Add("/subscriptions/s/resourceGroups/g/deployments/d/operations")
	f.Add("/subscriptions//resourceGroups")
	f.Fuzz(func(t *testing.T, path string) {
		parsed, ok := parseTarget(path)
		if !ok || parsed.kind == "" || parsed.group == "" || !parsed.complete() {
			return
		}
		again, ok := parseTarget(parsed.id())
		if !ok || again.key() != parsed.key() || again.id() != parsed.id() {
			t.Errorf("%q is %+v, whose identifier %q is %+v", path, parsed, parsed.id(), again)
		}
	})
}

// deployed evaluates a template of the tests.
func deployed(t *testing.T, change func(map[string]map[string]any)) ([]planned, error) {
	t.Helper()
	body, err := json.Marshal(simpleTemplate(change))
	if err != nil {
		t.Fatal(err)
	}
	request, err := parseDeployment(body)
	if err != nil {
		t.Fatal(err)
	}
	return plan(request, target{subscription: "S", group: "G"}, "westeurope")
}

func TestPlanOrder(t *testing.T) {
	t.Parallel()
	all, err := deployed(t, func(r map[string]map[string]any) {
		r["more"] = map[string]any{
			"type": kindExtension, "name": "x", "condition": "[not(empty(''))]", "apiVersion": "none",
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range all {
		names = append(names, p.target.typeAndName())
	}
	want := []string{
		"Microsoft.Network/virtualNetworks/m", "Microsoft.Network/publicIPAddresses/m",
		"Microsoft.Network/networkInterfaces/m", "Microsoft.Compute/virtualMachines/m",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestValidateRefuses(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.makeGroup("g", nil)
	properties := func(r map[string]map[string]any, path ...string) map[string]any {
		return object(r["vm"], append([]string{"properties"}, path...)...)
	}
	for name, test := range map[string]struct {
		change func(map[string]map[string]any)
		code   string
		say    string
	}{
		"unknown parameter": {
			func(r map[string]map[string]any) { r["ip"]["name"] = "[parameters('q')]" }, "InvalidTemplate",
			"not found",
		},
		"circle": {func(r map[string]map[string]any) {
			r["vnet"]["dependsOn"] = []string{"Microsoft.Compute/virtualMachines/m"}
		}, "InvalidTemplate", "circular"},
		"twice": {func(r map[string]map[string]any) { r["more"] = r["ip"] }, "InvalidTemplate", "multiple times"},
		"old version": {
			func(r map[string]map[string]any) { r["ip"]["apiVersion"] = "1999-01-01" },
			"NoRegisteredProviderFound", "2023-04-01",
		},
		"key vault": {
			func(r map[string]map[string]any) { r["ip"]["type"] = "Microsoft.KeyVault/vaults" },
			"InvalidTemplateDeployment", "KeyVault",
		},
		"extension": {
			func(r map[string]map[string]any) { r["ip"]["type"] = kindExtension }, "InvalidTemplateDeployment",
			"extensions",
		},
		"name of two": {func(r map[string]map[string]any) { r["ip"]["name"] = "a/b" }, "InvalidTemplate", "does not fit"},
		"windows": {func(r map[string]map[string]any) {
			properties(r, "storageProfile", "osDisk")["osType"] = "Windows"
		}, "InvalidTemplateDeployment", "Windows"},
		"own image": {func(r map[string]map[string]any) {
			properties(r, "storageProfile")["imageReference"] = map[string]any{"id": "/subscriptions/s"}
		}, "InvalidTemplateDeployment", "Marketplace"},
		"custom data": {
			func(r map[string]map[string]any) { properties(r, "osProfile")["customData"] = "eA==" },
			"InvalidTemplateDeployment", "cloud-init",
		},
		"data disks": {
			func(r map[string]map[string]any) { properties(r, "storageProfile")["dataDisks"] = []any{1} },
			"InvalidTemplateDeployment", "data disks",
		},
		"no user": {
			func(r map[string]map[string]any) { properties(r, "osProfile")["adminUsername"] = "" },
			"InvalidParameter", "osProfile",
		},
		"two keys in one": {func(r map[string]map[string]any) {
			properties(r, "osProfile", "linuxConfiguration",
				"ssh")["publicKeys"] = []any{map[string]any{"keyData": "ssh-rsa A\nssh-rsa B"}}
		}, "InvalidParameter", "keyData"},
	} {
		for _, path := range []string{kindDeployment + "/d/validate", kindDeployment + "/d"} {
			method := http.MethodPut
			if strings.HasSuffix(path, "validate") {
				method = http.MethodPost
			}
			a := b.send(method, resourcePath("g", path, "2022-09-01"), simpleTemplate(test.change)).want(http.StatusBadRequest,
				test.code)
			if message := text(a.body, "error", "message"); !strings.Contains(message, test.say) {
				t.Errorf("%s: %q does not say %q", name, message, test.say)
			}
		}
	}
	if left := b.resources("g"); len(left) != 0 || len(b.hardware.booted) != 0 {
		t.Errorf("made %v, booted %v", left, b.hardware.booted)
	}
}
