// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:51Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"encoding/base64"
	"net/http"
	"strings"
)

// unsupported is the error about what Azure has and the lab does not.
func unsupported(format string, args ...any) *armError {
	return refuse(http.StatusBadRequest, "InvalidTemplateDeployment", "The lab does not simulate "+format+".", args...)
}

// profile is what the lab reads of a virtual machine's properties.
type profile struct {
	computer  string
	user      string
	password  string
	keys      []string
	diskName  string
	nicID     string
	noMachine error // why the lab cannot boot it
}

// bootable checks that the lab can boot a virtual machine; other resources always pass.
func bootable(p planned) error {
	if p.target.kind != kindVM {
		return nil
	}
	properties, _ := p.body["properties"].(map[string]any)
	return readProfile(properties).noMachine
}

// readProfile reads a virtual machine's properties.
func readProfile(properties map[string]any) profile {
	var p profile
	p.computer = text(properties, "osProfile", "computerName")
	p.user = text(properties, "osProfile", "adminUsername")
	p.password = text(properties, "osProfile", "adminPassword")
	p.diskName = text(properties, "storageProfile", "osDisk", "name")
	for _, one := range list(properties, "osProfile", "linuxConfiguration", "ssh", "publicKeys") {
		p.keys = append(p.keys, strings.TrimSpace(text(one, "keyData")))
	}
	for _, one := range list(properties, "networkProfile", "networkInterfaces") {
		p.nicID = text(one, "id")
		break
	}
	p.noMachine = p.check(properties)
	return p
}

// check says what of a virtual machine the lab does not simulate.
func (p profile) check(properties map[string]any) error {
	reference := dig(properties, "storageProfile", "imageReference")
	switch {
	case strings.EqualFold(text(properties, "storageProfile", "osDisk", "osType"), "Windows"),
		dig(properties, "osProfile", "windowsConfiguration") != nil:
		return unsupported("Windows: its guests are Linux")
	case text(reference, "publisher") == "" || text(reference, "offer") == "" || text(reference, "sku") == "":
		return unsupported("virtual machines from anything but an image of the Marketplace, with publisher, offer and sku")
	case decodes(text(properties, "osProfile", "customData")), decodes(text(properties, "userData")):
		return unsupported("custom data and user data: its guests have no cloud-init")
	case len(list(properties, "storageProfile", "dataDisks")) != 0:
		return unsupported("data disks")
	case p.user == "" || p.computer == "":
		return refuse(http.StatusBadRequest, "InvalidParameter", "Required parameter 'osProfile' is missing (null).")
	case p.nicID == "":
		return refuse(http.StatusBadRequest, "InvalidParameter", "Required parameter 'networkProfile' is missing (null).")
	case p.password == "" && len(p.keys) == 0:
		return refuse(http.StatusBadRequest, "InvalidParameter",
			"Authentication using either SSH or by user name and password must be enabled in Linux profile.")
	}
	for _, key := range p.keys {
		if key == "" || strings.ContainsAny(key, "\r\n\x00") {
			return refuse(http.StatusBadRequest, "InvalidParameter",
				"The value of parameter linuxConfiguration.ssh.publicKeys.keyData is invalid.")
		}
	}
	return nil
}

// decodes reports whether a base64 text holds anything.
func decodes(data string) bool {
	raw, err := base64.StdEncoding.DecodeString(data)
	return err != nil || len(raw) != 0
}

// dig walks into nested objects; nil when there is nothing.
func dig(v any, path ...string) any {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// text is a string within nested objects.
func text(v any, path ...string) string {
	s, _ := dig(v, path...).(string)
	return s
}

// list is an array within nested objects.
func list(v any, path ...string) []any {
	s, _ := dig(v, path...).([]any)
	return s
}

// object is an object within nested objects, made on the way when it is missing.
func object(v map[string]any, path ...string) map[string]any {
	for _, name := range path {
		next, ok := v[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			v[name] = next
		}
		v = next
	}
	return v
}
