// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import "strings"

// kind is one type of resources.
type kind struct {
	name       string // such as Microsoft.Compute/galleries/images/versions
	versions   []string
	deployable bool // a deployment may make it
}

// The API versions of the resource providers, as Azure lists them: those from 2021 on.
var (
	resourcesVersions = []string{
		"2021-01-01", "2021-04-01", "2022-09-01", "2023-07-01", "2024-03-01", "2024-07-01",
		"2024-11-01", "2025-03-01", "2025-04-01",
	}
	computeVersions = []string{
		"2021-03-01", "2021-04-01", "2021-07-01", "2021-11-01", "2022-03-01", "2022-08-01", "2022-11-01", "2023-03-01",
		"2023-07-01", "2023-09-01", "2024-03-01", "2024-07-01", "2024-11-01", "2025-04-01",
	}
	diskVersions = []string{
		"2021-04-01", "2021-08-01", "2021-12-01", "2022-03-02", "2022-07-02", "2023-01-02", "2023-04-02", "2023-10-02",
		"2024-03-02", "2025-01-02",
	}
	galleryVersions = []string{
		"2021-07-01", "2021-10-01", "2022-01-03", "2022-03-03", "2022-08-03", "2023-07-03",
		"2024-03-03", "2025-03-03",
	}
	networkVersions = []string{
		"2021-02-01", "2021-03-01", "2021-05-01", "2021-08-01", "2022-01-01", "2022-05-01", "2022-07-01", "2022-09-01",
		"2022-11-01", "2023-02-01", "2023-04-01", "2023-05-01", "2023-06-01", "2023-09-01", "2023-11-01", "2024-01-01",
		"2024-03-01", "2024-05-01", "2024-07-01", "2024-10-01", "2025-01-01",
	}
)

// Types of resources that the code treats in their own way.
const (
	kindDeployment = "Microsoft.Resources/deployments"
	kindVM         = "Microsoft.Compute/virtualMachines"
	kindExtension  = "Microsoft.Compute/virtualMachines/extensions"
	kindDisk       = "Microsoft.Compute/disks"
	kindImage      = "Microsoft.Compute/images"
	kindGallery    = "Microsoft.Compute/galleries"
	kindDefinition = "Microsoft.Compute/galleries/images"
	kindVersion    = "Microsoft.Compute/galleries/images/versions"
	kindNIC        = "Microsoft.Network/networkInterfaces"
	kindPublicIP   = "Microsoft.Network/publicIPAddresses"
	kindNetwork    = "Microsoft.Network/virtualNetworks"
	kindNSG        = "Microsoft.Network/networkSecurityGroups"
)

// kinds are the types that the simulator has.
var kinds = []kind{
	{name: kindDeployment, versions: resourcesVersions},
	{name: kindVM, versions: computeVersions, deployable: true},
	{name: kindExtension, versions: computeVersions},
	{name: kindDisk, versions: diskVersions},
	{name: kindImage, versions: computeVersions},
	{name: kindGallery, versions: galleryVersions},
	{name: kindDefinition, versions: galleryVersions},
	{name: kindVersion, versions: galleryVersions},
	{name: kindNIC, versions: networkVersions, deployable: true},
	{name: kindPublicIP, versions: networkVersions, deployable: true},
	{name: kindNetwork, versions: networkVersions, deployable: true},
	{name: kindNSG, versions: networkVersions, deployable: true},
}

// findKind finds a type without regard to case.
func findKind(name string) (kind, bool) {
	for _, k := range kinds {
		if strings.EqualFold(k.name, name) {
			return k, true
		}
	}
	return kind{}, false
}
