// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:25:48Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package lab

import (
	"crypto/rand"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/lab/azure"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Azure looks into a lab's simulated Azure, as an administrator who sees everything at once.
type Azure struct {
	server *azure.Server
	faults *fault.Injector
}

// startAzure starts an Azure on a free port of 127.0.0.1.
func startAzure(l *Lab) (*Azure, error) {
	a := &Azure{faults: &fault.Injector{}}
	hardware := azureHardware{machines: l.machines}
	server, err := azure.Start(azure.Config{
		Identity: azure.Identity{
			Subscription: newGUID(), Tenant: newGUID(), Client: newGUID(), Object: newGUID(), Secret: newSecret("azure"),
		},
		TLS: l.vcenter.trust.config, Guests: hardware, Disks: hardware,
		Faults: a.faults, Faithful: l.config.FaithfulAzure,
	})
	if err != nil {
		return nil, fmt.Errorf("starting Azure: %w", err)
	}
	a.server = server
	return a, nil
}

// newGUID makes a random identifier of version 4 (RFC 9562).
func newGUID() string {
	var id [16]byte
	_, _ = rand.Read(id[:]) // never fails
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// URL is where the simulated Azure is reached, which is its metadata host too.
func (a *Azure) URL() string { return a.server.URL() }

// Faults makes calls to the simulated Azure fail. Paths are those of the resource manager, from /subscriptions on.
func (a *Azure) Faults() *fault.Injector { return a.faults }

// ResourceGroups lists the resource groups, by name.
func (a *Azure) ResourceGroups() []azure.ResourceGroup { return a.server.ResourceGroups() }

// Images lists the managed images, by resource group and name.
func (a *Azure) Images() []azure.Image { return a.server.Images() }

// GalleryVersions lists the versions of all galleries, by resource group and name.
func (a *Azure) GalleryVersions() []azure.GalleryVersion { return a.server.GalleryVersions() }

// PlantGroup puts a resource group of somebody else there.
func (a *Azure) PlantGroup(name string, tags map[string]string) { a.server.PlantGroup(name, tags) }

// PlantImage puts a complete managed image of somebody else into a resource group, without a disk.
func (a *Azure) PlantImage(group, name string, tags map[string]string) error {
	if err := a.server.PlantImage(group, name, tags); err != nil {
		return fmt.Errorf("in the lab's Azure: %w", err)
	}
	return nil
}

// env is the part of a lab's environment that leads to its Azure.
func (a *Azure) env() []string {
	who := a.server.Identity()
	return []string{
		"PKR_VAR_azure_subscription_id=" + who.Subscription,
		"PKR_VAR_azure_tenant_id=" + who.Tenant,
		"PKR_VAR_azure_client_id=" + who.Client,
		"PKR_VAR_azure_client_secret=" + who.Secret,
		"PKR_VAR_azure_metadata_host=" + a.server.URL(),
		"PKR_VAR_azure_cloud_environment_name=" + azure.Cloud,
	}
}

// azureHardware runs Azure's virtual machines on the lab's.
type azureHardware struct{ machines *machines }

// Boot starts the guest of a virtual machine.
func (h azureHardware) Boot(g azure.Guest, up func(address string), down func()) {
	hardware := h.machines.of(g.Disk)
	hardware.mu.Lock()
	hardware.account = account{user: g.User, password: g.Password, keys: g.Keys}
	hardware.mu.Unlock()
	hardware.powerOn(g.Hostname, up, down)
}

// Shutdown ends a guest in an orderly way.
func (h azureHardware) Shutdown(disk string) {
	if hardware, ok := h.machines.find(disk); ok {
		hardware.shutdown()
		hardware.powerOff()
	}
}

// PowerOff ends a guest at once.
func (h azureHardware) PowerOff(disk string) {
	if hardware, ok := h.machines.find(disk); ok {
		hardware.powerOff()
	}
}

// Copy gives an image the content of a disk or of another image.
func (h azureHardware) Copy(from, to string) error {
	if _, ok := h.machines.find(from); !ok {
		return fmt.Errorf("copying the disk %s: it is gone", from)
	}
	return h.machines.cloned(from, to)
}

// Remove removes a disk that no image needs.
func (h azureHardware) Remove(disk string) error { return h.machines.removed(disk) }

// Delta is the directory with what a disk changes against the root file system; empty before it has any.
func (h azureHardware) Delta(disk string) string {
	hardware, ok := h.machines.find(disk)
	if !ok {
		return ""
	}
	if own := hardware.delta(); own != "" {
		return own
	}
	hardware.mu.Lock()
	defer hardware.mu.Unlock()
	if len(hardware.layers) == 0 {
		return ""
	}
	return deltaOf(hardware.layers[0])
}
