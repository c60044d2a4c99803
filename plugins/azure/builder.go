// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:48:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

// Package azure is the lab's stand-in for the Packer plugin of Microsoft Azure: the builder azure-arm.
package azure

import (
	"context"
	"errors"

	"github.com/hashicorp/hcl/v2/hcldec"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// Plugin is the plugin that this package stands in for.
var Plugin = standin.Plugin{Name: "Azure", Source: "github.com/hashicorp/azure", Version: "2.5.0"}

// Builder is azure-arm: a machine on Azure that becomes a managed image, a gallery's image version or both.
type Builder struct{}

// ConfigSpec is that of the real plugin.
func (*Builder) ConfigSpec() hcldec.ObjectSpec { return standin.Spec("azure-arm") }

// Prepare reads and checks the configuration.
func (*Builder) Prepare(...any) ([]string, []string, error) { return nil, nil, nil }

// Run builds.
func (*Builder) Run(context.Context, packersdk.Ui, packersdk.Hook) (packersdk.Artifact, error) {
	return nil, errors.New("azure-arm builds are not there yet")
}
