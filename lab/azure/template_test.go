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

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
	"github.com/packer-hybrid/packer-hybrid/lab/azure/template"
)

// deployed evaluates a template of the tests.
func deployed(t *testing.T, change func(map[string]map[string]any)) ([]template.Resource, error) {
	t.Helper()
	body, err := json.Marshal(simpleTemplate(change))
	if err != nil {
		t.Fatal(err)
	}
	request, err := template.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return template.Evaluate(request, arm.ID{Subscription: "S", Group: "G"}, "westeurope", bootable)
}

func TestPlanOrder(t *testing.T) {
	t.Parallel()
	all, err := deployed(t, func(r map[string]map[string]any) {
		r["more"] = map[string]any{
			"type": arm.Extensions, "name": "x", "condition": "[not(empty(''))]", "apiVersion": "none",
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range all {
		names = append(names, p.ID.TypeAndName())
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
		return arm.Object(r["vm"], append([]string{"properties"}, path...)...)
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
			func(r map[string]map[string]any) { r["ip"]["type"] = arm.Extensions }, "InvalidTemplateDeployment",
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
		for _, path := range []string{arm.Deployments + "/d/validate", arm.Deployments + "/d"} {
			method := http.MethodPut
			if strings.HasSuffix(path, "validate") {
				method = http.MethodPost
			}
			a := b.send(method, resourcePath("g", path, "2022-09-01"), simpleTemplate(test.change)).want(http.StatusBadRequest,
				test.code)
			if message := arm.Text(a.body, "error", "message"); !strings.Contains(message, test.say) {
				t.Errorf("%s: %q does not say %q", name, message, test.say)
			}
		}
	}
	if left := b.resources("g"); len(left) != 0 || len(b.hardware.booted) != 0 {
		t.Errorf("made %v, booted %v", left, b.hardware.booted)
	}
}
