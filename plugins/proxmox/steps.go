// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"cmp"
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

	"github.com/hashicorp/packer-plugin-sdk/multistep"
)

// idAttempts is how often a number is asked for that turns out to be somebody else's.
const idAttempts = 3

// start makes the machine and starts it. Making it does not stop in the middle: what a task has begun could not be
// found again.
func (b *build) start(ctx context.Context, state multistep.StateBag) error {
	ctx = context.WithoutCancel(ctx)
	if b.PackerForce {
		if err := b.deleteOld(ctx); err != nil {
			return err
		}
	}
	b.ui.Say("Creating VM")
	id := b.Template.VMID
	for attempt := 1; ; attempt++ {
		if b.Template.VMID == 0 {
			b.ui.Say("No VM ID given, getting next free from Proxmox")
			var next string
			if err := b.client.call(ctx, http.MethodGet, "/cluster/nextid", nil, &next); err != nil {
				return err
			}
			var err error
			if id, err = strconv.Atoi(next); err != nil {
				return fmt.Errorf("reading the next free number: %w", err)
			}
		}
		err := b.make(ctx, id)
		if err == nil {
			break
		}
		if b.Template.VMID != 0 || attempt == idAttempts || !strings.Contains(err.Error(), "already exists on node") {
			return fmt.Errorf("Error creating VM: %w", err) //nolint:staticcheck // the real plugin's words
		}
		b.ui.Say("Generated VM ID was already allocated, retrying")
	}
	b.made = machine{ID: id, Node: b.Node}
	state.Put("instance_id", id)
	b.ui.Say("Starting VM")
	if err := b.client.power(ctx, b.made, "start"); err != nil {
		return fmt.Errorf("Error starting VM: %w", err) //nolint:staticcheck // the real plugin's words
	}
	return nil
}

// create makes the machine of an ISO build.
func (b *build) create(ctx context.Context, id int) error {
	drives, err := b.plug(nil)
	if err != nil {
		return err
	}
	settings := b.settings(id)
	maps.Copy(settings, drives.settings)
	if b.Pool != "" {
		settings.Set("pool", b.Pool)
	}
	if b.Template.Tags == "" {
		settings.Del("tags")
	}
	made := machine{ID: id, Node: b.Node}
	if err := errors.Join(
		b.client.call(ctx, http.MethodGet, "/version", nil, nil),
		b.client.task(ctx, http.MethodPost, "/nodes/"+b.Node+"/qemu", settings),
	); err != nil {
		return err
	}
	if err := b.grow(ctx, made, drives); err != nil {
		return err
	}
	return b.client.call(ctx, http.MethodGet, "/access/permissions", nil, nil)
}

// grow gives the disks whose size is no whole GiB their size.
func (b *build) grow(ctx context.Context, m machine, d drives) error {
	for _, name := range slices.Sorted(maps.Keys(d.grow)) {
		form := url.Values{"disk": {name}, "size": {d.grow[name]}}
		if err := b.client.task(ctx, http.MethodPut, m.path()+"/resize", form); err != nil {
			return err
		}
	}
	return nil
}

// deleteOld deletes the template that the new one replaces, as -force asks for.
func (b *build) deleteOld(ctx context.Context) error {
	b.ui.Say("Force set, checking for existing artifact on PVE cluster")
	list, err := b.client.machines(ctx, func(m machine) bool {
		return b.Template.VMID != 0 && m.ID == b.Template.VMID || b.Template.VMID == 0 && m.Name == b.Template.Name
	})
	switch {
	case err != nil:
		return err
	case len(list) == 0:
		b.ui.Say("No existing artifact found")
		return nil
	case len(list) > 1:
		return fmt.Errorf("found multiple VMs with name '%s'", b.Template.Name)
	}
	old := list[0]
	settings, err := b.client.config(ctx, old)
	if err != nil {
		return err
	}
	if settings["template"] == nil {
		return fmt.Errorf("found matching VM (ID: %d, name: %s), but it is not a template", old.ID, old.Name)
	}
	b.ui.Say(fmt.Sprintf("found existing VM template with ID %d on PVE node %s, deleting it", old.ID, old.Node))
	if err := b.client.task(ctx, http.MethodDelete, old.path(), nil); err != nil {
		return fmt.Errorf("error deleting VM template: %w", err)
	}
	b.ui.Say(fmt.Sprintf("Successfully deleted VM template %d", old.ID))
	return nil
}

// discard stops and deletes the machine of a build that did not finish.
func (b *build) discard(multistep.StateBag) {
	if b.made.ID == 0 || b.done {
		return
	}
	ctx := context.Background()
	b.ui.Say("Stopping VM")
	if err := b.client.power(ctx, b.made, "stop"); err != nil {
		b.ui.Error(fmt.Sprintf("Error stopping VM. Please stop and delete it manually: %v", err))
		return
	}
	b.ui.Say("Deleting VM")
	if err := b.client.task(ctx, http.MethodDelete, b.made.path(), nil); err != nil {
		b.ui.Error(fmt.Sprintf("Error deleting VM. Please delete it manually: %v", err))
	}
}

