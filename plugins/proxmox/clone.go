// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:52:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/communicator"
	"github.com/hashicorp/packer-plugin-sdk/communicator/ssh"
	"github.com/hashicorp/packer-plugin-sdk/multistep"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/uuid"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// CloneBuilder is proxmox-clone: a machine cloned from a template.
type CloneBuilder struct{ config cloneConfig }

// ConfigSpec is that of the real plugin.
func (*CloneBuilder) ConfigSpec() hcldec.ObjectSpec { return standin.Spec("proxmox-clone") }

// Prepare reads and checks the configuration.
func (b *CloneBuilder) Prepare(configs ...any) ([]string, []string, error) {
	b.config = cloneConfig{}
	c := &b.config
	if err := Plugin().Decode(c, &c.ctx, configs, "boot_command"); err != nil {
		return nil, nil, err
	}
	var p standin.Problems
	c.prepare(&p)
	p.When(c.CloneVM == "" && c.CloneVMID == 0, "one of clone_vm or clone_vm_id must be specified")
	p.When(c.CloneVM != "" && c.CloneVMID != 0, "clone_vm and clone_vm_id cannot both be specified")
	p.When(c.CloneVMID != 0 && !validID(c.CloneVMID), "clone_vm_id must be in range 100-999999999")
	for server := range strings.FieldsSeq(c.Nameserver) {
		checkAddress(&p, "nameserver", server)
	}
	for _, ip := range c.IPs {
		checkNetwork(&p, "ipconfig.ip", ip.Address, "dhcp")
		checkAddress(&p, "ipconfig.gateway", ip.Gateway)
		checkNetwork(&p, "ipconfig.ip6", ip.Address6, "dhcp", "auto")
		checkAddress(&p, "ipconfig.gateway6", ip.Gateway6)
	}
	p.When(len(c.NICs) < len(c.IPs), "%d ipconfig blocks given, but only %d network interfaces defined", len(c.IPs),
		len(c.NICs))
	return nil, p.Warnings, p.Err()
}

// checkAddress checks an IP address that may be missing.
func checkAddress(p *standin.Problems, name, text string) {
	if _, err := netip.ParseAddr(text); text != "" && err != nil {
		p.Add("could not parse %s: %w", name, err)
	}
}

// checkNetwork checks an address with the length of its network, or one of the words.
func checkNetwork(p *standin.Problems, name, text string, words ...string) {
	if text == "" || slices.Contains(words, text) {
		return
	}
	if _, err := netip.ParsePrefix(text); err != nil {
		p.Add("could not parse %s: %w", name, err)
	}
}

// Run builds.
func (b *CloneBuilder) Run(ctx context.Context, ui packersdk.Ui, hook packersdk.Hook) (packersdk.Artifact, error) {
	c := b.config
	run := &cloning{build: &build{Config: &c.Config, builder: "proxmox.clone"}, config: &c}
	run.make = run.clone
	return run.run(ctx, ui, hook,
		standin.Step{Do: func(context.Context, multistep.StateBag) error { return keyPair(&c.Comm, ui) }},
		standin.Step{Do: run.findDrives},
	)
}

// cloning is a build of a clone.
type cloning struct {
	*build
	config *cloneConfig
}

// keyPair gives the communicator the key that cloud-init authorises: the user's, or a new one when there is neither a
// password nor an agent.
func keyPair(comm *communicator.Config, ui packersdk.Ui) error {
	if comm.SSHPassword != "" || comm.SSHPrivateKeyFile == "" && comm.SSHAgentAuth {
		return nil
	}
	comment := "packer_" + uuid.TimeOrderedUUID()
	var pair ssh.KeyPair
	var err error
	if comm.SSHPrivateKeyFile != "" {
		ui.Say("Using existing SSH private key for the communicator...")
		var private []byte
		if private, err = comm.ReadSSHPrivateKeyFile(); err == nil {
			pair, err = ssh.KeyPairFromPrivateKey(ssh.FromPrivateKeyConfig{RawPrivateKeyPemBlock: private, Comment: comment})
		}
	} else {
		ui.Say("Creating ephemeral key pair for SSH communicator...")
		pair, err = ssh.NewKeyPair(ssh.CreateKeyPairConfig{Comment: comment})
		comm.SSHClearAuthorizedKeys = true
	}
	if err != nil {
		return fmt.Errorf("making the key of the SSH connection: %w", err)
	}
	comm.SSHKeyPairName, comm.SSHTemporaryKeyPairName = pair.Comment, pair.Comment
	comm.SSHPrivateKey, comm.SSHPublicKey = pair.PrivateKeyPemBlock, pair.PublicKeyAuthorizedKeysLine
	return nil
}

