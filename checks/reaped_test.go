// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T18:01:53Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-the-state
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package checks

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestWriteReapedOn(t *testing.T) {
	var out strings.Builder
	err := WriteReapedOn(&out, Style{}, []hybridcore.ReapPart{
		{Platform: hybridcore.Proxmox, Reaped: []hybridcore.Reaped{}},
		{Platform: hybridcore.Azure, Error: "not looked at, because its job left no answer"},
	})
	want := "Proxmox VE:\nno dead run: nothing to reap\n" +
		"Microsoft Azure:\nerror: not looked at, because its job left no answer\n"
	if diff := cmp.Diff(want, out.String()); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestStatusNamesWhatIsUnderWay(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var out strings.Builder
	err := WriteStatus(&out, Style{}, hybridcore.StatusReport{Env: "lab", Releasing: map[string]hybridcore.ReleaseIntent{
		"lab/v1.0.0": {
			RunID: "20261130t110000-00000000", At: now.Add(-time.Hour),
			Builds: map[string]string{"debian-12@vsphere": "r", "debian-12@azure": "r"},
		},
	}}, now)
	want := "releasing: release v1.0.0 of lab, debian-12@azure, debian-12@vsphere, " +
		"begun 1h ago by run 20261130t110000-00000000, is not complete; " +
		"packer-hybrid publish --env lab --release v1.0.0 completes it"
	if err != nil || !strings.Contains(out.String(), want) {
		t.Errorf("%v\n%s", err, out.String())
	}
}
