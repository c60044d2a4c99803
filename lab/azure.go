// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:25:48Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package lab

import (
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/lab/azure"
)

// startAzure starts an Azure whose machines and disks are the lab's.
func startAzure(all *machines, keys trust, faithful bool) (*azure.Server, error) {
	hardware := azureHardware{all}
	server, err := azure.Start(azure.Config{
		Identity: azure.NewIdentity(newSecret("azure")), TLS: keys.config, Guests: hardware, Disks: hardware,
		Faithful: faithful,
	})
	if err != nil {
		return nil, fmt.Errorf("starting Azure: %w", err)
	}
	return server, nil
}

// azureEnv is the part of a lab's environment that leads to its Azure.
func azureEnv(server *azure.Server) []string {
	who := server.Identity()
	return []string{
		"PKR_VAR_azure_subscription_id=" + who.Subscription,
		"PKR_VAR_azure_tenant_id=" + who.Tenant,
		"PKR_VAR_azure_client_id=" + who.Client,
		"PKR_VAR_azure_client_secret=" + who.Secret,
		"PKR_VAR_azure_metadata_host=" + server.URL(),
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
