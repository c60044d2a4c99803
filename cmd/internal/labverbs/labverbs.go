// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:35:47Z
// Spec: openspec/specs/lab/spec.md#requirement-lab-environment
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

// Package labverbs is the command packer-hybrid-lab: the verbs of
// `packer-hybrid lab`, in a program of their own because simulators do not
// belong into one that builds for real platforms.
package labverbs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

// Main is the whole program. In a process that is a simulated guest it does
// that guest's work instead.
func Main() {
	lab.Main()
	a := app{cli.OfProcess()}
	os.Exit(a.Run(context.Background(), a.root, os.Args[1:]))
}

// app is one invocation.
type app struct{ cli.Frame }

func (a *app) root() *cobra.Command {
	cmd := a.Root(&cobra.Command{
		Use: "packer-hybrid-lab", Short: "Simulate the platforms and guests on this machine",
		Long: `Lab serves a simulated vCenter, Proxmox VE and Azure on the loopback interface and
boots guests in namespaces of their own: a real Debian file system and a real SSH
session, with no network and no hypervisor. Real Packer, plugins and Ansible run
against it. It needs root on Linux.`,
		Example: `  packer-hybrid lab run -- packer-hybrid build debian-12 --env lab
  packer-hybrid lab up &
  packer-hybrid lab run -- packer-hybrid status
  packer-hybrid lab down`,
		Version:     cli.Version(),
		Annotations: map[string]string{cobra.CommandDisplayNameAnnotation: "packer-hybrid lab"}, // as it is called
		// that of packer-hybrid asks us
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	})
	cmd.Flags().Bool("version", false, "version of the lab") // no -v: that is --verbose elsewhere
	cmd.AddCommand(a.runCmd(), a.upCmd(), a.prepareCmd(), a.downCmd())
	return cmd
}

func (a *app) prepareCmd() *cobra.Command {
	return &cobra.Command{
		Use: "prepare", Short: "Build the guests' root file system into the cache", Args: cli.NoArgs,
		Long: `Prepare builds the Debian file system that guests boot from, once: it takes a
minute or two and 400 MB of the cache. The other verbs do it when it is missing.`,
		Example: "  packer-hybrid lab prepare",
		RunE: func(cmd *cobra.Command, _ []string) error {
			cache, err := lab.CacheDir()
			if err != nil {
				return err
			}
			_, err = lab.RootFS(cmd.Context(), cache, a.Err)
			return needsRoot(err)
		},
	}
}

func (a *app) downCmd() *cobra.Command {
	return &cobra.Command{
		Use: "down", Short: "End the lab that is up", Args: cli.NoArgs,
		Example: "  packer-hybrid lab down",
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := lab.Down(cmd.Context(), a.config(nil))
			if errors.Is(err, lab.ErrNotUp) {
				return hybridcore.Usagef("%v", err)
			}
			return notOurs(err)
		},
	}
}

func (a *app) runCmd() *cobra.Command {
	var planted faults
	var pass []string
	cmd := &cobra.Command{
		Use: "run -- COMMAND [ARG...]", Short: "Run one command in a lab, its exit code being ours",
		Long: `Run starts a lab, runs a command with the lab's environment, and ends the lab.
When a lab is up ("lab up"), the command runs in that one instead.

The command gets the lab's variables and, of yours, those of the session: PATH,
HOME, locale, terminal, folders of caches and tools. Credentials and everything
else stay behind: what has to do with an account or a platform is named, the
rest is counted. --pass NAME passes one on all the same.
` + faultHelp,
		Example: `  packer-hybrid lab run -- packer-hybrid build debian-12 --env lab
  packer-hybrid lab run --fault 'vsphere POST /sdk/CreateVM_Task status=500 reason="no space left"' -- packer-hybrid build
  packer-hybrid lab run --fault-file faults.txt -- packer-hybrid build
  packer-hybrid lab run --pass GITHUB_TOKEN,GITHUB_API_URL -- packer-hybrid ci`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rules, err := planted.read()
			if err == nil {
				err = checkPass(pass)
			}
			if err != nil {
				return err
			}
			return a.run(cmd, a.config(rules), args, pass)
		},
	}
	planted.bind(cmd)
	cmd.Flags().StringSliceVar(&pass, "pass", nil,
		"NAME of a variable of yours that the command gets too; comma-separated, repeatable")
	return cmd
}

func (a *app) upCmd() *cobra.Command {
	var planted faults
	cmd := &cobra.Command{
		Use: "up", Short: "Serve a lab until it is interrupted", Args: cli.NoArgs,
		Long: `Up serves a lab for the commands of "lab run", until it is interrupted or ended
by "lab down".
` + faultHelp,
		Example: `  packer-hybrid lab up &
  packer-hybrid lab up --fault 'azure PUT /subscriptions/** nth=2- status=429' &`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			rules, err := planted.read()
			if err != nil {
				return err
			}
			return needsRoot(lab.Up(cmd.Context(), a.config(rules), a.Out))
		},
	}
	planted.bind(cmd)
	return cmd
}

func (a *app) config(faults lab.Faults) lab.Config { return lab.Config{Log: a.Err, Faults: faults} }

// run runs a command in the lab that is up, or in one of its own. The
// command has our own streams: it may want a terminal, and redacts by itself.
func (a *app) run(cmd *cobra.Command, config lab.Config, args, pass []string) error {
	if len(args) == 0 {
		return hybridcore.Usagef("lab run: no command; write it after --, as in: packer-hybrid lab run -- packer-hybrid plan")
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return hybridcore.Usagef("lab run: %v", err)
	}
	of := func(lab []string) []string {
		env := environ(a.Environ, lab, pass)
		env.tell(a.Raw.Err) // names only; and nothing is held back when this process becomes the command
		return env.entries
	}
	up, err := lab.UpEnv(config)
	switch {
	case err == nil && len(config.Faults) > 0:
		return hybridcore.Usagef(
			`lab run: a lab is up, and its faults are those it was started with; end it with "packer-hybrid lab down", or give the rules to "lab up"`)
	case err == nil:
		return fmt.Errorf("running %s: %w", path, syscall.Exec(path, args, of(up)))
	case !errors.Is(err, lab.ErrNotUp):
		return notOurs(err)
	}
	args[0] = path
	code, err := lab.Run(cmd.Context(), config, lab.Command{
		Argv: args, Environ: of, In: a.Raw.In, Out: a.Raw.Out, Err: a.Raw.Err,
	})
	if err != nil {
		return needsRoot(err)
	}
	return hybridcore.Exit(code)
}

// notOurs makes a lab of somebody else a blocked request.
func notOurs(err error) error {
	if _, is := errors.AsType[*lab.NotOursError](err); is {
		return &hybridcore.BlockedError{Msg: "a lab is up, but it may not be yours", Err: err}
	}
	return err
}

// needsRoot makes a lab that the system refuses a blocked request.
func needsRoot(err error) error {
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return &hybridcore.BlockedError{Msg: "the lab cannot start here", Err: err}
	}
	return err
}
