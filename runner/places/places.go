// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:46Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

// Package places says where a process may keep files, by its environment. In a job of
// a CI system none of these folders lies where a checkout can put files.
package places

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// logsVariable names the folder of the logs, in place of the job's or the project's.
const logsVariable = "PACKER_HYBRID_LOGS"

// Env is the environment of a process: KEY=VALUE; the last one of a name wins, as in
// a shell.
type Env []string

// Getenv is the value of a variable, empty for none.
func (e Env) Getenv(name string) string {
	value, _ := e.LookupEnv(name)
	return value
}

// LookupEnv is the value of a variable, and whether it is set at all.
func (e Env) LookupEnv(name string) (value string, set bool) {
	return hybridcore.LookupEnv(e, name)
}

// TempDir is where a job may keep files: GitHub's runner gives each job a folder
// that it clears.
func (e Env) TempDir() string {
	return cmp.Or(e.Getenv("RUNNER_TEMP"), e.Getenv("TMPDIR"), os.TempDir())
}

// JobDir is the folder of what a CI job keeps for itself, and for the steps and
// jobs that come after it on the same machine. It is not in the checkout, and an
// error when it is.
func (e Env) JobDir(project string) (string, error) {
	dir := filepath.Join(e.TempDir(), "packer-hybrid")
	if e.Getenv("RUNNER_TEMP") == "" { // shared with other users of the machine
		dir += "-" + strconv.Itoa(os.Getuid())
	}
	if tree := e.treeOf(dir, project); tree != "" {
		return "", hybridcore.Blockedf(
			"the folder for what a job keeps, %s, lies in the working tree %s, where a checkout can put files: set %s to a "+
				"folder outside of it",
			dir, tree, e.tempVariable())
	}
	return dir, nil
}

// treeOf is the working tree that a folder lies in: the project's, or the one
// that the CI system checks out into. It is empty for none.
func (e Env) treeOf(dir, project string) string {
	for _, tree := range append([]string{safefile.WorkTree(project)}, forges.Workspaces(e.Getenv)...) {
		if tree != "" && safefile.Inside(dir, tree) {
			return tree
		}
	}
	return ""
}

func (e Env) tempVariable() string {
	if e.Getenv("RUNNER_TEMP") != "" {
		return "RUNNER_TEMP"
	}
	return "TMPDIR"
}

// MakeJobDir is JobDir, made and found to be this user's own.
func (e Env) MakeJobDir(project string) (string, error) {
	dir, err := e.JobDir(project)
	if err != nil {
		return "", err
	}
	made, err := safefile.Private(dir)
	if err != nil {
		return "", &hybridcore.BlockedError{Msg: "the folder for what a job keeps is not usable", Err: err}
	}
	return dir, made.Close() //nolint:wrapcheck // nothing was written through it
}

// Outboxes is the folder of the reports that jobs could not send.
func Outboxes(JobDir string) string { return filepath.Join(JobDir, "outbox") }

// LogDir is the folder of the logs: in the project, but in a CI job outside of
// the checkout.
func (e Env) LogDir(project config.Project) (string, error) {
	if dir := e.Getenv(logsVariable); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", hybridcore.Usagef("%s is %q: give the whole path of a folder", logsVariable, dir)
		}
		return filepath.Clean(dir), nil
	}
	if _, err := forges.Detect(e.Getenv); err != nil {
		return filepath.Join(project.Root, "logs"), nil //nolint:nilerr // no job: the working tree is the user's own
	}
	dir, err := e.MakeJobDir(project.Root)
	return filepath.Join(dir, "logs"), err
}

// CacheDir is where tools, plugins and the lab's root file system are kept.
// Without a whole path there is none: one that is relative would be in the
// checkout, whose programs would be started.
func (e Env) CacheDir() string {
	dir := e.Getenv("PACKER_HYBRID_CACHE")
	if dir == "" {
		dir = filepath.Join(cmp.Or(e.Getenv("XDG_CACHE_HOME"), filepath.Join(e.Getenv("HOME"), ".cache")), "packer-hybrid")
	}
	if !filepath.IsAbs(dir) {
		return filepath.Join(os.DevNull, "packer-hybrid") // nothing is there, and nothing can be put there
	}
	return dir
}

// OwnCache refuses, in a CI job, a cache in the checkout: programs, plugins and
// earlier findings are taken from it.
func (e Env) OwnCache(project string) error {
	if _, err := forges.Detect(e.Getenv); err != nil {
		return nil //nolint:nilerr // no job: the working tree is the user's own
	}
	if tree := e.treeOf(e.CacheDir(), project); tree != "" {
		return hybridcore.Blockedf(
			"the cache %s lies in the working tree %s, where a checkout can put programs: set PACKER_HYBRID_CACHE to a "+
				"folder outside of it", e.CacheDir(), tree)
	}
	return nil
}
