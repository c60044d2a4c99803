// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-policy-for-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

// Package untrusted says what a tree may do that somebody wrote who is not trusted.
package untrusted

// Policy says what a tree may do that somebody wrote who is not trusted, for
// example in the pull request of a fork. Packer evaluates functions and data
// sources, and starts plugins, when it merely validates: everything that
// reaches beyond the tree is a blocking finding of the kind "policy". Local
// commands, paths outside of the tree and functions that read the environment,
// files or services are never allowed.
type Policy struct {
	// Hosts are the hosts that installation media may come from over HTTPS.
	Hosts []string
}

// harmless are the components that act in the guest, or only write where the
// run says.
var harmless = []string{
	"provisioner.ansible", "provisioner.file", "provisioner.powershell", "provisioner.shell", "provisioner.sleep",
	"provisioner.windows-restart", "provisioner.windows-shell", "post-processor.manifest",
}

// staying are the settings of communicators that stay between this machine and
// the guest. All others of theirs lead elsewhere, or hand out keys: bastions,
// proxies, tunnels, other hosts, and what a later version adds.
var staying = []string{
	"ssh_ciphers", "ssh_clear_authorized_keys", "ssh_disable_agent_forwarding", "ssh_file_transfer_method",
	"ssh_handshake_attempts",
	"ssh_interface", "ssh_ip_version", "ssh_keep_alive_interval", "ssh_key_exchange_algorithms", "ssh_keypair_name",
	"ssh_password", "ssh_port",
	"ssh_private_key_file", "ssh_pty", "ssh_read_write_timeout", "ssh_timeout", "ssh_username", "ssh_wait_timeout",
	"winrm_insecure", "winrm_no_proxy", "winrm_password", "winrm_port", "winrm_timeout", "winrm_use_ntlm", "winrm_use_ssl",
	"winrm_username",
}

// elsewhere are further settings of sources that name a host which is asked.
var elsewhere = []string{"metadata_host", "oidc_request_url"}

// plainBlocks are the blocks of a template and of a build that reach nothing by
// themselves. What else there is, as hcp_packer_registry, does.
var plainBlocks = []string{
	"build", "data", "error-cleanup-provisioner", "local", "locals", "packer", "post-processor", "post-processors",
	"provisioner", "source",
	"variable", "variables",
}

// commands are settings of otherwise harmless components that are run as
// commands on this machine, or hand out its keys.
var commands = map[string][]string{
	"provisioner.ansible": {
		"command", "galaxy_command", "sftp_command", "ansible_ssh_extra_args",
		"inventory_file_template",
	},
}

// plainWords are settings that another program reads as part of a line.
var plainWords = []string{
	"ansible_proxy_key_type", "cd_label", "empty_groups", "floppy_label", "groups", "host_alias", "iso_target_extension",
	"user",
}
