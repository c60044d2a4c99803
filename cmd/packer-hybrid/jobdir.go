// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:46Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package main

import (
	"cmp"
	"os"
	"path/filepath"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// logsVariable names the folder of the logs, in place of the job's or the project's.
const logsVariable = "PACKER_HYBRID_LOGS"

// tempDir is where a job may keep files: GitHub's runner gives each job a folder
// that it clears.
func (a *app) tempDir() string {
	return cmp.Or(a.Getenv("RUNNER_TEMP"), a.Getenv("TMPDIR"), os.TempDir())
}

// jobDir is the folder of what a CI job keeps for itself, and for the steps and
// jobs that come after it on the same machine. It is not in the checkout, and an
// error when it is.
func (a *app) jobDir(project string) (string, error) {
	dir := filepath.Join(a.tempDir(), "packer-hybrid")
	if a.Getenv("RUNNER_TEMP") == "" { // shared with other users of the machine
		dir += "-" + strconv.Itoa(os.Getuid())
	}
	if tree := a.treeOf(dir, project); tree != "" {
		return "", hybridcore.Blockedf("the folder for what a job keeps, %s, lies in the working tree %s, where a checkout can put files: set %s to a folder outside of it",
			dir, tree, a.tempVariable())
	}
	return dir, nil
}

// treeOf is the working tree that a folder lies in: the project's, or the one
// that the CI system checks out into. It is empty for none.
func (a *app) treeOf(dir, project string) string {
	for _, tree := range []string{safefile.WorkTree(project), a.Getenv("GITHUB_WORKSPACE"), a.Getenv("CI_PROJECT_DIR")} {
		if tree != "" && safefile.Inside(dir, tree) {
			return tree
		}
	}
	return ""
}

func (a *app) tempVariable() string {
	if a.Getenv("RUNNER_TEMP") != "" {
		return "RUNNER_TEMP"
	}
	return "TMPDIR"
}

// makeJobDir is jobDir, made and found to be this user's own.
func (a *app) makeJobDir(project string) (string, error) {
	dir, err := a.jobDir(project)
	if err != nil {
		return "", err
	}
	made, err := safefile.Private(dir)
	if err != nil {
		return "", &hybridcore.BlockedError{Msg: "the folder for what a job keeps is not usable", Err: err}
	}
	return dir, made.Close() //nolint:wrapcheck // nothing was written through it
}

// outboxes is the folder of the reports that jobs could not send.
func outboxes(jobDir string) string { return filepath.Join(jobDir, "outbox") }

// logDir is the folder of the logs: in the project, but in a CI job outside of
// the checkout.
func (a *app) logDir(project config.Project) (string, error) {
	if dir := a.Getenv(logsVariable); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", hybridcore.Usagef("%s is %q: give the whole path of a folder", logsVariable, dir)
		}
		return filepath.Clean(dir), nil
	}
	if _, err := ci.Detect(a.Getenv); err != nil {
		return filepath.Join(project.Root, "logs"), nil //nolint:nilerr // no job: the working tree is the user's own
	}
	dir, err := a.makeJobDir(project.Root)
	return filepath.Join(dir, "logs"), err
}

// cacheDir is where tools, plugins and the lab's root file system are kept.
// Without a whole path there is none: one that is relative would be in the
// checkout, whose programs would be started.
func (a *app) cacheDir() string {
	dir := a.Getenv("PACKER_HYBRID_CACHE")
	if dir == "" {
		dir = filepath.Join(cmp.Or(a.Getenv("XDG_CACHE_HOME"), filepath.Join(a.Getenv("HOME"), ".cache")), "packer-hybrid")
	}
	if !filepath.IsAbs(dir) {
		return filepath.Join(os.DevNull, "packer-hybrid") // nothing is there, and nothing can be put there
	}
	return dir
}

// ownCache refuses, in a CI job, a cache in the checkout: programs, plugins and
// earlier findings are taken from it.
func (a *app) ownCache(project string) error {
	if _, err := ci.Detect(a.Getenv); err != nil {
		return nil //nolint:nilerr // no job: the working tree is the user's own
	}
	if tree := a.treeOf(a.cacheDir(), project); tree != "" {
		return hybridcore.Blockedf("the cache %s lies in the working tree %s, where a checkout can put programs: set PACKER_HYBRID_CACHE to a folder outside of it", a.cacheDir(), tree)
	}
	return nil
}
