// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package azure

import "strconv"

// object is a JSON object.
type object = map[string]any

// Versions of the API in the template.
const (
	computeVersion = "2023-03-01"
	networkVersion = "2023-04-01"
)

// template is the deployment of the build's machine, with its network.
func (b *build) template() object {
	return object{"properties": object{
		"mode": "Incremental",
		"parameters": object{
			"adminUsername": object{"value": b.Comm.SSHUsername}, "adminPassword": object{"value": b.Comm.SSHPassword},
			"vmName": object{"value": b.names.compute}, "vmSize": object{"value": b.Size},
			"nicName":    object{"value": b.names.nic},
			"osDiskName": object{"value": b.names.disk}, "nsgName": object{"value": b.names.security},
			"subnetName":          object{"value": b.names.subnet},
			"publicIPAddressName": object{"value": b.names.address}, "virtualNetworkName": object{"value": b.names.network},
		},
		"template": object{
			"$schema":        "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
			"contentVersion": "1.0.0.0",
			"parameters": object{
				"adminUsername": object{"type": "string"}, "adminPassword": object{"type": "securestring"},
				"vmName": object{"type": "string"}, "vmSize": object{"type": "string"}, "nicName": object{"type": "string"},
				"osDiskName": object{"type": "string"}, "nsgName": object{"type": "string"}, "subnetName": object{"type": "string"},
				"publicIPAddressName": object{"type": "string"}, "virtualNetworkName": object{"type": "string"},
			},
			"variables": object{
				"location": "[resourceGroup().location]",
				"network":  "[resourceId('Microsoft.Network/virtualNetworks', parameters('virtualNetworkName'))]",
				"subnet":   "[concat(variables('network'), '/subnets/', parameters('subnetName'))]",
				"keyPath":  "[concat('/home/', parameters('adminUsername'), '/.ssh/authorized_keys')]",
			},
			"resources": []any{
				b.addressResource(), b.cardResource(), b.machineResource(), b.securityResource(),
				b.networkResource(),
			},
		},
	}}
}

// resource is one resource of the template.
func (b *build) resource(kind, name, version string, properties object, dependsOn ...string) object {
	return object{
		"type": kind, "name": "[parameters('" + name + "')]", "apiVersion": version, "location": "[variables('location')]",
		"tags": b.Tags, "dependsOn": dependsOn, "properties": properties,
	}
}

// idOf is an expression for the id of another resource of the template.
func idOf(kind, name string) string {
	return "[resourceId('" + kind + "', parameters('" + name + "'))]"
}

func (b *build) addressResource() object {
	method := "Static"
	if b.AddressSKU == "Basic" {
		method = "Dynamic"
	}
	r := b.resource("Microsoft.Network/publicIPAddresses", "publicIPAddressName", networkVersion, object{
		"publicIPAllocationMethod": method, "dnsSettings": object{"domainNameLabel": "[parameters('vmName')]"},
	})
	r["sku"] = object{"name": b.AddressSKU, "tier": "Regional"}
	return r
}

func (b *build) cardResource() object {
	return b.resource("Microsoft.Network/networkInterfaces", "nicName", networkVersion, object{
		"ipConfigurations": []any{object{"name": "ipconfig", "properties": object{
			"privateIPAllocationMethod": "Dynamic",
			"publicIPAddress":           object{"id": idOf("Microsoft.Network/publicIPAddresses", "publicIPAddressName")},
			"subnet":                    object{"id": "[variables('subnet')]"},
		}}},
	}, idOf("Microsoft.Network/publicIPAddresses", "publicIPAddressName"), idOf(
		"Microsoft.Network/virtualNetworks", "virtualNetworkName"))
}

func (b *build) machineResource() object {
	disk := object{
		"name": "[parameters('osDiskName')]", "osType": "Linux", "createOption": "FromImage", "caching": b.DiskCaching,
		"managedDisk": object{"storageAccountType": b.DiskType},
	}
	if b.DiskSizeGB > 0 {
		disk["diskSizeGB"] = b.DiskSizeGB
	}
	return b.resource("Microsoft.Compute/virtualMachines", "vmName", computeVersion, object{
		"hardwareProfile": object{"vmSize": "[parameters('vmSize')]"},
		"osProfile": object{
			"computerName": "[parameters('vmName')]", "adminUsername": "[parameters('adminUsername')]",
			"adminPassword": "[parameters('adminPassword')]",
			"linuxConfiguration": object{"ssh": object{"publicKeys": []any{object{
				"path":    "[variables('keyPath')]",
				"keyData": b.key,
			}}}},
		},
		"storageProfile": object{
			"imageReference": object{
				"publisher": b.Source.Publisher, "offer": b.Source.Offer, "sku": b.Source.SKU,
				"version": b.Source.Version,
			},
			"osDisk": disk,
		},
		"networkProfile": object{"networkInterfaces": []any{object{"id": idOf("Microsoft.Network/networkInterfaces",
			"nicName")}}},
		"diagnosticsProfile": object{"bootDiagnostics": object{"enabled": false}},
	}, idOf("Microsoft.Network/networkInterfaces", "nicName"))
}

func (b *build) securityResource() object {
	rule := object{
		"description": "Allow SSH of the build", "access": "Allow", "direction": "Inbound", "priority": 100,
		"protocol":        "Tcp",
		"sourcePortRange": "*", "destinationAddressPrefix": "VirtualNetwork",
		"destinationPortRange": strconv.Itoa(b.Comm.Port()),
	}
	if len(b.Inbound) == 0 {
		rule["sourceAddressPrefix"] = "*"
	} else {
		rule["sourceAddressPrefixes"] = b.Inbound
	}
	return b.resource("Microsoft.Network/networkSecurityGroups", "nsgName", networkVersion, object{
		"securityRules": []any{object{"name": "AllowIPsToSshWinRMInbound", "properties": rule}},
	})
}

func (b *build) networkResource() object {
	return b.resource("Microsoft.Network/virtualNetworks", "virtualNetworkName", networkVersion, object{
		"addressSpace": object{"addressPrefixes": []string{"10.0.0.0/16"}},
		"subnets": []any{object{"name": "[parameters('subnetName')]", "properties": object{
			"addressPrefix":        "10.0.0.0/24",
			"networkSecurityGroup": object{"id": idOf("Microsoft.Network/networkSecurityGroups", "nsgName")},
		}}},
	}, idOf("Microsoft.Network/networkSecurityGroups", "nsgName"))
}
