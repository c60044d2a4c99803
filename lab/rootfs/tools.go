// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:56Z
// Spec: openspec/specs/lab/spec.md#requirement-root-file-system
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
)

// hostTool is a program that the build runs on the host, with the Debian package that brings it.
type hostTool struct{ program, pkg string }

var hostTools = []hostTool{
	{"debootstrap", "debootstrap"},
	{"apt-ftparchive", "apt-utils"},
	{"/usr/share/keyrings/debian-archive-keyring.gpg", "debian-archive-keyring"},
}

// ensureTools installs missing host packages when this is a Debian host, and else names the command.
func ensureTools(ctx context.Context, b *builder) error {
	missing := missingPackages(hostTools)
	if len(missing) == 0 {
		return nil
	}
	install := append([]string{"apt-get", "install", "-y", "--no-install-recommends"}, missing...)
	line := strings.Join(install, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("the host lacks %s; on Debian: %s", strings.Join(missing, ", "), line)
	}
	fmt.Fprintf(b.progress, "root file system: the host lacks %s: %s\n", strings.Join(missing, ", "), line)
	if err := b.tool(ctx, install[0], install[1:]...); err != nil {
		return fmt.Errorf("the host lacks %s, and installing failed; run: apt-get update && %s: %w",
			strings.Join(missing, ", "), line, err)
	}
	return nil
}

// missingPackages names the packages of the tools that the host lacks, each once.
func missingPackages(tools []hostTool) []string {
	var missing []string
	for _, t := range tools {
		if locate(t.program) == "" && !slices.Contains(missing, t.pkg) {
			missing = append(missing, t.pkg)
		}
	}
	return missing
}
