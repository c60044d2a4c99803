// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:24Z
// Spec: openspec/specs/packer/spec.md#requirement-failures-people-can-act-on
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package output

import (
	"path"
	"strings"
)

// Wordy are the beginnings of steps whose output Packer does not set apart from
// steps: since 1.14 every line of a provisioner looks like a step, and so does
// what xorriso says of a CD.
var Wordy = []string{
	"Creating CD disk",
	"Running local shell script: ",
	"Provisioning with shell script: ",
	"Provisioning with powershell script: ",
	"Provisioning with windows-shell",
	"Executing Ansible: ",
	"Executing Ansible Galaxy",
	"Running Puppet: ",
	"Executing Puppet: ",
}

// Sober are the beginnings of steps that follow a wordy one: other provisioners,
// the end of provisioning, and what the builders do after it or after a CD. A line of output
// that begins like this is shown as a step; nothing else depends on it.
var Sober = []string{
	"Provisioning with ", "Provisioning step had errors", "Uploading ", "Downloading ", "Restarting Machine",
	"Pausing ", "Setting a ", "Provisioner failed with ", "Running post-processor: ", "Executing shutdown command",
	// vsphere
	"Remote cache directory", "Creating virtual machine", "Cloning virtual machine", "Running shutdown command",
	"Shutting down virtual machine", "Powering off ", "Virtual machine is already powered off",
	"Deleting ", "Ejecting ", "Removing ", "Clearing boot order", "Creating snapshot", "Adding virtual machine flags",
	"Converting ", "Importing ", "Exporting to ", "Destroying VM", "Closing sessions", "Reattaching ",
	"Adding configuration parameters",
	// proxmox
	"Creating VM", "Retrieving ", "Uploaded ISO", "Starting VM", "Stopping VM", "Trying to remove ephemeral keys",
	"Adding a cloud-init cdrom", "Deleting VM",
	// azure
	"Powering off machine", "Querying the machine's properties", "Generalizing machine", "Capturing image",
	"Publishing to Shared Image Gallery",
	"Deprovisioning", "Cleanup requested", "Resource group ", "Getting the ", "Gracefully halting",
}

// StartsWith says whether a text begins with one of the beginnings.
func StartsWith(text string, beginnings []string) bool {
	for _, b := range beginnings {
		if strings.HasPrefix(text, b) {
			return true
		}
	}
	return false
}

// StepFile is the script or playbook that a step names, or an empty string. A
// file in the scratch directory, where Packer writes inline scripts, is none.
func StepFile(step, scratchDir string) string {
	for _, lead := range []string{
		"Running local shell script: ", "Provisioning with shell script: ",
		"Provisioning with powershell script: ",
	} {
		if file, ok := strings.CutPrefix(step, lead); ok && !strings.HasPrefix(file, scratchDir) {
			return file
		}
	}
	if command, ok := strings.CutPrefix(step, "Executing Ansible: "); ok {
		words := strings.Fields(command)
		for i := len(words) - 1; i > 0; i-- {
			if ext := path.Ext(words[i]); ext == ".yml" || ext == ".yaml" {
				return words[i]
			}
		}
	}
	return ""
}
