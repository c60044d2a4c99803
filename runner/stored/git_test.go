// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:20:00Z
// Spec: openspec/specs/state/spec.md#requirement-who-shows-what-to-a-repository
// Diagram: openspec/specs/state/diagram.md#git-ref

package stored

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

var (
	onGitHub = []string{
		"GITHUB_ACTIONS=true", "GITHUB_SERVER_URL=https://github.example", "GITHUB_REPOSITORY=team/images",
		"GITHUB_TOKEN=job",
	}
	onGitLab = []string{
		"GITLAB_CI=true", "CI_PROJECT_URL=https://gitlab.example:8443/team/images", "CI_JOB_TOKEN=job",
	}
)

// TestAccess shows tokens to whom they are for.
func TestAccess(t *testing.T) {
	t.Parallel()
	own := "PACKER_HYBRID_STATE_TOKEN=own"
	for what, of := range map[string]struct {
		environ    []string
		repository string
		named      bool
		user       string
		token      string
	}{
		"GitHub":                        {onGitHub, "https://github.example/team/images.git", false, "x-access-token", "job"},
		"GitHub, another host":          {onGitHub, "https://elsewhere.example/x.git", false, "", ""},
		"GitHub, a host that begins so": {onGitHub, "https://github.example.evil/x.git", false, "", ""},
		"GitHub, a user that looks so":  {onGitHub, "https://github.example@evil.example/x.git", false, "", ""},
		"GitHub, another port":          {onGitHub, "https://github.example:444/x.git", false, "", ""},
		"GitLab": {
			onGitLab, "https://gitlab.example:8443/team/images.git", false, "gitlab-ci-token", "job",
		},
		"GitLab, own token":       {append(onGitLab, own), "https://gitlab.example:8443/x.git", false, anybody, "own"},
		"own token, another host": {append(onGitHub, own), "https://elsewhere.example/x.git", false, "", ""},
		"own token, named":        {append(onGitHub, own), "https://elsewhere.example/x.git", true, anybody, "own"},
		"job's token, named":      {onGitHub, "https://elsewhere.example/x.git", true, "", ""},
		"a terminal":              {[]string{"GITHUB_TOKEN=x"}, "https://github.example/x.git", false, "", ""},
		"over ssh":                {onGitHub, "git@github.com:team/x.git", false, "", ""},
	} {
		env := places.Env(of.environ)
		var job forge.Clone
		if here, err := forges.Detect(env.Getenv); err == nil {
			job = here.Jobs.Clone(env.Getenv)
		}
		user, token := credentials(job, env.Getenv(ownToken), of.repository, of.named)
		if user != of.user || token != of.token {
			t.Errorf("%s: %q %q", what, user, token)
		}
	}
}

// TestOwnRepository finds the repository of the project.
func TestOwnRepository(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, args := range [][]string{
		{"init", "-q", dir}, {"-C", dir, "remote", "add", "origin", "git@forge.example:team/images.git"},
	} {
		if out, err := exec.CommandContext(t.Context(), "git", args...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for what, of := range map[string]struct {
		environ []string
		want    string
	}{
		"GitHub":     {onGitHub, "https://github.example/team/images.git"},
		"GitLab":     {onGitLab, "https://gitlab.example:8443/team/images.git"},
		"a terminal": {nil, "git@forge.example:team/images.git"},
	} {
		got, err := ownRepository(t.Context(), of.environ, dir)
		if err != nil || got != of.want {
			t.Errorf("%s: %q, %v", what, got, err)
		}
	}
	if _, err := ownRepository(t.Context(), nil, t.TempDir()); err == nil {
		t.Error("without a repository there is one")
	}
	project := config.Project{Root: dir, State: config.State{Backend: config.BackendGit}}
	address, err := Address(t.Context(), nil, project)
	if err != nil || address != "git+git@forge.example:team/images.git#"+gitref.DefaultRef {
		t.Errorf("the address for another process is %q, %v", address, err)
	}
	back, found := gitAddress(address)
	if !found || back.Repository != "git@forge.example:team/images.git" || back.Ref != gitref.DefaultRef || !back.Named {
		t.Errorf("it is read as %+v", back)
	}
	if !strings.HasPrefix(address, gitPrefix) {
		t.Error(address)
	}
}
