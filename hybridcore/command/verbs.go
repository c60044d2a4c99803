// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:47:57Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package command

import (
	"github.com/spf13/pflag"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Verbs lists the grammar: the verbs that every door understands.
func Verbs() []Verb {
	return []Verb{
		planVerb(),
		validateVerb(),
		{
			Action: hybridcore.ActionBuild, Args: "[IMAGE...]", Short: "Build the targets whose inputs changed",
			Long: `Build plans, then builds every target whose inputs changed since its last good
build, or of which the platform has not what was built any more: each in a
directory and a Packer process of its own. One target's failure does not stop
another. What was built is looked up on the platform and recorded.`,
			Example: `  packer-hybrid build debian-12 --env lab --targets vsphere
  packer-hybrid build --env prod --parallel 3
  packer-hybrid build ubuntu-24.04 --env prod --rebuild
  packer-hybrid build --retry-failed 20261122t224501-1a2b3c4d`,
			Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
				fs.BoolVar(&r.Rebuild, "rebuild", false, "build unchanged targets too")
				fs.StringVar(&r.RetryFailed, "retry-failed", "", "build only the targets of this RUN that did not succeed")
				bindParallel(fs, r)
				bindPin(fs, r)
			},
		},
		collectVerb(),
		publishVerb(),
		{
			Action: hybridcore.ActionStatus, Args: "[IMAGE...]", Short: "Show what was last built, and what is running",
			Long: `Status reads the state: the last good build of each target with its artifact,
running builds, releases that are not complete, and runs that ended without saying so.
With --live it asks the platforms whether what was built is still there.`,
			Example: `  packer-hybrid status
  packer-hybrid status --env prod --live
  packer-hybrid status debian-12 --env prod --output json`,
			Bind: bindLook,
		},
		{
			Action: hybridcore.ActionReap, Args: "[IMAGE...]", Short: "Remove what dead runs left on the platforms",
			Long: `Reap looks for runs that ended without saying so, and removes from their
platforms the machines that carry the run's name and mark: never a template, never
anything of a run that lives. A build does the same for its own targets first. Only
a second look, ten minutes later, says that nothing is left: things may come late.`,
			Example: `  packer-hybrid reap --dry-run
  packer-hybrid reap debian-12 --env prod`,
			Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
				fs.BoolVar(&r.DryRun, "dry-run", false, "list what would be removed")
			},
		},
		Free(),
		parityVerb(),
		driftVerb(),
	}
}

func planVerb() Verb {
	return Verb{
		Action: hybridcore.ActionPlan, Args: "[IMAGE...]", Short: "Show which targets would be built, and why",
		Long: `Plan reads templates, variable files, configuration and state, and says which
targets (image × platform) would be built and for which reason, down to the file
and line that changed. With --base it compares the working tree with a commit
instead of the last builds, and needs neither state nor Packer. It changes
nothing and starts no builder. With --live it asks the platforms whether what was
built is still there: what is gone would be built again, as build does.`,
		Example: `  packer-hybrid plan
  packer-hybrid plan --env prod --live
  packer-hybrid plan --base main... --output markdown
  packer-hybrid plan debian-12 --env prod --targets vsphere
  packer-hybrid plan --output json --detailed-exitcode`,
		Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
			fs.BoolVar(&r.Rebuild, "rebuild", false, "plan targets as if nothing had been built")
			fs.BoolVar(&r.DetailedExitCode, "detailed-exitcode", false, "exit 4 when changes are pending")
			fs.StringVar(&r.Base, "base", "",
				"compare with this commit, branch or tag; with ... after it, with its merge base with HEAD")
			fs.BoolVar(&r.All, "all", false, "list unchanged targets too")
			bindLook(fs, r)
		},
	}
}

func validateVerb() Verb {
	return Verb{
		Action: hybridcore.ActionValidate, Args: "[IMAGE...]", Short: "Check templates and variables, building nothing",
		Long: `Validate checks every target inside this process, with the schemas of the real
plugins: it needs no Packer, no plugin and no credentials, and contacts nothing.
With --full the real plugins check every target as well, started directly: the
verdicts are Packer's own, in a fraction of the time; it needs Packer, the
plugins and values for all variables. It also asks each installed plugin once for
its settings, by which validate goes from then on. With --with packer it stages every target
and lets Packer and its plugins check it, as a build would begin. A tree that
was found valid, or wrong in form, and has not changed since is answered from a
cache, and the answer says so. With --waiver-template it prints the blocks for
waivers.hcl that would accept what blocks, to be filled in and reviewed.`,
		Example: `  packer-hybrid validate --env lab
  packer-hybrid validate debian-12 --targets vsphere
  packer-hybrid validate --full
  packer-hybrid validate --with packer
  packer-hybrid validate --waiver-template`,
		Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
			fs.StringVar(&r.With, "with", "", "let these check, after this process: packer, or plugins (see --full)")
			fs.BoolFunc("full", "the same as --with plugins: verdicts as Packer's, by the real plugins", func(on string) error {
				if on == "true" {
					r.With = hybridcore.WithPlugins
				}
				return nil
			})
			fs.BoolVar(&r.NoCache, "no-cache", false, "check anew although nothing changed since the last verdict")
			bindWaiverTemplate(fs, r)
			bindParallel(fs, r)
		},
	}
}

