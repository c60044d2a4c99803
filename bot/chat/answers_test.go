// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:20:52Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#one-command

package chat_test

import (
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
)

// TestAnswersOnlySlack says which addresses for answers are used.
func TestAnswersOnlySlack(t *testing.T) {
	t.Parallel()
	const sim = "http://127.0.0.1:4000"
	real, lab, proxy := chat.New("xoxb-1", "", ""), chat.New("xoxb-1", "", sim+"/api/"), chat.New("xoxb-1", "",
		"https://slack.example.com/api/")
	for address, want := range map[string]bool{
		"https://hooks.slack.com/commands/T1/2/x": true, "https://hooks.slack.com/actions/T1/2/x": true,
		"https://files.slack.com/x":         true,
		"http://hooks.slack.com/commands/x": false, "https://hooks.slack.com.evil.example/x": false,
		"https://evil-slack.com/x":       false,
		"https://slack.com.evil.example": false, "https://evil.example/hooks.slack.com": false,
		"https://evil.example#.slack.com": false,
		"https://evil.example?.slack.com": false, "https://hooks.slack.com@evil.example/x": false,
		"https://user@hooks.slack.com/x": false,
		"https://hooks.slack.com:8443/x": false, "https:hooks.slack.com": false, "//hooks.slack.com/x": false,
		"ftp://hooks.slack.com/x": false,
		"https://127.0.0.1/x":     false, "https://[::1]/x": false, "http://169.254.169.254/latest/meta-data": false,
		"file:///etc/passwd": false,
		"":                   false, "https://": false, "https://evil.example\\.slack.com/": false,
		"https://evil.example%2f.slack.com/": false, sim + "/x": false,
		"https://slack.example.com/x": false, " https://hooks.slack.com/x": false,
	} {
		for name, client := range map[string]*chat.Client{"Slack": real, "a proxy": proxy} {
			if got := client.Answerable(address); got != want {
				t.Errorf("%s: %q is used: %t", name, address, got)
			}
		}
		if got := lab.Answerable(address); got != (want || address == sim+"/x") {
			t.Errorf("with a simulator on loopback %q is used: %t", address, got)
		}
	}
}
