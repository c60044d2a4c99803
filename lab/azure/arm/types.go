// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package arm

import (
	"net/http"
	"slices"
	"strings"
)

// Type is one type of resources.
type Type struct {
	Name       string // such as Microsoft.Compute/galleries/images/versions
	Versions   []string
	Deployable bool // a deployment may make it
}

// The API versions of the resource providers, as Azure lists them: those from 2021 on.
var (
	ResourcesVersions = []string{
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
	Deployments       = "Microsoft.Resources/deployments"
	VirtualMachines   = "Microsoft.Compute/virtualMachines"
	Extensions        = "Microsoft.Compute/virtualMachines/extensions"
	Disks             = "Microsoft.Compute/disks"
	Images            = "Microsoft.Compute/images"
	Galleries         = "Microsoft.Compute/galleries"
	Definitions       = "Microsoft.Compute/galleries/images"
	Versions          = "Microsoft.Compute/galleries/images/versions"
	NetworkInterfaces = "Microsoft.Network/networkInterfaces"
	PublicIPs         = "Microsoft.Network/publicIPAddresses"
	VirtualNetworks   = "Microsoft.Network/virtualNetworks"
	SecurityGroups    = "Microsoft.Network/networkSecurityGroups"
)

// types are the types that the simulator has.
var types = []Type{
	{Name: Deployments, Versions: ResourcesVersions},
	{Name: VirtualMachines, Versions: computeVersions, Deployable: true},
	{Name: Extensions, Versions: computeVersions},
	{Name: Disks, Versions: diskVersions},
	{Name: Images, Versions: computeVersions},
	{Name: Galleries, Versions: galleryVersions},
	{Name: Definitions, Versions: galleryVersions},
	{Name: Versions, Versions: galleryVersions},
	{Name: NetworkInterfaces, Versions: networkVersions, Deployable: true},
	{Name: PublicIPs, Versions: networkVersions, Deployable: true},
	{Name: VirtualNetworks, Versions: networkVersions, Deployable: true},
	{Name: SecurityGroups, Versions: networkVersions, Deployable: true},
}

// FindType finds a type without regard to case.
func FindType(name string) (Type, bool) {
	for _, k := range types {
		if strings.EqualFold(k.Name, name) {
			return k, true
		}
	}
	return Type{}, false
}

// CheckVersion compares the request's api-version with those of a type.
func CheckVersion(version, name string, known []string) error {
	if version == "" {
		return Refuse(http.StatusBadRequest, "MissingApiVersionParameter",
			"The api-version query parameter (?api-version=) is required for all requests.")
	}
	if !slices.Contains(known, version) {
		return Refuse(http.StatusBadRequest, "NoRegisteredProviderFound",
			"No registered resource provider found for API version '%s' for type '%s'. The supported api-versions are '%s'.",
			version, name, strings.Join(known, ", "))
	}
	return nil
}
