// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T18:08:34Z
// Spec: openspec/specs/security/spec.md#requirement-tickets-are-signed-and-used-once
// Diagram: openspec/specs/bot/diagram.md#a-run-on-this-machine

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
)

// TestTicketLocal does runs that the bot starts on this machine: with their ticket,
// with that of another repository, and without the key.
func TestTicketLocal(t *testing.T) {
	t.Parallel()
	j := newTicketJob(t)
	at := j.at
	local := func(request, repository, key string) (int, string) {
		t.Helper()
		ticket := j.seal(j.ticket(func(t *policy.Ticket) {
			t.Audience, t.Request, t.Commit = dispatch.LocalAudience(repository), request, at
		}))
		dir, code, said := j.order(cirun.Order{
			Request: request, Line: ticketPlan, Ref: "main", Commit: at, Ticket: []byte(ticket),
		}, key)
		end, err := os.ReadFile(filepath.Join(dir, "exit.json"))
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		return code, said + string(end)
	}
	for _, test := range []struct {
		name, request, repository, key string
		code                           int
		says                           string
	}{
		{"its ticket", ticketRequest, j.dir, ticketKey, 0, "debian-12@vsphere"},
		{
			"another repository", "20261123t050000-00000002", "/srv/other", ticketKey, 3,
			"the bot's ticket is not for this job: it is for local",
		},
		{"no key", "20261123t050000-00000003", j.dir, "", 3, "PACKER_HYBRID_TICKET_KEY is not set"},
	} {
		if code, said := local(test.request, test.repository, test.key); code != test.code ||
			!strings.Contains(said, test.says) {
			t.Errorf("%s: exit code %d, want %d and %q\n%s", test.name, code, test.code, test.says, said)
		}
	}

	// A commit of another branch: by the rules of the one that the repository has checked out.
	const unmerged = "unmerged = [\"lab\"]"
	allow := func(message string) {
		j.edit("packer-hybrid.hcl", "# "+unmerged, unmerged)
		j.git("commit", "-q", "-a", "-m", message)
	}
	j.git("checkout", "-q", "-b", "develop")
	allow("what it may do, says itself")
	text, err := os.ReadFile(filepath.Join(j.dir, ".git", "refs", "heads", "develop"))
	if err != nil {
		t.Fatal(err)
	}
	at = strings.TrimSpace(string(text))
	j.git("checkout", "-q", "main")
	code, said := local("20261123t050000-00000004", j.dir, ticketKey)
	if code != 3 || !strings.Contains(said, "the project file of that branch has no `unmerged = ") {
		t.Errorf("a commit that is not merged: exit code %d\n%s", code, said)
	}
	j.edit("README.md", "", "\nwords\n")
	allow("commits that are not merged")
	code, said = local("20261123t050000-00000005", j.dir, ticketKey)
	if code != 3 || !strings.Contains(said, "is not merged, and nobody has approved it in Slack") {
		t.Errorf("a commit that nobody has approved: exit code %d\n%s", code, said)
	}
}
