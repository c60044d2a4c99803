// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#deletion

package azure

import (
	"net/http"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// inUse refuses the deletion of what something else needs. The caller holds the lock. A network security
// group in use is not refused: the plugin deletes it together with its network, in any order, and Azure's
// answer to that was never measured.
func (s *store) inUse(r *resource) error {
	for _, g := range s.groups {
		for _, other := range g.resources {
			if err := other.needs(r); err != nil {
				return err
			}
		}
	}
	return nil
}

// needs is the error about deleting what this resource needs.
func (r *resource) needs(victim *resource) error {
	id := victim.target.String()
	switch {
	case r.vm != nil && victim.target.Type == arm.NetworkInterfaces && strings.EqualFold(r.vm.nicID, id):
		return arm.Refuse(http.StatusBadRequest, "NicInUse", "Network Interface %s is used by existing resource %s.", id,
			r.target.String())
	case r.vm != nil && victim.target.Type == arm.Disks && r.disk == victim.disk:
		return arm.Refuse(http.StatusConflict, "OperationNotAllowed", "Disk %s is attached to VM %s.", victim.target.Names[0],
			r.target.String())
	case r.target.Type == arm.NetworkInterfaces && victim.target.Type == arm.PublicIPs &&
		strings.EqualFold(publicIPOf(r), id):
		return arm.Refuse(http.StatusBadRequest, "PublicIPAddressCannotBeDeleted",
			"Public IP address %s can not be deleted since it is still allocated to resource %s.", id, r.target.String())
	case r.target.Type == arm.NetworkInterfaces && victim.target.Type == arm.VirtualNetworks &&
		strings.HasPrefix(strings.ToLower(subnetOf(r)), strings.ToLower(id)+"/"):
		return arm.Refuse(http.StatusBadRequest, "InUseSubnetCannotBeDeleted",
			"Subnet of %s is in use by %s and cannot be deleted.", id, r.target.String())
	case len(r.target.Names) > len(victim.target.Names) && strings.HasPrefix(r.target.Type, victim.target.Type+"/") &&
		r.group == victim.group && under(r.target.Names, victim.target.Names):
		return arm.Refuse(http.StatusConflict, "CannotDeleteResource",
			"Can not delete resource before nested resources are deleted: %s.", r.target.String())
	}
	return nil
}

// publicIPOf is the identifier of a network card's public address; empty when it has none.
func publicIPOf(nic *resource) string {
	return arm.Text(firstConfiguration(nic), "publicIPAddress", "id")
}

// subnetOf is the identifier of a network card's subnet.
func subnetOf(nic *resource) string { return arm.Text(firstConfiguration(nic), "subnet", "id") }

// firstConfiguration is the first address configuration of a network card; nil when it has none.
func firstConfiguration(nic *resource) any {
	for _, one := range arm.List(nic.body, "properties", "ipConfigurations") {
		return arm.Dig(one, "properties")
	}
	return nil
}

// nicNeeds lists the identifiers that a network card refers to.
func nicNeeds(body map[string]any) []string {
	nic := &resource{body: body}
	var needed []string
	if id := publicIPOf(nic); id != "" {
		needed = append(needed, id)
	}
	if subnet, ok := arm.ParseID(subnetOf(nic)); ok && len(subnet.Names) == 2 {
		subnet.Type, subnet.Names = arm.VirtualNetworks, subnet.Names[:1]
		needed = append(needed, subnet.String())
	}
	return needed
}

// under reports whether names begin with those of a parent.
func under(names, parent []string) bool {
	return len(names) >= len(parent) && slices.EqualFunc(names[:len(parent)], parent, strings.EqualFold)
}
