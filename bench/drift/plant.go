// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:32:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/azure"
	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// name is the name of an artifact.
func name(n int) string { return fmt.Sprintf("image-%03d-20261201t000000-%08x", n, n) }

// notes are those of a build.
const notes = "an image for lab, run 20261201t000000-00000000, built by packer-hybrid with Packer 1.15.0"

// plant makes the artifacts on all platforms: a template on Proxmox VE, a template and a library item on vSphere,
// an image and a version of the gallery on Azure.
func plant(ctx context.Context, l *lab.Lab, settings map[string]string) (
	map[hybridcore.Platform][][]hybridcore.URI, error,
) {
	items, err := itemsOf(ctx, settings)
	if err != nil {
		return nil, err
	}
	for n := range artifacts {
		tags := map[string]string{"ph_run": "20261201t000000-00000000", "artifact": name(n)}
		err := errors.Join(
			l.Proxmox().Plant(10_000+n, map[string]string{
				"name": name(n), "template": "1", "description": notes, "memory": "2048", "cores": "2", "tags": "packer-hybrid",
				"scsi0": fmt.Sprintf("%s:base-%d-disk-0,size=8G", proxmox.DiskStorage, 10_000+n), "net0": "virtio,bridge=vmbr0",
			}),
			l.VSphere().Plant(ctx, "golden", name(n), notes, true),
			items(name(n)),
			l.Azure().PlantImage(azure.Group, name(n), tags),
			l.Azure().PlantVersion("debian-12", fmt.Sprintf("1.0.%d", n), tags),
		)
		if err != nil {
			return nil, fmt.Errorf("planting: %w", err)
		}
	}
	return found(ctx, l)
}

// itemsOf makes items in the lab's library.
func itemsOf(ctx context.Context, settings map[string]string) (func(string) error, error) {
	login := url.UserPassword(settings["vsphere_username"], settings["vsphere_password"])
	address := &url.URL{Scheme: "https", Host: settings["vsphere_endpoint"], Path: "/sdk", User: login}
	vim, err := govmomi.NewClient(ctx, address, true)
	if err != nil {
		return nil, fmt.Errorf("signing in to vCenter: %w", err)
	}
	session := rest.NewClient(vim.Client)
	if err := session.Login(ctx, login); err != nil {
		return nil, fmt.Errorf("signing in to the service of libraries: %w", err)
	}
	manager := library.NewManager(session)
	all, err := manager.GetLibraries(ctx)
	if err != nil || len(all) == 0 {
		return nil, fmt.Errorf("finding the library among %d: %w", len(all), err)
	}
	settings["vsphere_content_library"] = all[0].Name
	text := notes
	return func(name string) error {
		_, err := manager.CreateLibraryItem(ctx, library.Item{
			Name: name, Description: &text, Type: library.ItemTypeOVF, LibraryID: all[0].ID,
		})
		if err != nil {
			return fmt.Errorf("making item %s: %w", name, err)
		}
		return nil
	}, nil
}

// found lists what was planted, by artifact.
func found(ctx context.Context, l *lab.Lab) (map[hybridcore.Platform][][]hybridcore.URI, error) {
	machines, err := l.VSphere().Machines(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing what was planted: %w", err)
	}
	items, err := l.VSphere().LibraryItems(ctx)
	if err != nil {
		return nil, fmt.Errorf("listing what was planted: %w", err)
	}
	all := map[hybridcore.Platform][][]hybridcore.URI{}
	byName := map[string]map[hybridcore.Platform][]hybridcore.URI{}
	add := func(on hybridcore.Platform, kind, name, id string) {
		if !strings.HasPrefix(name, "image-") {
			return
		}
		if byName[name] == nil {
			byName[name] = map[hybridcore.Platform][]hybridcore.URI{}
		}
		byName[name][on] = append(byName[name][on], hybridcore.URI{Kind: kind, Name: name, ID: id})
	}
	for _, vm := range l.Proxmox().VMs() {
		add(hybridcore.Proxmox, "vm-template", vm.Name, fmt.Sprintf("%s/%d", proxmox.NodeName, vm.ID))
	}
	for _, vm := range machines {
		add(hybridcore.VSphere, "vm-template", vm.Name, vm.ID)
	}
	for _, item := range items {
		add(hybridcore.VSphere, "content-library-item", item.Name, item.ID)
	}
	for _, image := range l.Azure().Images() {
		add(hybridcore.Azure, "managed-image", image.Name, image.ID)
	}
	for _, version := range l.Azure().GalleryVersions() {
		add(hybridcore.Azure, "gallery-image-version", version.Tags["artifact"], version.ID)
	}
	for n := range artifacts {
		for on, uris := range byName[name(n)] {
			all[on] = append(all[on], uris)
		}
	}
	for _, on := range hybridcore.Platforms() {
		if len(all[on.Name]) != artifacts {
			return nil, fmt.Errorf("%d artifacts were planted on %s, not %d", len(all[on.Name]), on.Title, artifacts)
		}
	}
	return all, nil
}