// source finds the machine to clone; of several with the name one on the build's node.
func (b *cloning) source(ctx context.Context) (machine, error) {
	c := b.config
	list, err := b.client.machines(ctx,
		func(m machine) bool { return m.ID == c.CloneVMID || c.CloneVM != "" && m.Name == c.CloneVM })
	if err != nil {
		return machine{}, err
	}
	if len(list) == 0 {
		return machine{}, fmt.Errorf("vm '%s' not found", strings.TrimSuffix(c.CloneVM+" "+strconv.Itoa(c.CloneVMID), " 0"))
	}
	for _, m := range list {
		if m.Node == c.Node {
			return m, nil
		}
	}
	return list[0], nil
}

var diskDrive = regexp.MustCompile(`^(ide|sata|scsi|virtio)[0-9]+$`)

// findDrives learns which drives of the clone hold disks of its source.
func (b *cloning) findDrives(ctx context.Context, _ multistep.StateBag) error {
	from, err := b.source(ctx)
	if err != nil {
		return fmt.Errorf("Could not retrieve VM: %w", err) //nolint:staticcheck // the real plugin's words
	}
	settings, err := b.client.config(ctx, from)
	if err != nil {
		return fmt.Errorf("error fetching template config: %w", err)
	}
	for name, value := range settings {
		if text, _ := value.(string); diskDrive.MatchString(name) && !strings.Contains(text, "media=cdrom") {
			b.taken = append(b.taken, name)
		}
	}
	return nil
}

// clone clones the source and then changes the clone to what the configuration asks for.
func (b *cloning) clone(ctx context.Context, id int) error {
	from, err := b.source(ctx)
	if err != nil {
		return err
	}
	drives, err := b.plug(b.taken)
	if err != nil {
		return err
	}
	form := url.Values{
		"newid": {strconv.Itoa(id)}, "name": {b.Template.VMName}, "target": {b.Node},
		"full": {flag(b.config.Full != config.TriFalse)},
	}
	if b.Pool != "" {
		form.Set("pool", b.Pool)
	}
	if err := b.client.task(ctx, http.MethodPost, from.path()+"/clone", form); err != nil {
		return err
	}
	made := machine{ID: id, Node: b.Node}
	if _, err := b.client.config(ctx, made); err != nil {
		return err
	}
	if _, err := b.client.machines(ctx, func(machine) bool { return true }); err != nil {
		return err
	}
	if err := b.client.call(ctx, http.MethodGet, "/cluster/ha/resources/"+strconv.Itoa(id), nil, nil); err == nil {
		return fmt.Errorf("the clone %d is managed by high availability, which the lab's stand-in cannot honour", id)
	}
	if err := b.client.call(ctx, http.MethodGet, "/version", nil, nil); err != nil {
		return err
	}
	settings := b.settings(id)
	maps.Copy(settings, drives.settings)
	if err := b.client.call(ctx, http.MethodPut, made.path()+"/config", b.cloudInit(settings), nil); err != nil {
		return err
	}
	return errors.Join(b.grow(ctx, made, drives), b.client.call(ctx, http.MethodGet, made.path()+"/pending", nil, nil))
}

// cloudInit adds what the clone's first boot configures.
func (b *cloning) cloudInit(settings url.Values) url.Values {
	set := func(name, value string) {
		if value != "" {
			settings.Set(name, value)
		}
	}
	set("ciuser", b.Comm.SSHUsername)
	set("nameserver", b.config.Nameserver)
	set("searchdomain", b.config.Searchdomain)
	// The API wants this one encoded twice, with %20 for a space.
	set("sshkeys", strings.ReplaceAll(url.QueryEscape(string(b.Comm.SSHPublicKey)), "+", "%20"))
	for i, ip := range b.config.IPs {
		set("ipconfig"+strconv.Itoa(i),
			device(option("ip", ip.Address), option("gw", ip.Gateway), option("ip6", ip.Address6), option("gw6", ip.Gateway6)))
	}
	return settings
}
