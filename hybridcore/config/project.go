// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:13Z
// Spec: openspec/specs/config/spec.md#requirement-the-project-file
// Diagram: openspec/specs/config/diagram.md#the-project-file

// Package config reads the project file packer-hybrid.hcl and resolves the
// variables of a target from their layers, with the place of every value.
package config

import (
	"cmp"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// FileName is the name of the project file.
const FileName = "packer-hybrid.hcl"

// Defaults of the project file. CancelGrace follows from Azure, whose deletion
// of a build's resources takes minutes.
const (
	DefaultParallel    = 2
	DefaultCancelGrace = 5 * time.Minute
	DefaultStatePath   = "state"

	maxParallel    = 64
	minCancelGrace = time.Second
	maxCancelGrace = time.Hour
)

// Project is the content of the project file.
type Project struct {
	Root         string // absolute path of the folder that holds the file
	Name         string
	DefaultEnv   string
	Environments []Environment // in the order of the file
	State        State
	Build        Build
	CI           CI
	Merge        Merge
	Bot          Bot
}

// Environment is one environment that images are built for; its values are
// below configs/NAME/.
type Environment struct {
	Name      string
	Prod      bool                  // stricter rules apply
	Clean     bool                  // only what a commit has is built; that of Prod when the file does not say
	Platforms []hybridcore.Platform // those it has; all when the file names none
	Parallel  int                   // targets built at once; that of Build when the file names none
	Line      int                   // of its block
}

// Backends of the state.
const (
	BackendDirectory = "directory"
	BackendGit       = "git"
	BackendBucket    = "bucket"
)

// State says where records and the current state are kept.
type State struct {
	Backend string
	Path    string // of a directory: relative to the root, slash-separated, or whole when the environment names it

	Repository string // of git: its address; empty for the project's own
	Ref        string // of git: whole name; empty for the backend's own
	Sign       bool   // of git: whether its commits are signed

	URL string // of a bucket: its address

	Named bool // by the environment of the process, and not by a file of the project

	Line int // of its block; 0 when there is none
}

// Place is where people find an object of the state; of an empty name, the state.
func (s State) Place(object string) string {
	if s.Backend == BackendDirectory {
		return path.Join(s.Path, object)
	}
	if s.Backend == BackendBucket {
		address, _, _ := strings.Cut(s.URL, "?")
		return strings.TrimSuffix(address+"/"+object, "/")
	}
	place := cmp.Or(s.Ref, "the state's ref") + " of " + cmp.Or(s.Repository, "the project's repository")
	if object == "" {
		return place
	}
	return object + " in " + place
}

// Build holds the settings of builds.
type Build struct {
	Parallel    int           // targets built at once, 1 to 64
	CancelGrace time.Duration // from SIGTERM to SIGKILL of a cancelled Packer, 1s to 1h
}

// CI holds the command lines that events of a CI system run, and the runners
// that parts of a build run on. Nil leaves an event to the default, an empty list
// does nothing.
type CI struct {
	Change   []string // a pull or merge request is new or has new commits
	Merge    []string // a push to the default branch
	Tag      []string
	Schedule []string
	// Runners are the labels (GitHub) or tags (GitLab) of the runners that build
	// for a platform; a platform that is not named has those of the system.
	Runners map[hybridcore.Platform][]string
	// Unmerged are the environments that a commit may be built for before it is
	// merged, once somebody has approved it.
	Unmerged []string
	// ChangeEnvironments are those that a change is planned for where a line names
	// none; nil: all.
	ChangeEnvironments []string
	Line               int // of the block; 0: there is none
}

// Merge says what a merge to the default branch is built for.
type Merge struct {
	// Environments are built for in this order: the first by the push, each other one
	// once those before are built and somebody has approved it. None: the default one.
	Environments []string
	Line         int // of the block; 0: there is none
}

// Environment returns the environment of that name, the default one for an
// empty name, or a UsageError that lists the declared ones.
func (p Project) Environment(name string) (Environment, error) {
	if name == "" {
		name = p.DefaultEnv
	}
	var names []string
	for _, env := range p.Environments {
		if env.Name == name {
			return env, nil
		}
		names = append(names, env.Name)
	}
	return Environment{}, hybridcore.Usagef("unknown environment %.80q%s; %s declares: %s", name,
		text.DidYouMean(name, names), FileName, strings.Join(names, ", "))
}

// Has says whether the environment has a platform.
func (e Environment) Has(platform hybridcore.Platform) bool {
	return slices.Contains(e.Platforms, platform)
}
