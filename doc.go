// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:57Z
// Spec: openspec/specs/repository/spec.md#requirement-map-of-the-tree
// Diagram: openspec/specs/repository/diagram.md#layers

// Package packerhybrid is the map of the source tree. The program is in
// cmd/packer-hybrid, its lab in cmd/packer-hybrid-lab; this package only embeds the project that its verb init
// writes.
//
// packer-hybrid builds identical golden images for VMware vSphere, Proxmox VE
// and Azure from one Packer codebase. One request takes one path:
//
//	door → Request → Plan → Results → Record → Report
//
// The folders, in the order in which a request meets them:
//
//	cmd/packer-hybrid        flags and exit codes, one file a verb; what both commands share is in cmd/internal/cli
//	cmd/internal/stateverbs  its verbs state and lease: check, move, copy and repair what runs have recorded
//	hybridcore               the values on the path, the platform table
//	hybridcore/command       the grammar that every door shares: verbs, flags, menus
//	hybridcore/goldentest    holds what code makes to files below testdata, in tests
//	hybridcore/text          text that others wrote: the nearest of some names, and one safe form for each language
//	hybridcore/hclfile       reads somebody else's HCL within bounds of size and nesting
//	hybridcore/config        variable layers with provenance, configs/ENV, the project file
//	hybridcore/templates     HCL to targets: staging, inputs, digests
//	hybridcore/validate      checks staged targets inside the process
//	hybridcore/validate/finding    the rules, and the list of what breaks them
//	hybridcore/validate/schemas    what components take, as the real plugins answered
//	hybridcore/validate/module     what the templates that Packer loads together declare, require and refer to
//	hybridcore/validate/eval       evaluates expressions by Packer's rules, within a fixed amount of work
//	hybridcore/validate/parts      sources, provisioners and others, evaluated and held against the schemas
//	hybridcore/validate/untrusted  what a tree may do that somebody wrote who is not trusted
//	hybridcore/packer        runs packer and turns its event stream into results; in it child, an owned process, and
//	output, what Packer writes
//	hybridcore/provisioners  what a target needs on the machine that builds it, and whether that is there
//	hybridcore/parity        compares the inventories that guests leave, across platforms and over time
//	hybridcore/platforms     the table of live clients: looks up what a build left on a platform, marks releases
//	hybridcore/platforms/platform  their common ground: the interface, bounds of calls, marks, removal of leftovers
//	hybridcore/platforms/proxmox   all that the client of Proxmox VE needs
//	hybridcore/platforms/vsphere   all that the client of vCenter needs
//	hybridcore/platforms/azure     all that the client of Azure needs
//	hybridcore/platforms/platformtest  the suite that the client of every platform passes
//	hybridcore/sources       pins, fetches and checks upstream repositories and plugin binaries
//	hybridcore/sources/git   runs git, and reads commits, trees and lists of files
//	hybridcore/upstream      asks publishers what they publish now, and reads their answers
//	hybridcore/state         records, the current snapshot, locks; survives being killed
//	hybridcore/safefile      opens what may hold other people's links and pipes: own regular files, own folders
//	hybridcore/webapi        what clients of web APIs share: bounds, a look at answers before they are decoded, what
//	they say of limits
//	hybridcore/leaks         finds secrets in plain text in the files of a project
//	hybridcore/waivers       reads what was accepted for a time, with owner and reason
//	hybridcore/logs          console, JSON and file logs behind a redacting writer
//	hybridcore/logs/redact   hides secrets in what is written; in it shape, what credentials look like, and spell, how
//	a value may be written
//	runner                   Do: gives each request to its stage, and returns the answer
//	runner/release           the stage that plans, looks up, marks and records releases
//	runner/build             the stage that builds: lease, staging, Packer, look-up, record; reap
//	runner/live              the stage that asks the platforms whether what was built is still there
//	runner/drift             the stage that says what is not as it was recorded
//	runner/compare           the stage that compares images: parity, what changed since
//	runner/plan              the stage that decides what is to be built and why; explain, validate
//	runner/format            brings templates into canonical form
//	runner/gate              looks for secrets in plain text before anything else, and at what is waived
//	runner/project           what the stages share: the opened project, state, tools, clock
//	runner/places            where a process may keep files, by its environment
//	runner/stored            opens the state where the project or the environment says that it is
//	runner/process           opens the project of a process by its environment, shows progress and answers
//	runner/near              what a job for each platform does, a reap or a look, and the one that puts it together
//	runner/job               a job of a CI system, or of the bot on its machine: requests, phases, reports, tickets
//	runner/ci                an event of a CI system to requests, in words that are the same at each forge
//	checks                   renders plans and records for a terminal, and answers as JSON; in it live, the progress of a
//	build, formats, what programs read (SARIF, JUnit, Code Quality), and summary, the words that all of them share
//	checks/report            what a change is shown: a run or a plan as a comment and as checks
//	bot                      Slack: takes commands, decides, has the CI system run them
//	bot/door                 HTTP and Socket Mode: what Slack sends to commands
//	bot/policy               decides on commands, approvals and tickets
//	bot/store                the bot's queues and jobs in a database
//	bot/cirun                what the bot asks of a CI system, and what came of it
//	bot/jobs                 the commands that are carried out: their states, and how they are kept
//	bot/chat                 Slack's client, and the message of a job
//	bot/work                 takes jobs to their end: asks for runs, follows, cancels, waits for approvals, shows
//	bot/dispatch             runs on the bot's machine, and events of the CI system
//	forge                    common ground of the platforms of code hosting: what each has, bounds, what runs came to
//	forge/post               sends the checks and the comment of a run to a forge, from an outbox on disk
//	forge/github             all that GitHub needs: events, files and log of a job, checks, runs that are asked for
//	forge/gitlab             all that GitLab needs
//	forge/forges             the table of the forges
//	forge/forgetest          what the tests of every forge need
//	lab                      simulated platforms and guests on one machine
//	cmd/packer-hybrid-lab    the lab as a program: what packer-hybrid lab runs; its verbs are in cmd/internal/labverbs
//	cmd/packer-hybrid-bucket  keeps a state in a bucket: the clouds' libraries, for a packer-hybrid that has started it
//	cmd/packer-hybrid-entry  the docker action's entrypoint: gives root up, cleans the environment, starts packer-hybrid
//
// Packages below hybridcore do not import each other; they meet in runner,
// through the values of hybridcore. rules_test.go beside this file holds that
// and the other rules of the tree: who may import what, headers, sizes, docs.
//
// Data and tools:
//
//	packer-hybrid.hcl        the project's own file: environments, platforms, state
//	templates/               the images: common, os/ and platforms/ for Packer, vars/, installers/, ansible/
//	sources/                 the lock of upstream repositories and plugins; checkouts beside it
//	configs/                 variable files of each environment
//	openspec/specs/          what each part must do, with a diagram; file headers cite them
//	plugins/                 a module of its own, what speaks plugin RPC: packer-hybrid-rpc, stand-ins for the lab
//	Dockerfile, action.yml   the container image, and the docker action made of it: docs/container.md
//	docs/schemas/            JSON Schemas of plan, record and release, written by tools/schema
//	bench/                   measured promises: bench/run NAME
//	tools/                   pinned Packer, plugins and linters; tools/treerules checks the tree, tools/pipelines runs
//	its workflows
package packerhybrid
