// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:55:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package platform

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// TestFacts puts what platforms say into one form.
func TestFacts(t *testing.T) {
	t.Parallel()
	f := Facts{}
	f.Set("empty", " \n")
	f.Set("firmware", "e\x1b[31mfi\r\n")
	f.Number("memory", 2048, "MiB")
	f.Number("none", 0, "MiB")
	f.Tag("owner", "")
	f.Notes("mine\nrun 20261102t000000-0badcafe, built by packer-hybrid with Packer 1.15.0\n" +
		"packer-hybrid release v1: debian-12, run 20261102t000000-0badcafe\nrun mad, but nobody built it")
	want := Facts{
		"firmware": "efi", "memory": "2048 MiB", "tag owner": "set", "mark": "20261102t000000-0badcafe",
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	long := strings.Repeat("x", 10_000)
	f.Set("long", long)
	f.Set("longer", long+"y")
	f.Set(long, "1")
	for name, value := range f {
		if len(name) > maxName || len(value) > maxValue {
			t.Errorf("%d bytes of name, %d of value", len(name), len(value))
		}
	}
	if f["long"] == f["longer"] || !strings.Contains(f["long"], "sha256:") {
		t.Errorf("%q and %q", f["long"], f["longer"])
	}
	if got, err := f.Bounded(); err != nil || len(got) != len(f) {
		t.Errorf("%v, %v", got, err)
	}
	for n := range maxFacts {
		f.Set(fmt.Sprint("disk ", n), "8 GiB")
	}
	if got, err := f.Bounded(); err == nil {
		t.Errorf("%d facts are taken", len(got))
	}
	if f[hybridcore.FactMark] == "" {
		t.Error("no mark")
	}
}

// TestOptions puts options of a setting into one order.
func TestOptions(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"":                             "",
		"virtio,tag=3,bridge=vmbr0":    "virtio, bridge=vmbr0, tag=3",
		"local:iso/a.iso,media=cdrom":  "local:iso/a.iso",
		"local-lvm:x,size=8G,,cache=a": "local-lvm:x, cache=a, size=8G",
	} {
		if got := Options(given, "media"); got != want {
			t.Errorf("%q is %q, want %q", given, got, want)
		}
	}
}