func collectVerb() Verb {
	return Verb{
		Action: hybridcore.ActionCollect, Args: "DIR...",
		Short: "Make one record of a build that ran in parts on several machines",
		Long: `Collect plans as build does, and takes each target's result from what
` + "`build --part`" + ` left below the folders, where every part must be of this commit and
have the digest that is planned here. It compares the images across platforms,
records once, and reports and ends as one build would. A target without a part
failed. It reaches no platform. A second collect of the same parts changes nothing.`,
		Example: `  packer-hybrid collect parts --env prod
  packer-hybrid collect artifacts/parts --image debian-12`,
		Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
			fs.BoolVar(&r.Rebuild, "rebuild", false, "the parts were planned with --rebuild")
			bindCommit(fs, r)
		},
	}
}

func publishVerb() Verb {
	return Verb{
		Action: hybridcore.ActionPublish, Args: "[IMAGE...]",
		Short: "Mark what was built as a release, everything or nothing",
		Long: `Publish releases images on all their platforms: every target must be built from
this tree, the platforms must have the same content (templates/parity.hcl), and
every artifact must be there, looked up live. Only then each is marked: notes and
a tag on Proxmox VE, notes and the description of the library item on vSphere, a
tag on Azure; nothing of what is there is changed. The release is recorded and
written to artifacts/release.json. After an interruption status names the release;
run publish again: it completes what is missing. A release never changes its
artifacts.

The release is called like the tag at HEAD; without one like the day of the newest
build and the commit.`,
		Example: `  packer-hybrid publish --env prod --dry-run
  packer-hybrid publish --env prod
  packer-hybrid publish debian-12 --env prod --release v1.4.0`,
		Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
			fs.StringVar(&r.Release, "release", "", "name of the release: 1 to 64 of a-z, 0-9, '.', '_' and '-'")
			fs.BoolVar(&r.DryRun, "dry-run", false, "check everything, and mark nothing")
			bindCommit(fs, r)
		},
	}
}

// Free is the verb that releases the lease of a target. At a terminal it is one of the verbs of a state.
func Free() Verb {
	return Verb{
		Action: hybridcore.ActionFree, Args: "TARGET --reason TEXT", Short: "Release the lease of a run that is gone",
		Long: `Release gives a target free whose holder does not live any more, although nothing
tells so: its host is gone. Who did it, when and why is recorded; inspect shows the
record, and status the former holder's run, for which reap and the next build look.
A holder that lives after all learns of it, and its result does not count.

A holder that is known to live is never released: cancel it. One that renewed its
lease in the last two minutes is released with --force only, at a terminal.`,
		Example: `  packer-hybrid lease release debian-12@vsphere --reason "host ci-3 burnt down"
  packer-hybrid lease release debian-12@vsphere --env prod --reason "runner was deleted" --force`,
		Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
			fs.StringVar(&r.Origin.Reason, "reason", "", "why: it is recorded")
		},
	}
}

func parityVerb() Verb {
	return Verb{
		Action: hybridcore.ActionParity, Args: "[IMAGE...]", Short: "Compare images across platforms and over time",
		Long: `Parity compares the inventories that builds took inside their guests: of one
image on all its platforms, category by category, and with an earlier run. What
templates/parity.hcl does not expect is unexpected, and exits 3 where its policy
says block. An image that is built for one platform only is compared with its
previous build. With --allow-template it prints the entries for that file that
would allow what is unexpected, to be filled in and reviewed.`,
		Example: `  packer-hybrid parity
  packer-hybrid parity debian-12 --env prod --record 20261122t224501-1a2b3c4d
  packer-hybrid parity debian-12 --against 20261101t080000-5e6f7a8b
  packer-hybrid parity debian-12 --allow-template`,
		Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
			fs.StringVar(&r.Record, "record", "", "compare what this run built (default: what is current)")
			fs.StringVar(&r.Against, "against", "", "also report what changed since this run")
			fs.BoolVar(&r.WaiverTemplate, "allow-template", false,
				"print the entries of templates/parity.hcl that would allow what is unexpected, instead of the answer")
		},
	}
}

func bindWaiverTemplate(fs *pflag.FlagSet, r *hybridcore.Request) {
	fs.BoolVar(&r.WaiverTemplate, "waiver-template", false,
		"print the waivers that would accept what blocks, to be filled in, instead of the answer")
}

func driftVerb() Verb {
	return Verb{
		Action: hybridcore.ActionDrift, Args: "[IMAGE...]", Short: "Show what is not as it was recorded, and since when",
		Long: `Drift compares what is with what the last builds recorded: templates, variables,
plugins, the lock and its checkouts, and the records themselves. With --live it asks
the platforms for what was built, with --upstream publishers, as sources/upstream.hcl
says: whether tags of pinned repositories were moved, whether installation media are
published as they are named and pinned, which releases are newer. It changes nothing
but the note of when a finding was first seen. It exits 3 when a finding blocks, and 1
when something that was asked for could not be looked at.`,
		Example: `  packer-hybrid drift
  packer-hybrid drift --env prod --live --upstream
  packer-hybrid drift debian-12 --env prod --live --output json
  packer-hybrid drift --live --waiver-template`,
		Bind: func(fs *pflag.FlagSet, r *hybridcore.Request) {
			fs.BoolVar(&r.Look, "live", false, "ask the platforms whether what was built is there as it was recorded")
			fs.BoolVar(&r.Upstream, "upstream", false, "ask publishers what of tags, media and releases is published now")
			fs.BoolVar(&r.Deep, "deep", false, "read all records and what they refer to, not only those of current images")
			bindWaiverTemplate(fs, r)
		},
	}
}

func bindLook(fs *pflag.FlagSet, r *hybridcore.Request) {
	fs.BoolVar(&r.Look, "live", false, "ask the platforms whether what was built is still there")
}
