// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:46:28Z
// Spec: openspec/specs/bot/spec.md#requirement-check-before-the-first-command
// Diagram: openspec/specs/bot/diagram.md#a-check

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// checkedBot is a policy; the group is of Slack, the image of the catalogue.
const checkedBot = `
bot {
  teams    = ["T0001"]
  channels = ["C0001"]
  role "operator" {
    groups = ["S0001"]
    allow {
      verbs        = ["*"]
      environments = ["lab"]
      images       = ["IMAGE"]
    }
  }
}
`

// checkBot runs bot --check for the project of init with a policy.
func checkBot(t *testing.T, image, ci string, environ ...string) (int, string) {
	t.Helper()
	dir := t.TempDir()
	var out, errs bytes.Buffer
	run := func(args ...string) int {
		a := &app{Frame: cli.Frame{
			Raw:     cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs},
			Environ: append(environ, "HOME="+dir, "PATH="+os.Getenv("PATH")),
		}}
		return a.run(t.Context(), args)
	}
	if code := run("init", dir); code != 0 {
		t.Fatal(errs.String())
	}
	file := filepath.Join(dir, "packer-hybrid.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(text, strings.Replace(checkedBot, "IMAGE", image, 1)...), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	code := run("bot", "--check", "--ci", ci, "--repository", "o/r", "-C", dir)
	return code, out.String() + errs.String()
}

// TestBotCheck has the verb ask a Slack and a CI system that are right, then
// ones where everything is wrong: all of it is said at once.
func TestBotCheck(t *testing.T) {
	t.Parallel()
	workflow, err := os.ReadFile("../../.github/workflows/images.yml")
	if err != nil {
		t.Fatal(err)
	}
	pipeline, err := os.ReadFile("../../.gitlab-ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	commit := strings.Repeat("c0ffee00", 5)
	chat, err := slack.Start(t.Context(), slack.Config{
		Token: "xoxb-1", AppToken: "xapp-1", Team: "T0001", Channels: []string{"C0001"}, Users: []string{"U0001"},
		Groups: map[string][]string{"S0001": {"U0001"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	away, err := slack.Start(t.Context(),
		slack.Config{Token: "xoxb-1", Team: "T0002", Strange: []string{"C0001"}, Scopes: []string{"channels:history"}})
	if err != nil {
		t.Fatal(err)
	}
	hub, err := github.Start(t.Context(), github.Config{
		Repository: "o/r", Token: jobToken, Commits: []string{commit}, Branch: "main",
		Workflows: map[string]github.Workflow{"images.yml": {Text: string(workflow)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	shut, err := github.Start(t.Context(), github.Config{
		Repository: "o/r", Token: jobToken, Commits: []string{commit}, Branch: "main", Denied: []string{"actions"},
		Workflows: map[string]github.Workflow{"images.yml": {Text: "on: push\n", Off: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lab, err := gitlab.Start(t.Context(), gitlab.Config{
		Project: "o/r", ID: 7, Token: jobToken, Self: gitlab.User{ID: 90, Username: "bot", Level: gitlab.Developer},
		Refs: map[string]string{"main": commit}, Pipeline: string(pipeline),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, server := range []interface{ Close() error }{chat, away, hub, shut, lab} {
		t.Cleanup(func() { _ = server.Close() })
	}
	key := "PACKER_HYBRID_TICKET_KEY=" + ticketKey
	tokens := []string{
		"SLACK_BOT_TOKEN=xoxb-1", "SLACK_APP_TOKEN=xapp-1", "GITHUB_TOKEN=" + jobToken,
		"GITLAB_TOKEN=" + jobToken, "GITLAB_API_URL=" + lab.URL(),
	}
	right := append([]string{key, "SLACK_API_URL=" + chat.API(), "GITHUB_API_URL=" + hub.URL()}, tokens...)
	for _, ci := range []string{"github", "gitlab"} {
		if code, said := checkBot(t, "debian-12", ci, right...); code != 0 ||
			!strings.Contains(said, "bot: policy, Slack and the CI system are right; main is at c0ffee00c0ff") {
			t.Errorf("--ci %s: exit code %d\n%s", ci, code, said)
		}
	}
	if code, said := checkBot(t, "debian-12", "github",
		append([]string{"PACKER_HYBRID_TICKET_KEY=c2hvcnQ="}, right[1:]...)...); code != 2 ||
		!strings.Contains(said, "PACKER_HYBRID_TICKET_KEY: key 1 has 5 bytes, and needs 32: make one with `openssl rand "+
			"-base64 32`") {
		t.Errorf("with a short key: exit code %d\n%s", code, said)
	}
	code, said := checkBot(t, "debain-12", "github",
		append([]string{"SLACK_API_URL=" + away.API(), "GITHUB_API_URL=" + shut.URL()}, tokens...)...)
	for _, want := range []string{
		`unknown image "debain-12" (did you mean "debian-12"?)`,
		"SLACK_APP_TOKEN: asking Slack for a connection of Socket Mode: ", `is of the workspace "T0002"`,
		"PACKER_HYBRID_TICKET_KEY is not set: make one with `openssl rand -base64 32`",
		"lacks the scopes commands, chat:write, usergroups:read, groups:history",
		"asking Slack for the channel C0001: not_in_channel",
		"has no workflow_dispatch below on", "the workflow images.yml is switched off",
		"give the bot's token or app the permission actions: write",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q", want)
		}
	}
	if code != 2 || strings.Contains(said, jobToken) || strings.Contains(said, "xoxb-1") || len(shut.Runs()) > 0 {
		t.Errorf("exit code %d, runs %v\n%s", code, shut.Runs(), said)
	}
	if t.Failed() {
		t.Log(said)
	}
}
