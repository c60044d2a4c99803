// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:06:27Z
// Spec: openspec/specs/reports/spec.md#requirement-progress-of-a-build
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package live

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
)

func TestConsole(t *testing.T) {
	events := []hybridcore.Event{
		{Target: "debian-12@vsphere", Kind: hybridcore.EventStart, Text: "packer 1.15.0"},
		{
			Target: "debian-12@vsphere", Kind: hybridcore.EventStep, Text: "Creating virtual machine...",
			Elapsed: 1234 * time.Millisecond,
		},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventOutput, Text: "ok: [default]", Elapsed: 2 * time.Second},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventError, Text: "no such ISO", Elapsed: 3 * time.Second},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventNote, Text: "cancelling", Elapsed: 3 * time.Second},
		{Target: "debian-12@vsphere", Kind: hybridcore.EventDone, Text: "failed", Elapsed: 4 * time.Second},
	}
	play := func(style checks.Style, verbose bool) string {
		var out bytes.Buffer
		c := NewConsole(&out, style, verbose)
		for _, e := range events {
			c.Event(e)
		}
		c.Close()
		return out.String()
	}
	goldentest.Compare(t, "console.txt", play(checks.Style{}, false))
	if out := play(checks.Style{}, true); !strings.Contains(out, "ok: [default]") {
		t.Errorf("--verbose hides output:\n%s", out)
	}
	live := play(checks.Style{Live: true, Color: true}, false)
	for _, want := range []string{"Creating virtual machine...", "no such ISO", "\x1b[31merror"} {
		if !strings.Contains(live, want) {
			t.Errorf("live output lacks %q:\n%q", want, live)
		}
	}
}
