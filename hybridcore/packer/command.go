// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:17Z
// Spec: openspec/specs/packer/spec.md#requirement-command-lines
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"context"
	"os/exec"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
)

// buildCmd is the command of a build. `-force` is never passed: it deletes the
// old image before the new one exists.
func buildCmd(ctx context.Context, t Tool, job Job) *exec.Cmd {
	args := []string{"build", "-machine-readable", "-color=false", "-on-error=cleanup"}
	return jobCmd(ctx, t, job, args)
}

// validateCmd is the command of a validation.
func validateCmd(ctx context.Context, t Tool, job Job) *exec.Cmd {
	return jobCmd(ctx, t, job, []string{"validate", "-machine-readable"})
}

func jobCmd(ctx context.Context, t Tool, job Job, args []string) *exec.Cmd {
	if len(job.Only) > 0 {
		args = append(args, "-only="+strings.Join(job.Only, ","))
	}
	if job.VarFile != "" {
		args = append(args, "-var-file="+job.VarFile)
	}
	cmd := command(ctx, t.Path, append(args, ".")...)
	cmd.Dir = job.Dir
	cmd.Env = environ(job.Env, job.Secrets, scratch(job.Scratch))
	return cmd
}

// versionCmd asks a binary for its version. It runs in the scratch directory,
// so that no configuration of the user's is read.
func versionCmd(ctx context.Context, path string, parent []string, dirs scratch) *exec.Cmd {
	cmd := command(ctx, path, "version")
	cmd.Dir = string(dirs)
	cmd.Env = environ(parent, nil, dirs)
	return cmd
}

// command makes a command that outlives its context: run alone decides how a
// cancelled process ends, because Packer must get the time to clean up.
func command(ctx context.Context, path string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(context.WithoutCancel(ctx), path, args...)
	cmd.SysProcAttr = child.OwnGroup()
	return cmd
}
