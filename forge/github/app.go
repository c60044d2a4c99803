// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:57:00Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

package github

import (
	"os"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// maxKey bounds the file of an app's key, in bytes.
const maxKey = 64 << 10

// open asks for runs as the environment says.
func open(c forge.Config) (forge.System, error) {
	config := RunsConfig{
		API: c.Getenv("GITHUB_API_URL"), Repository: c.Repository, Workflow: c.File, Token: c.Getenv("GITHUB_TOKEN"),
	}
	if config.Repository == "" {
		config.Repository = c.Getenv("GITHUB_REPOSITORY")
	}
	if err := app(c.Getenv, &config); err != nil {
		return nil, err
	}
	return NewRuns(config)
}

// app reads the settings of a GitHub App, when they are there.
func app(env forge.Getenv, c *RunsConfig) error {
	if env("GITHUB_APP_ID") == "" {
		return nil
	}
	for name, into := range map[string]*int64{"GITHUB_APP_ID": &c.App, "GITHUB_APP_INSTALLATION_ID": &c.Install} {
		n, err := strconv.ParseInt(env(name), 10, 64)
		if err != nil || n < 1 {
			return hybridcore.Usagef("%s is no number of GitHub's", name)
		}
		*into = n
	}
	path := env("GITHUB_APP_KEY_FILE")
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return hybridcore.Usagef("GITHUB_APP_KEY_FILE: %v", err)
	case !info.Mode().IsRegular() || info.Size() > maxKey || info.Mode().Perm()&0o077 != 0:
		return hybridcore.Usagef("GITHUB_APP_KEY_FILE: %s must be a file that its owner alone can read (chmod 600)", path)
	}
	if c.Key, err = os.ReadFile(path); err != nil {
		return hybridcore.Usagef("GITHUB_APP_KEY_FILE: %v", err)
	}
	return nil
}
