// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:51Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
	"github.com/packer-hybrid/packer-hybrid/lab/azure/template"
)

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
func bootable(p template.Resource) error {
	if p.ID.Type != arm.VirtualMachines {
		return nil
	}
	properties, _ := p.Body["properties"].(map[string]any)
	return readProfile(properties).noMachine
}

// readProfile reads a virtual machine's properties.
func readProfile(properties map[string]any) profile {
	var p profile
	p.computer = arm.Text(properties, "osProfile", "computerName")
	p.user = arm.Text(properties, "osProfile", "adminUsername")
	p.password = arm.Text(properties, "osProfile", "adminPassword")
	p.diskName = arm.Text(properties, "storageProfile", "osDisk", "name")
	for _, one := range arm.List(properties, "osProfile", "linuxConfiguration", "ssh", "publicKeys") {
		p.keys = append(p.keys, strings.TrimSpace(arm.Text(one, "keyData")))
	}
	for _, one := range arm.List(properties, "networkProfile", "networkInterfaces") {
		p.nicID = arm.Text(one, "id")
		break
	}
	p.noMachine = p.check(properties)
	return p
}

// check says what of a virtual machine the lab does not simulate.
func (p profile) check(properties map[string]any) error {
	reference := arm.Dig(properties, "storageProfile", "imageReference")
	switch {
	case strings.EqualFold(arm.Text(properties, "storageProfile", "osDisk", "osType"), "Windows"),
		arm.Dig(properties, "osProfile", "windowsConfiguration") != nil:
		return arm.Unsupported("Windows: its guests are Linux")
	case arm.Text(reference, "publisher") == "" || arm.Text(reference, "offer") == "" || arm.Text(reference, "sku") == "":
		return arm.Unsupported(
			"virtual machines from anything but an image of the Marketplace, with publisher, offer and sku")
	case decodes(arm.Text(properties, "osProfile", "customData")), decodes(arm.Text(properties, "userData")):
		return arm.Unsupported("custom data and user data: its guests have no cloud-init")
	case len(arm.List(properties, "storageProfile", "dataDisks")) != 0:
		return arm.Unsupported("data disks")
	case p.user == "" || p.computer == "":
		return arm.Refuse(http.StatusBadRequest, "InvalidParameter", "Required parameter 'osProfile' is missing (null).")
	case p.nicID == "":
		return arm.Refuse(http.StatusBadRequest, "InvalidParameter", "Required parameter 'networkProfile' is missing (null).")
	case p.password == "" && len(p.keys) == 0:
		return arm.Refuse(http.StatusBadRequest, "InvalidParameter",
			"Authentication using either SSH or by user name and password must be enabled in Linux profile.")
	}
	for _, key := range p.keys {
		if key == "" || strings.ContainsAny(key, "\r\n\x00") {
			return arm.Refuse(http.StatusBadRequest, "InvalidParameter",
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
