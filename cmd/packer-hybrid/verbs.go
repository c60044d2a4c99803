// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:16Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// verb makes a command from a verb of the shared grammar.
func (a *app) verb(v command.Verb) *cobra.Command {
	req := hybridcore.Request{Action: v.Action, Origin: hybridcore.Origin{Kind: "cli"}}
	cmd := &cobra.Command{
		Use: string(v.Action) + " " + v.Args, Short: v.Short, Long: v.Long, Example: v.Example,
		ValidArgsFunction: a.completeImages,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := command.Finish(&req, args); err != nil {
				return fmt.Errorf("%s: %w", v.Action, err)
			}
			_, err := a.process().Do(cmd.Context(), req, a.screen())
			return err
		},
	}
	command.BindCommon(cmd.Flags(), &req)
	if v.Bind != nil {
		v.Bind(cmd.Flags(), &req)
	}
	switch v.Action {
	case hybridcore.ActionPlan:
		cmd.Flags().StringVar(&a.matrix, "matrix", "",
			"print instead the jobs that would build: github (a matrix) or gitlab (a child pipeline)")
	case hybridcore.ActionCollect:
		cmd.ValidArgsFunction = nil // folders
	}
	return cmd
}

// completeImages completes image names from the catalogue.
func (a *app) completeImages(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	found, err := a.process().Project()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	opened := &project.Project{Config: found}
	defer func() { _ = opened.Close() }()
	images, err := opened.Images()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, image := range images {
		names = append(names, image.Name+"\t"+image.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
