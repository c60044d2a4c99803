// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:48:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

// Package azure is the lab's stand-in for the Packer plugin of Microsoft Azure: the builder azure-arm.
package azure

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hcldec"
	"github.com/hashicorp/packer-plugin-sdk/communicator"
	"github.com/hashicorp/packer-plugin-sdk/communicator/ssh"
	"github.com/hashicorp/packer-plugin-sdk/multistep"
	"github.com/hashicorp/packer-plugin-sdk/multistep/commonsteps"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// Plugin is the plugin that this package stands in for.
func Plugin() standin.Plugin {
	return standin.Plugin{Name: "Azure", Source: "github.com/hashicorp/azure", Version: "2.5.0"}
}

// Builder is azure-arm: a machine on Azure that becomes a managed image, a version in a gallery or both.
type Builder struct{ config Config }

// ConfigSpec is that of the real plugin.
func (*Builder) ConfigSpec() hcldec.ObjectSpec { return standin.Spec("azure-arm") }

// Prepare reads and checks the configuration. It connects to nothing, unlike the real plugin, which asks metadata_host.
func (b *Builder) Prepare(configs ...any) ([]string, []string, error) {
	b.config = Config{}
	if err := Plugin().Decode(&b.config, &b.config.ctx, configs); err != nil {
		return nil, nil, err
	}
	if err := b.config.prepare(); err != nil {
		return nil, nil, err
	}
	return generatedNames, nil, nil
}

// build is one build.
type build struct {
	*Config
	client  *client
	ui      packersdk.Ui
	names   names
	key     string // public, in authorized_keys format
	address string
	disk    string // id of the machine's system disk
	inGroup bool   // the group is there, and it is the build's own or the one that it was given
	version string // id of what the gallery has
}

// Run builds.
func (b *Builder) Run(ctx context.Context, ui packersdk.Ui, hook packersdk.Hook) (packersdk.Artifact, error) {
	Plugin().Announce(ui)
	c := b.config
	run := &build{Config: &c, ui: ui, names: c.Temporary.names()}
	var err error
	if run.client, err = connect(ctx, c.Access); err != nil {
		return nil, err
	}
	if err := errors.Join(run.checkTarget(ctx), run.keyPair()); err != nil {
		return nil, err
	}
	state := new(multistep.BasicStateBag)
	state.Put("ui", ui)
	state.Put("hook", hook)
	state.Put("generated_data", run.generated())
	steps := []multistep.Step{
		standin.Step{Do: run.makeGroup, Undo: run.removeGroup},
		standin.Step{Do: run.validate},
		standin.Step{Do: run.deploy, Undo: run.removeDeployment},
		standin.Step{Do: run.learn},
		&communicator.StepConnect{
			Config: &c.Comm, SSHConfig: c.Comm.SSHConfigFunc(),
			Host: func(multistep.StateBag) (string, error) { return orElse(c.Comm.Host(), run.address), nil },
		},
		&commonsteps.StepProvision{},
		&commonsteps.StepCleanupTempKeys{Comm: &c.Comm},
		standin.Step{Do: run.powerOff},
	}
	if !c.Image.Skip {
		steps = append(steps, standin.Step{Do: run.capture}, standin.Step{Do: run.publish})
	}
	if err := standin.RunSteps(ctx, state, c.PackerConfig, steps); err != nil {
		return nil, err
	}
	if c.Image.Skip {
		return nil, nil //nolint:nilnil // no image was asked for, and the SDK knows no artifact as nil
	}
	return run.artifact(state), nil
}

// orElse is the first text unless that is empty.
func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// keyPair gives the machine a key: the user's, or a new one.
func (b *build) keyPair() error {
	comment := "packer Azure Deployment" + time.Now().Format(time.RFC3339)
	var pair ssh.KeyPair
	var err error
	if b.Comm.SSHPrivateKeyFile != "" {
		var private []byte
		if private, err = b.Comm.ReadSSHPrivateKeyFile(); err == nil {
			pair, err = ssh.KeyPairFromPrivateKey(ssh.FromPrivateKeyConfig{RawPrivateKeyPemBlock: private, Comment: comment})
		}
	} else {
		pair, err = ssh.NewKeyPair(ssh.CreateKeyPairConfig{Type: ssh.Rsa, Bits: 2048, Comment: comment})
	}
	if err != nil {
		return fmt.Errorf("making the key of the SSH connection: %w", err)
	}
	b.Comm.SSHPrivateKey, b.key = pair.PrivateKeyPemBlock, strings.TrimSpace(string(pair.PublicKeyAuthorizedKeysLine))
	return nil
}

