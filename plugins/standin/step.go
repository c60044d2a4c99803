// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:40:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package standin

import (
	"context"
	"errors"

	"github.com/hashicorp/packer-plugin-sdk/common"
	"github.com/hashicorp/packer-plugin-sdk/multistep"
	"github.com/hashicorp/packer-plugin-sdk/multistep/commonsteps"
	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
)

// Step is one step of a build. An error of Do ends the build. Undo, when there is one, runs at the end of every
// build whose Do was reached, and finds out itself what there is to remove.
type Step struct {
	Do   func(ctx context.Context, state multistep.StateBag) error
	Undo func(state multistep.StateBag)
}

// Run does the step.
func (s Step) Run(ctx context.Context, state multistep.StateBag) multistep.StepAction {
	if err := s.Do(ctx, state); err != nil {
		state.Put("error", err)
		if ui, ok := state.Get("ui").(packersdk.Ui); ok {
			ui.Error(err.Error())
		}
		return multistep.ActionHalt
	}
	return multistep.ActionContinue
}

// Cleanup undoes the step.
func (s Step) Cleanup(state multistep.StateBag) {
	if s.Undo != nil {
		s.Undo(state)
	}
}

// RunSteps runs a build's steps with what Packer's own steps need in the state, and returns why it did not finish.
func RunSteps(ctx context.Context, state multistep.StateBag, settings common.PackerConfig,
	steps []multistep.Step,
) error {
	ui, ok := state.Get("ui").(packersdk.Ui)
	if !ok {
		return errors.New("running the build: there is no user interface in its state")
	}
	commonsteps.NewRunner(steps, settings, ui).Run(ctx, state)
	if err, ok := state.Get("error").(error); ok {
		return err
	}
	if _, cancelled := state.GetOk(multistep.StateCancelled); cancelled {
		return errors.New("build was cancelled")
	}
	if _, halted := state.GetOk(multistep.StateHalted); halted {
		return errors.New("build was halted")
	}
	return nil
}
