// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:50:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/multistep"
	"github.com/hashicorp/packer-plugin-sdk/multistep/commonsteps"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// ISOBuilder is proxmox-iso: a machine that an installation medium fills.
type ISOBuilder struct{ config isoConfig }

// ConfigSpec is that of the real plugin.
func (*ISOBuilder) ConfigSpec() hcldec.ObjectSpec { return standin.Spec("proxmox-iso") }

// Prepare reads and checks the configuration.
func (b *ISOBuilder) Prepare(configs ...any) ([]string, []string, error) {
	b.config = isoConfig{}
	if err := Plugin().Decode(&b.config, &b.config.ctx, configs, "boot_command"); err != nil {
		return nil, nil, err
	}
	var p standin.Problems
	b.config.prepare(&p)
	boot := &b.config.BootDisc
	b.config.Old.move(boot, &p)
	boot.downloadKey = "downloaded_iso_path"
	if boot.Type == "" && boot.Device == "" {
		boot.Type, boot.Index = "ide", "2"
	}
	boot.prepare(&b.config.Config, &p, "boot_iso")
	return nil, p.Warnings, p.Err()
}

// Run builds.
func (b *ISOBuilder) Run(ctx context.Context, ui packersdk.Ui, hook packersdk.Hook) (packersdk.Artifact, error) {
	c := b.config.Config
	c.ISOs = append([]ISO{b.config.BootDisc}, c.ISOs...)
	run := &build{Config: &c, builder: "proxmox.iso"}
	run.make = run.create
	return run.run(ctx, ui, hook)
}

// move writes the deprecated attributes that are set into boot_iso.
func (o *OldBootISO) move(to *ISO, p *standin.Problems) {
	for _, a := range []struct {
		name string
		set  bool
		move func()
	}{
		{"iso_file", o.File != "", func() { to.File = o.File }},
		{"iso_storage_pool", o.Storage != "", func() { to.Storage = o.Storage }},
		{"iso_urls", len(o.ISOUrls) > 0, func() { to.ISOUrls = o.ISOUrls }},
		{"iso_url", o.RawSingleISOUrl != "", func() { to.RawSingleISOUrl = o.RawSingleISOUrl }},
		{"iso_checksum", o.ISOChecksum != "", func() { to.ISOChecksum = o.ISOChecksum }},
		{"unmount_iso", o.Unmount, func() { to.Unmount = o.Unmount }},
		{"iso_target_path", o.TargetPath != "", func() { to.TargetPath = o.TargetPath }},
		{"iso_target_extension", o.TargetExtension != "", func() { to.TargetExtension = o.TargetExtension }},
	} {
		if a.set {
			p.Warn("'%s' is deprecated and will be removed in a future release, define the boot iso options in a 'boot_iso' "+
				"block", a.name)
			a.move()
		}
	}
}

// uploadISO are the steps that make or download a CD and put it into storage. None are needed for one that is there.
func (b *build) uploadISO(i *ISO) []multistep.Step {
	if i.File != "" {
		return nil
	}
	return []multistep.Step{
		&commonsteps.StepCreateCD{Files: i.CDFiles, Content: i.CDContent, Label: i.CDLabel},
		&commonsteps.StepDownload{
			Checksum: i.ISOChecksum, Description: "ISO", Extension: i.TargetExtension, ResultKey: i.downloadKey,
			TargetPath: i.TargetPath, Url: i.ISOUrls,
		},
		standin.Step{
			Do: func(ctx context.Context, state multistep.StateBag) error {
				key := i.downloadKey
				if i.made() {
					key = "cd_path"
				}
				path, _ := state.Get(key).(string)
				state.Remove("cd_path") // the next CD's step sets its own
				file, err := filepath.EvalSymlinks(path)
				if err != nil {
					return fmt.Errorf("finding the ISO to upload: %w", err)
				}
				if err := b.client.upload(ctx, b.Node, i.Storage, file); err != nil {
					return fmt.Errorf("uploading an ISO: %w", err)
				}
				i.File = i.Storage + ":iso/" + filepath.Base(file)
				b.ui.Say("Uploaded ISO to " + i.File)
				return nil
			},
			Undo: func(multistep.StateBag) { b.deleteISO(i) },
		},
	}
}

// deleteISO deletes a CD that was made of files, unless the template keeps it.
func (b *build) deleteISO(i *ISO) {
	if !i.made() || i.File == "" || b.done && !i.Unmount {
		return
	}
	if err := b.client.task(context.Background(), http.MethodDelete,
		"/nodes/"+b.Node+"/storage/"+i.Storage+"/content/"+i.File, nil); err != nil {
		b.ui.Error(fmt.Sprintf("delete volume failed: %v", err))
		return
	}
	b.ui.Say("Deleted generated ISO from " + i.File)
}
