// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:45:29Z
// Spec: openspec/specs/repository/spec.md#requirement-forges
// Diagram: openspec/specs/repository/diagram.md#layers

// Package forge is the common ground of the platforms of code hosting, with their
// CI systems: what each of them has, bounds of talking to one, and what its runs came
// to. Each has a folder below with all that it alone needs; the table that knows all
// of them is in forge/forges.
package forge

import (
	"context"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Forge is one platform of code hosting with its CI system. What it does not have is nil.
type Forge struct {
	Name    string // in flags, requests and the names of files
	Title   string // for people
	Prefix  string // of variables of the environment, with which its tokens begin
	Jobs    Jobs
	Reports Reports
	Runs    Runs
}

// Reports is the forge as who reports a run to it.
type Reports struct {
	Access func(Getenv) post.Access
	// Address is where a job reports, but for what every job knows.
	Address func(Getenv, ci.Job) post.Address
	// Needs names what reports need, and says what it must be for.
	Needs string
	// Without says what a job leaves out that does not have it.
	Without string
}

// Runs is the forge as who asks for its runs, and follows them.
type Runs struct {
	Open func(Config) (System, error)
	// Mine are the run that a job is of, and whom tickets for it may be addressed to.
	Mine func(Getenv) (id string, mine []policy.Audience)
	// Older names an older run of the same request; empty for none. An UnsureError
	// says that the forge does not tell.
	Older  func(ctx context.Context, getenv Getenv, request string) (string, error)
	Events func(Getenv) dispatch.Source
}

// Config says where runs are asked for.
type Config struct {
	Getenv     Getenv
	Repository string // empty: what the environment names
	File       string // of the workflow or pipeline; empty: the forge's usual one
}

// System asks for runs and follows them.
type System interface {
	cirun.Dispatcher
	cirun.Follower
	Described
}

// Described says what keeps a system from its work, and whom its tickets are for.
type Described interface {
	Check(ctx context.Context, ref string) []string
	Audience() policy.Audience
}
