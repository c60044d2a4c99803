// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"context"
	"strconv"

	"github.com/hashicorp/packer-plugin-sdk/communicator"
	"github.com/hashicorp/packer-plugin-sdk/multistep"
	"github.com/hashicorp/packer-plugin-sdk/multistep/commonsteps"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// build is one build.
type build struct {
	*Config
	client  *client
	ui      packersdk.Ui
	make    func(ctx context.Context, id int) error // makes the machine
	made    machine                                 // the zero value before it is there
	taken   []string                                // drives of a clone's source
	done    bool
	builder string // id that the artifact names
}

// run runs a build. before are the steps that only one of the builders has.
func (b *build) run(ctx context.Context, ui packersdk.Ui, hook packersdk.Hook,
	before ...multistep.Step,
) (packersdk.Artifact, error) {
	Plugin().Announce(ui)
	var err error
	if b.client, err = connect(ctx, b.Access); err != nil {
		return nil, err
	}
	b.ui = ui
	state := new(multistep.BasicStateBag)
	state.Put("ui", ui)
	state.Put("hook", hook)
	steps := before
	for i := range b.ISOs {
		steps = append(steps, b.uploadISO(&b.ISOs[i])...)
	}
	steps = append(steps,
		standin.Step{Do: b.start, Undo: b.discard},
		commonsteps.HTTPServerFromHTTPConfig(&b.HTTPConfig),
		standin.Step{Do: b.typeBootCommand},
		&communicator.StepConnect{Config: &b.Comm, Host: b.address, SSHConfig: b.Comm.SSHConfigFunc()},
		&commonsteps.StepProvision{},
		&commonsteps.StepCleanupTempKeys{Comm: &b.Comm},
		standin.Step{Do: b.removeCloudInit},
		standin.Step{Do: b.convert},
		standin.Step{Do: b.finish},
	)
	if err := standin.RunSteps(ctx, state, b.PackerConfig, steps); err != nil {
		return nil, err
	}
	if !b.done {
		return nil, errNoTemplate
	}
	return &artifact{
		builder: b.builder, template: b.made, client: b.client,
		data: map[string]any{"generated_data": state.Get("generated_data")},
	}, nil
}

// artifact is the template that a build leaves.
type artifact struct {
	builder  string
	template machine
	client   *client
	data     map[string]any
}

// BuilderId is that of the real plugin.
func (a *artifact) BuilderId() string { return a.builder }

// Files is empty: the template is in Proxmox VE.
func (*artifact) Files() []string { return nil }

// Id is the template's number.
func (a *artifact) Id() string { return strconv.Itoa(a.template.ID) }

// String says what was made.
func (a *artifact) String() string { return "A template was created: " + a.Id() }

// State is what post-processors ask for.
func (a *artifact) State(name string) any { return a.data[name] }

// Destroy deletes the template.
func (a *artifact) Destroy() error {
	return a.client.task(context.Background(), "DELETE", a.template.path(), nil)
}