// generatedNames are what provisioners and post-processors can ask for with build.NAME.
var generatedNames = []string{
	"SourceImageName", "TenantID", "SubscriptionID", "TempDeploymentName", "TempComputeName", "TempNicName",
	"TempOSDiskName",
	"TempResourceGroupName", "TempNsgName", "TempKeyVaultName", "TempSubnetName", "TempDataDiskName",
	"TempVirtualNetworkName",
	"TempPublicIPAddressName",
}

// generated are the values of generatedNames. What the build has none of is empty.
func (b *build) generated() map[string]any {
	n := b.names
	return map[string]any{
		"TenantID": b.Tenant, "SubscriptionID": b.Subscription, "TempDeploymentName": n.deployment,
		"TempComputeName": n.compute,
		"TempNicName":     n.nic, "TempOSDiskName": n.disk, "TempResourceGroupName": n.group, "TempNsgName": n.security,
		"TempKeyVaultName": "",
		"TempSubnetName":   n.subnet, "TempDataDiskName": "", "TempVirtualNetworkName": n.network,
		"TempPublicIPAddressName": n.address,
		"SourceImageName": fmt.Sprintf(
			"/subscriptions/%s/providers/Microsoft.Compute/locations/%s/publishers/%s/"+
				"ArtifactTypes/vmimage/offers/%s/skus/%s/versions/%s",
			b.Subscription, b.Location, b.Source.Publisher, b.Source.Offer, b.Source.SKU, b.Source.Version),
	}
}

// artifact is what a build leaves.
type artifact struct {
	image, version string // ids; one of them may be empty
	text           string
	data           map[string]any
}

func (b *build) artifact(state multistep.StateBag) *artifact {
	a := &artifact{version: b.version, data: map[string]any{"generated_data": state.Get("generated_data")}}
	var text strings.Builder
	fmt.Fprintf(&text, "%s:\n\nOSType: %s\n", a.BuilderId(), b.OS)
	if b.managed() {
		a.image = b.imageID()
		fmt.Fprintf(&text, "ManagedImageResourceGroupName: %s\nManagedImageName: %s\nManagedImageId: "+
			"%s\nManagedImageLocation: %s\n",
			b.Image.Group, b.Image.Name, a.image, b.Location)
	}
	if b.published() {
		regions := slices.Collect(regionNames(b.regions()))
		fmt.Fprintf(&text, "ManagedImageSharedImageGalleryId: %s\nSharedImageGalleryResourceGroup: "+
			"%s\nSharedImageGalleryName: %s\n",
			a.version, b.Gallery.Group, b.Gallery.Name)
		fmt.Fprintf(&text, "SharedImageGalleryImageName: %s\nSharedImageGalleryImageVersion: "+
			"%s\nSharedImageGalleryReplicatedRegions: %s\n",
			b.Gallery.Image, b.Gallery.Version, strings.Join(regions, ", "))
	}
	a.text = text.String()
	return a
}

// BuilderId is that of the real plugin.
func (*artifact) BuilderId() string { return "Azure.ResourceManagement.VMImage" }

// Files is empty: the images are in Azure.
func (*artifact) Files() []string { return []string{} }

// Id is the managed image's id, or without one the gallery version's.
func (a *artifact) Id() string { return orElse(a.image, a.version) }

// String says what was made.
func (a *artifact) String() string { return a.text }

// State is what post-processors ask for.
func (a *artifact) State(name string) any { return a.data[name] }

// Destroy does nothing, like the real plugin's.
func (*artifact) Destroy() error { return nil }
