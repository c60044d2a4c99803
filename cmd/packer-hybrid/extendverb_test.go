// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:05:00Z
// Spec: openspec/specs/repository/spec.md#requirement-pages-on-extending
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package main

import (
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// The verb of the page answers people and programs, refuses what is not there, and is
// in the help and the suggestions.
func TestAddingAVerb(t *testing.T) {
	dir, files := extended(t, "verb.md")
	program := overlaid(t, dir, files)
	does := func(code int, args ...string) (string, string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append(args, "-C", dir)...)
		var errs strings.Builder
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Fatalf("%q: exit %d, want %d (%v)\n%s%s", args, got, code, err, out, errs.String())
		}
		return string(out), errs.String()
	}
	out, _ := does(hybridcore.ExitOK, "images")
	want(t, out, "IMAGE", "debian-12", "Debian 12 (bookworm)", "proxmox vsphere azure")

	out, _ = does(hybridcore.ExitOK, "images", "debian-12", "--targets", "vsphere", "--output", "json")
	var answer struct {
		Images []hybridcore.Image `json:"images"`
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || len(answer.Images) != 1 ||
		answer.Images[0].Name != "debian-12" {
		t.Errorf("%v\n%s", err, out)
	}
	_, errs := does(hybridcore.ExitUsage, "images", "debian-99")
	want(t, errs, "no such image")
	_, errs = does(hybridcore.ExitUsage, "imagse")
	want(t, errs, "images")
	out, _ = does(hybridcore.ExitOK, "--help")
	want(t, out, "List the images of the catalogue")
}