// address is the guest's, as the configuration or the guest's agent says.
func (b *build) address(multistep.StateBag) (string, error) {
	if host := b.Comm.Host(); host != "" {
		return host, nil
	}
	var agent struct {
		Result []struct {
			Name      string `json:"name"`
			Addresses []struct {
				Address string `json:"ip-address"`
			} `json:"ip-addresses"`
		} `json:"result"`
	}
	path := b.made.path() + "/agent/network-get-interfaces"
	if err := b.client.call(context.Background(), http.MethodGet, path, nil, &agent); err != nil {
		return "", err
	}
	for _, card := range agent.Result {
		if b.VMInterface != "" && card.Name != b.VMInterface {
			continue
		}
		for _, a := range card.Addresses {
			ip, err := netip.ParseAddr(a.Address)
			if err == nil && !ip.IsLoopback() && (ip.Is4() || b.VMInterface != "") {
				return a.Address, nil
			}
		}
	}
	return "", errors.New("Found no IP addresses on VM") //nolint:staticcheck // the real plugin's words
}

var cloudInitSetting = regexp.MustCompile(`^(cipassword|ciuser|nameserver|searchdomain|sshkeys|ipconfig[0-9]+)$`)

// removeCloudInit takes away what configured the first boot of a clone.
func (b *build) removeCloudInit(ctx context.Context, _ multistep.StateBag) error {
	settings, err := b.client.config(ctx, b.made)
	if err != nil {
		return fmt.Errorf("error fetching template config: %w", err)
	}
	var remove []string
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		text, _ := settings[name].(string)
		drive := diskDrive.MatchString(name) && strings.Contains(text, "-cloudinit") && strings.Contains(text, ",media=cdrom")
		if drive || cloudInitSetting.MatchString(name) {
			remove = append(remove, name)
		}
	}
	if len(remove) == 0 {
		return nil
	}
	if err := b.client.task(ctx, http.MethodPost, b.made.path()+"/config",
		url.Values{"delete": {strings.Join(remove, ",")}}); err != nil {
		return fmt.Errorf("error updating template: %w", err)
	}
	return nil
}

// convert shuts the machine down and makes it a template.
func (b *build) convert(ctx context.Context, _ multistep.StateBag) error {
	ctx = context.WithoutCancel(ctx)
	b.ui.Say("Stopping VM")
	if err := b.client.power(ctx, b.made, "shutdown"); err != nil {
		//nolint:staticcheck // the real plugin's words
		return fmt.Errorf("Error converting VM to template, could not stop: %w", err)
	}
	b.ui.Say("Converting VM to template")
	if err := b.client.task(ctx, http.MethodPost, b.made.path()+"/template", nil); err != nil {
		return fmt.Errorf("Error converting VM to template: %w", err) //nolint:staticcheck // the real plugin's words
	}
	return nil
}

// finish gives the template its name and description, adds the cloud-init drive and takes the CDs away.
func (b *build) finish(ctx context.Context, _ multistep.StateBag) error {
	ctx = context.WithoutCancel(ctx)
	settings, err := b.client.config(ctx, b.made)
	if err != nil {
		return fmt.Errorf("error fetching template config: %w", err)
	}
	changes := url.Values{"name": {cmp.Or(b.Template.Name, b.Template.VMName)}, "description": {b.Template.Description}}
	if err := b.addCloudInit(settings, changes); err != nil {
		return err
	}
	var remove []string
	for i := range b.ISOs {
		iso := &b.ISOs[i]
		drive, _ := settings[iso.drive].(string)
		switch {
		case !iso.Unmount:
			changes.Set(iso.drive, iso.File+",media=cdrom")
		case !strings.Contains(drive, "media=cdrom"):
			//nolint:staticcheck // the real plugin's words
			return fmt.Errorf("Cannot eject ISO from cdrom drive, %s is not present or not a cdrom media", iso.drive)
		case iso.KeepDevice:
			changes.Set(iso.drive, "none,media=cdrom")
		default:
			remove = append(remove, iso.drive)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if strings.HasPrefix(name, "unused") {
			remove = append(remove, name)
		}
	}
	if len(remove) > 0 {
		changes.Set("delete", strings.Join(remove, ","))
	}
	if err := b.client.task(ctx, http.MethodPost, b.made.path()+"/config", changes); err != nil {
		return fmt.Errorf("Error updating template: %w", err) //nolint:staticcheck // the real plugin's words
	}
	b.done = true
	return nil
}

// addCloudInit puts a cloud-init drive into the first free place of its bus.
func (b *build) addCloudInit(settings map[string]any, changes url.Values) error {
	if !b.Template.CloudInit {
		return nil
	}
	pool := b.Template.CloudInitPool
	if boot, _ := settings["bootdisk"].(string); pool == "" {
		disk, _ := settings[boot].(string)
		pool, _, _ = strings.Cut(disk, ":")
	}
	if pool == "" {
		return errors.New("cloud_init is set to true, but cloud_init_storage_pool is empty and could not be set " +
			"automatically. set cloud_init_storage_pool in your configuration")
	}
	for n := range buses[b.Template.CloudInitDisk] {
		if name := b.Template.CloudInitDisk + strconv.Itoa(n); settings[name] == nil {
			b.ui.Say("Adding a cloud-init cdrom in storage pool " + pool)
			changes.Set(name, pool+":cloudinit")
			return nil
		}
	}
	//nolint:staticcheck // the real plugin's words
	return fmt.Errorf("Found no free controller of type %s for a cloud-init cdrom", b.Template.CloudInitDisk)
}
