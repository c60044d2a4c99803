// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:25:44Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package lab

import (
	"net"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// The accounts of a lab's Proxmox VE: a user, and a token of that user.
const (
	proxmoxUser  = "packer@pve"
	proxmoxToken = proxmoxUser + "!lab"
)

// proxmoxTaskWait is how long a call to Proxmox VE waits for the task that it started. The plugin looks again
// only 2 s after it found a task running.
const proxmoxTaskWait = 1500 * time.Millisecond

// The template that every lab's Proxmox VE starts with, for builds that clone: an installed system with
// cloud-init.
const (
	ProxmoxBaseID   = 9000
	ProxmoxBaseName = "debian-12-base"
)

// startProxmox starts a Proxmox VE whose machines are the lab's.
func startProxmox(all *machines, keys trust) (*proxmox.Server, proxmox.Credentials, error) {
	credentials := proxmox.Credentials{
		User: proxmoxUser, Password: newSecret("proxmox"), TokenID: proxmoxToken, Secret: newSecret("token"),
	}
	server, err := proxmox.Start(proxmox.Config{
		Hardware: proxmoxHardware{all}, Credentials: credentials, Dir: filepath.Join(all.dir.path, "proxmox"),
		TLS: keys.config, TaskWait: proxmoxTaskWait, Log: all.logf,
	})
	if err != nil {
		return nil, credentials, err
	}
	for _, name := range isoFiles {
		if err := server.PutISO(name, "stands for the installation medium "+name+"\n"); err != nil {
			server.Close()
			return nil, credentials, err
		}
	}
	if err := server.Plant(ProxmoxBaseID, map[string]string{
		"name": ProxmoxBaseName, "template": "1", "agent": "1", "boot": "order=scsi0", "cores": "1", "sockets": "1",
		"memory": "1024",
		"ostype": "l26", "scsihw": "virtio-scsi-pci", "net0": "virtio=BC:24:11:AA:BB:CC,bridge=" + proxmox.Bridge,
		"scsi0": proxmox.DiskStorage + ":base-9000-disk-0,size=8G",
		"ide0":  proxmox.DiskStorage + ":vm-9000-cloudinit,media=cdrom,size=4M",
	}); err != nil {
		server.Close()
		return nil, credentials, err
	}
	return server, credentials, nil
}

// proxmoxEnv is the part of a lab's environment that leads to its Proxmox VE and to the guests there.
func proxmoxEnv(server *proxmox.Server, credentials proxmox.Credentials) []string {
	host, port, err := net.SplitHostPort(server.ProxyAddr())
	if err != nil {
		panic("lab: a listener's address is none: " + err.Error())
	}
	return []string{
		"PKR_VAR_proxmox_url=" + server.URL(),
		"PKR_VAR_proxmox_username=" + credentials.TokenID,
		"PKR_VAR_proxmox_token=" + credentials.Secret,
		"PKR_VAR_proxmox_insecure_connection=false",
		"PKR_VAR_proxmox_ssh_proxy_host=" + host,
		"PKR_VAR_proxmox_ssh_proxy_port=" + port,
	}
}

// proxmoxHardware gives the lab's machines to Proxmox VE.
type proxmoxHardware struct{ machines *machines }

// Machine returns the hardware of a virtual machine.
func (h proxmoxHardware) Machine(ref string) proxmox.Machine {
	return proxmoxMachine{h.machines.of(ref)}
}

// Clone gives clone the disk of source.
func (h proxmoxHardware) Clone(source, clone string) error { return h.machines.cloned(source, clone) }

// Remove removes a machine and its disk.
func (h proxmoxHardware) Remove(ref string) error { return h.machines.removed(ref) }

// proxmoxMachine is one machine.
type proxmoxMachine struct{ *machine }

// PowerOn boots the guest. What cloud-init would do happens at the first boot.
func (m proxmoxMachine) PowerOn(boot proxmox.Boot, up func(address string), down func()) {
	if boot.CloudInit && boot.Account.User != "" {
		m.cloudInit(account{user: boot.Account.User, password: boot.Account.Password, keys: boot.Account.Keys})
	}
	m.powerOn(boot.Name, up, down)
}

// Shutdown ends the guest in an orderly way.
func (m proxmoxMachine) Shutdown() { m.shutdown() }

// PowerOff ends the guest at once.
func (m proxmoxMachine) PowerOff() { m.powerOff() }
