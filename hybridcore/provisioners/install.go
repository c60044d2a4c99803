// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:23:48Z
// Spec: openspec/specs/provisioning/spec.md#requirement-tools-before-packer
// Diagram: openspec/specs/provisioning/diagram.md#tools-before-packer

package provisioners

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
)

// isoTools are what Packer's plugins make a CD with, in their order.
func isoTools() []string {
	tools := []string{"xorriso", "mkisofs"}
	switch runtime.GOOS {
	case "darwin":
		return append(tools, "hdiutil")
	case "windows":
		return append(tools, "oscdimg")
	default:
		return tools
	}
}

// packages are the names of what has a program, by the manager that installs it.
var packages = []struct {
	programs          []string
	debian, rhel, mac string
}{
	{[]string{"ansible-playbook", "ansible-galaxy", "ansible"}, "ansible-core", "ansible-core", "ansible"},
	{[]string{"ssh"}, "openssh-client", "openssh-clients", "openssh"},
	{[]string{"xorriso"}, "xorriso", "xorriso", "xorriso"},
}

// install says how a program is installed.
func install(program string) string {
	for _, p := range packages {
		if slices.Contains(p.programs, program) {
			return fmt.Sprintf("Debian, Ubuntu: apt-get install %s; RHEL, Fedora: dnf install %s; macOS: brew install %s",
				p.debian, p.rhel, p.mac)
		}
	}
	if strings.Contains(program, "/") {
		return "install it there, or change the setting that names it"
	}
	return "install it, and put its folder on the PATH"
}
