// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:24:03Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// TestBuild follows a command from the door to its run.
func TestBuild(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	b.say("U0001", "build debian-12 --targets proxmox,vsphere")
	b.seen("build debian-12 --targets proxmox,vsphere --env lab", "Running")
	orders := b.ci.taken()
	if len(orders) != 1 {
		t.Fatalf("%d runs were asked for", len(orders))
	}
	o := orders[0]
	if o.Line != "build debian-12 --targets proxmox,vsphere --env lab" || o.Ref != "main" || o.Commit != commitA {
		t.Errorf("the order is %+v", o)
	}
	ticket, err := b.keys.Open(o.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	site, err := b.site()
	if err != nil {
		t.Fatal(err)
	}
	if d := policy.Recheck(site.Bot, ticket, commitA); !d.Allow || ticket.Request != o.Request ||
		ticket.Person.User != "U0001" {
		t.Errorf("the ticket %+v is decided on as %+v", ticket, d)
	}
	want := []policy.Cell{
		{Env: "lab", Image: "debian-12", Platform: "proxmox"},
		{Env: "lab", Image: "debian-12", Platform: "vsphere"},
	}
	if diff := cmp.Diff(want, ticket.Cells); diff != "" {
		t.Error(diff)
	}
	audit := b.log.lines(t, "decision")
	if len(audit) != 2 || audit[1]["at"] != "dispatch" || audit[1]["allow"] != true || audit[0]["at"] != "intake" ||
		audit[0]["allow"] != true || audit[0]["user"] != "U0001" ||
		audit[0]["targets"] != "debian-12@proxmox,debian-12@vsphere" ||
		audit[0]["request"] != o.Request || audit[0]["rule"] != "role developer, allow (packer-hybrid.hcl:17)" {
		t.Errorf("audit: %v", audit)
	}
	messages := b.slack.Messages()
	if len(messages) < 2 || messages[0].Method != "chat.postMessage" || messages[len(messages)-1].TS != messages[0].TS {
		t.Errorf("the run has not one message that is edited: %+v", messages)
	}
	b.clean()
}

// TestSocket does the same over Socket Mode: over another connection, once
// however often Slack sends it, and after a restart.
func TestSocket(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(true)
	deliver := func(e slack.Envelope) {
		t.Helper()
		if err := b.slack.Deliver(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	build := b.slack.SlashEnvelope(from("U0001"), "build debian-12 --targets proxmox")
	deliver(build)
	m := b.seen("build debian-12", "Running", "ph-cancel")
	b.slack.Disconnect("refresh_requested")
	b.say("U0001", "biuld ubuntu-24.04") // over the next connection
	b.seen("Try: /packer-hybrid build ubuntu-24.04")
	id := b.ci.taken()[0].Request
	deliver(build)
	build.Attempt = 1 // Slack did not see the acknowledgement
	deliver(build)
	b.stop()
	b.start(true)
	build.Attempt = 2
	deliver(build)
	deliver(b.slack.PressEnvelope(from("U0002"), "ph-cancel", id))
	b.seen("Cancelling")
	repeated := func(lines []map[string]any) bool {
		n := 0
		for _, line := range lines {
			if line["rule"] == "once" && line["allow"] == false && line["user"] == "U0001" {
				n++
			}
		}
		return n == 3
	}
	for _, line := range b.log.wait(t, "decision", repeated) {
		if line["door"] != "socket" {
			t.Errorf("audit: %v", line)
		}
	}
	if n := len(b.ci.taken()); n != 1 || m.Channel != "C0001" {
		t.Errorf("%d runs; message: %+v", n, m)
	}
	b.clean()
}

// TestSocketLate opens a connection when Slack lets it at last, and says meanwhile
// why there is none.
func TestSocketLate(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	if err := b.slack.Faults().Load(
		"POST /api/apps.connections.open nth=1 status=500\nGET /link/ nth=1 drop"); err != nil {
		t.Fatal(err)
	}
	b.start(true)
	b.say("U0001", "help")
	b.seen("/packer-hybrid cancel RUN")
	if lines := b.log.lines(t, "no connection to Slack"); len(lines) != 2 ||
		!strings.Contains(fmt.Sprint(lines[0]), "500 Internal Server Error") || lines[1]["again_in"] == nil {
		t.Errorf("the log says %v", lines)
	}
	b.clean()
}

// TestAnswers are commands that are answered at once, to their user alone.
func TestAnswers(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	for text, want := range map[string]string{
		"help":                              "/packer-hybrid cancel RUN",
		"biuld debian-12 --tagets vsphere":  "Try: /packer-hybrid build debian-12 --targets vsphere",
		"build debain-12":                   `unknown image "debain-12" (did you mean "debian-12"?)`,
		"build --env pord":                  `unknown environment "pord" (did you mean "prod"?)`,
		"build --env lab --targets xen":     "Try: /packer-hybrid build",
		"cancle x":                          "Try: /packer-hybrid cancel RUN",
		"cancel 20261122t224501-1a2b3c4d":   "no run 20261122t224501-1a2b3c4d of this channel is known",
		"approve 20261122t224501-1a2b3c4d":  "Try: /packer-hybrid approve RUN COMMIT",
		"retry":                             "no command of this channel that failed is known",
		"runs":                              "No commands of this channel are known",
		"build debian-12 -- -var-file=/etc": "nothing is passed through to Packer",
	} {
		b.say("U0001", text)
		m := b.seen(strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(want))
		if m.User != "U0001" {
			t.Errorf("%q was answered to everybody: %+v", text, m)
		}
	}
	if orders := b.ci.taken(); len(orders) > 0 {
		t.Errorf("runs were asked for: %+v", orders)
	}
	b.clean()
}

// TestForm opens the form, and builds what it is filled in with.
func TestForm(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.start(false)
	b.say("U0001", "")
	b.wait("the form", func(_ []slack.Message, views []slack.View) bool { return len(views) == 1 })
	for _, part := range []string{"debian-12", "ubuntu-24.04", "vsphere", "prod"} {
		if !strings.Contains(b.slack.Views()[0].JSON, part) {
			t.Errorf("the form does not offer %s", part)
		}
	}
	if status, body, err := b.slack.Submit(t.Context(), b.door, from("U0001"),
		slack.Filled{Image: "debian-12", Env: "lab", Platforms: []string{"vsphere", "azure"}}); err != nil || status != 200 ||
		body != "" {
		t.Fatalf("%d %q %v", status, body, err)
	}
	b.seen("build debian-12 --env lab --targets vsphere,azure", "Running")
	b.clean()
}
