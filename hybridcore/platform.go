// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-platform-table
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Platform names one of the three hypervisor platforms: proxmox, vsphere, azure.
type Platform string

// The platforms an image can be built for.
const (
	Proxmox Platform = "proxmox"
	VSphere Platform = "vsphere"
	Azure   Platform = "azure"
)

// PlatformInfo is one row of the platform table.
type PlatformInfo struct {
	Name  Platform
	Title string // as the vendor writes it
	// Plugins are the source addresses of the Packer plugin, the current one
	// first. A template may require any of them.
	Plugins []string
	// MinVersion is the oldest plugin version that the templates work with.
	MinVersion string
	// Connection names the variables that say how to reach the platform and
	// the guest. They are never part of a target's digest, and they reach only
	// the Packer process of a target on this platform.
	Connection []string
	// Endpoints are those of Connection that are addresses, the one without
	// which there is no connection first.
	Endpoints []string
}

// guestConnection names the variables that say how to reach the guest, on any platform.
var guestConnection = []string{"communicator_port", "build_username", "build_password", "build_password_encrypted"}

var platformTable = []PlatformInfo{
	{
		Name: Proxmox, Title: "Proxmox VE", MinVersion: "1.2.3",
		Plugins: []string{"github.com/hashicorp/proxmox"},
		Connection: append([]string{
			"proxmox_url", "proxmox_username", "proxmox_token", "proxmox_password",
			"proxmox_insecure_connection", "proxmox_ssh_proxy_host", "proxmox_ssh_proxy_port",
		}, guestConnection...),
		Endpoints: []string{"proxmox_url", "proxmox_ssh_proxy_host"},
	},
	{
		Name: VSphere, Title: "VMware vSphere", MinVersion: "1.4.0",
		Plugins: []string{"github.com/vmware/vsphere", "github.com/hashicorp/vsphere"},
		Connection: append([]string{
			"vsphere_endpoint", "vsphere_username", "vsphere_password",
			"vsphere_insecure_connection",
		}, guestConnection...),
		Endpoints: []string{"vsphere_endpoint"},
	},
	{
		Name: Azure, Title: "Microsoft Azure", MinVersion: "2.5.0",
		Plugins: []string{"github.com/hashicorp/azure"},
		Connection: append([]string{
			"azure_subscription_id", "azure_tenant_id", "azure_client_id", "azure_client_secret",
			"azure_metadata_host", "azure_cloud_environment_name",
		}, guestConnection...),
		Endpoints: []string{"azure_metadata_host"},
	},
}

// Platforms lists the platform table in the order reports use.
func Platforms() []PlatformInfo { return slices.Clone(platformTable) }

// PlatformNames lists the names of all platforms in report order.
func PlatformNames() []string {
	names := make([]string, 0, len(platformTable))
	for _, p := range platformTable {
		names = append(names, string(p.Name))
	}
	return names
}

// ParsePlatform returns the platform of that name, or a UsageError that
// lists the known ones and the nearest.
func ParsePlatform(name string) (Platform, error) {
	for _, p := range platformTable {
		if string(p.Name) == name {
			return p.Name, nil
		}
	}
	return "", Usagef("unknown platform %q%s; known: %s", name, text.DidYouMean(name, PlatformNames()),
		strings.Join(PlatformNames(), ", "))
}

// Info returns the platform's row. It panics for a platform that did not come
// from ParsePlatform or the constants.
func (p Platform) Info() PlatformInfo {
	for _, row := range platformTable {
		if row.Name == p {
			return row
		}
	}
	panic(fmt.Sprintf("hybridcore: platform %q is not in the table", string(p)))
}

// IsGuest says whether the variable only tells how to reach the guest, which only
// a build does.
func IsGuest(variable string) bool { return slices.Contains(guestConnection, variable) }

// IsConnection says whether the variable only tells how to reach the platform
// or the guest.
func (p Platform) IsConnection(variable string) bool {
	return slices.Contains(p.Info().Connection, variable)
}
