// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-api-as-recorded
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"net/http"
)

// What every simulated node is made of.
const (
	NodeName    = "pve1"      // the only node
	ISOStorage  = "local"     // a directory: ISO images
	DiskStorage = "local-lvm" // volumes: disks
	Bridge      = "vmbr0"     // the network of all machines
)

// version answers GET /version.
func version(*http.Request, params) (any, error) {
	return map[string]any{"version": "8.4.1", "release": "8.4", "repoid": "lab"}, nil
}

// permissions answers GET /access/permissions: everything is allowed.
func permissions(*http.Request, params) (any, error) {
	all := map[string]int{
		"VM.Allocate": 1, "VM.Clone": 1, "VM.Config.Disk": 1, "VM.Config.Options": 1, "VM.PowerMgmt": 1, "VM.Monitor": 1,
		"Datastore.Allocate": 1, "Datastore.AllocateSpace": 1, "Datastore.AllocateTemplate": 1, "Sys.Modify": 1, "SDN.Use": 1,
	}
	return map[string]any{"/": all, "/vms": all, "/storage": all, "/nodes": all}, nil
}

// clusterStatus answers GET /cluster/status: one node, no cluster.
func clusterStatus(*http.Request, params) (any, error) {
	return []any{map[string]any{
		"id": "node/" + NodeName, "name": NodeName, "type": "node", "online": 1, "local": 1,
		"nodeid": 0, "ip": "127.0.0.1", "level": "",
	}}, nil
}

// nodes answers GET /nodes.
func nodes(*http.Request, params) (any, error) {
	return []any{map[string]any{
		"node": NodeName, "id": "node/" + NodeName, "type": "node", "status": "online",
		"maxcpu": 8, "maxmem": 32 << 30,
	}}, nil
}

// nodeStatus answers GET /nodes/{node}/status.
func nodeStatus(*http.Request, params) (any, error) {
	return map[string]any{"pveversion": "pve-manager/8.4.1/lab", "uptime": 1, "kversion": "Linux lab"}, nil
}

// noHA answers GET /cluster/ha/resources/{id}: nothing is highly available here.
func noHA(r *http.Request, _ params) (any, error) {
	return nil, refuse("no such resource '%s'", r.PathValue("id"))
}
