// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:52:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-settings-of-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package untrusted

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/parts"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
)

// The settings and blocks that a component of an untrusted tree may have, at any
// depth. They only say something to the platform or the guest, or are of one of
// the kinds that policy.go looks at: paths, media, arguments, words. What is left
// out on purpose: export (writes disks to this machine), use_azure_cli_auth and
// commands of ansible (start programs here), qemu_additional_args and romfile
// (options of the hypervisor's own process), oidc_request_url and token.
const (
	steps      = "except max_retries name only override pause_before timeout"
	connecting = `communicator pause_before_connecting temporary_key_pair_bits temporary_key_pair_name
		temporary_key_pair_type`
	machine = connecting + ` boot_command boot_keygroup_interval boot_wait cd_content cd_files cd_label device_id
		disk_size host http_bind_address http_content http_directory http_interface http_port_max http_port_min
		iso_checksum iso_target_extension iso_target_path iso_url iso_urls mac_address name password sub_device_id
		sub_vendor_id username vendor_id vm_name`
	proxmox = machine + ` additional_iso_files boot_iso disks efi_config ipconfig network_adapters pci_devices rng0
		tpm_config vga asyncio ballooning_minimum bios boot boot_key_interval bridge cache_mode clone_vm clone_vm_id
		cloud_init cloud_init_disk_type cloud_init_storage_pool cores cpu_type device disable_kvm discard efi_format
		efi_storage_pool efi_type efidisk exclude_from_backup firewall format full_clone gateway gateway6 hide_rombar
		http_network_protocol index insecure_skip_tls_verify io_thread ip ip6 iso_download_pve iso_file
		iso_storage_pool keep_cdrom_device legacy_igd machine mapping max_bytes mdev memory model mtu nameserver node
		numa onboot os packet_queues pcie period pool pre_enrolled_keys proxmox_url qemu_agent scsi_controller
		searchdomain serials sockets source ssd storage_pool storage_pool_type tags task_timeout template_description
		template_name token tpm_storage_pool tpm_version type unmount unmount_iso vlan_tag vm_id vm_interface x_vga`
	vsphere = machine + ` content_library_destination customize linux_options network_adapters network_interface
		pci_passthrough_allowed_device storage vapp windows_options CPU_hot_plug CPU_limit CPU_reservation CPUs
		NestedHV RAM RAM_hot_plug RAM_reservation RAM_reserve_all admin_password auto_logon auto_logon_count
		boot_order cdrom_type cluster computer_name configuration_parameters convert_to_template cpu_cores
		create_snapshot datacenter datastore description destroy disable_shutdown disk_controller_index
		disk_controller_type disk_eagerly_scrub disk_thin_provisioned displays dns_domain dns_server_list
		dns_suffix_list domain firmware floppy_content floppy_dirs floppy_files floppy_img_path floppy_label folder
		force_bios_setup full_name guest_os_type host_name http_ip hw_clock_utc insecure_connection ip_settle_timeout
		ip_wait_address ip_wait_timeout ipv4_address ipv4_gateway ipv4_netmask ipv6_address ipv6_gateway ipv6_netmask
		iso_paths library linked_clone local_cache_overwrite network network_card notes organization_name ovf
		ovf_flags passthrough precision_clock product_key properties reattach_cdroms remote_cache_cleanup
		remote_cache_datastore remote_cache_overwrite remote_cache_path remove_cdrom remove_network_adapter
		resource_pool run_once_command_list set_host_for_datastore_uploads shutdown_command shutdown_timeout
		skip_import snapshot_name template time_zone tools_sync_time tools_upgrade_policy usb_controller vTPM
		vbs_enabled vcenter_server vgpu_profile video_ram vm_version vvtd_enabled windows_sysprep_file
		windows_sysprep_text workgroup`
	azure = connecting + ` azure_tag plan_info shared_image_gallery shared_image_gallery_destination spot target_region
		allowed_inbound_ip_addresses async_resourcegroup_delete azure_tags boot_diag_storage_account
		build_key_vault_name build_key_vault_secret_name build_key_vault_sku build_resource_group_name
		capture_container_name capture_name_prefix client_cert_password client_cert_path client_id client_jwt
		client_secret cloud_environment_name community_gallery_image_id confidential_vm_image_encryption_type
		custom_data custom_data_file custom_managed_image_name custom_managed_image_resource_group_name
		custom_resource_build_prefix custom_script direct_shared_gallery_image_id disk_additional_size
		disk_caching_type disk_encryption_set_id encryption_at_host eviction_policy gallery_name id image_name
		image_offer image_publisher image_sku image_url image_version keep_os_disk license_type location
		managed_image_data_disk_snapshot_prefix managed_image_name managed_image_os_disk_snapshot_name
		managed_image_resource_group_name managed_image_storage_account_type managed_image_zone_resilient max_price
		metadata_host name object_id os_disk_size_gb os_type plan_name plan_product plan_promotion_code plan_publisher
		polling_duration_timeout private_virtual_network_with_public_ip public_ip_sku replicas replication_regions
		resource_group resource_group_name secure_boot_enabled security_encryption_type security_type
		shared_gallery_image_version_end_of_life_date shared_gallery_image_version_exclude_from_latest
		shared_image_gallery_replica_count shared_image_gallery_timeout skip_create_build_key_vault skip_create_image
		specialized storage_account storage_account_type subscription subscription_id temp_compute_name temp_nic_name
		temp_os_disk_name temp_resource_group_name tenant_id use_shallow_replication user_assigned_managed_identities
		user_data user_data_file value virtual_network_name virtual_network_resource_group_name
		virtual_network_subnet_name vm_size vtpm_enabled`
	scripts = steps + ` binary env env_var_format environment_vars execute_command inline remote_path script scripts
		start_retry_timeout valid_exit_codes`
)

// allowedSettings are the names that a component may have.
var allowedSettings = map[string][]string{
	"builder.null":          words(connecting + " name"),
	"builder.proxmox-clone": words(proxmox), "builder.proxmox-iso": words(proxmox),
	"builder.vsphere-clone": words(vsphere), "builder.vsphere-iso": words(vsphere),
	"builder.azure-arm": words(azure),
	"provisioner.ansible": words(steps + ` ansible_env_vars ansible_proxy_key_type ansible_winrm_use_http collections_path
		empty_groups extra_arguments galaxy_file galaxy_force_install galaxy_force_with_deps groups host_alias
		inventory_directory inventory_file keep_inventory_file local_port playbook_file roles_path skip_version_check
		use_proxy use_sftp user`),
	"provisioner.file": words(steps + " content destination direction generated source sources"),
	"provisioner.powershell": words(scripts + ` debug_mode elevated_env_var_format elevated_execute_command
		elevated_password elevated_user execution_policy pause_after remote_env_var_path skip_clean use_pwsh`),
	"provisioner.shell": words(scripts + ` expect_disconnect inline_shebang pause_after remote_file remote_folder
		skip_clean use_env_var_file`),
	"provisioner.sleep": words(steps + " duration"),
	"provisioner.windows-restart": words(steps + ` check_registry registry_keys restart_check_command
		restart_command restart_timeout`),
	"provisioner.windows-shell": words(scripts),
	"post-processor.manifest":   words(steps + " custom_data keep_input_artifact output strip_path strip_time"),
}

// words are the words of a text, sorted.
func words(text string) []string {
	all := strings.Fields(text)
	slices.Sort(all)
	return all
}

// settings refuses what is not on the list of a component, in whatever block it
// stands, and what the schema does not know: its value was not looked at.
func (t *Target) settings(part *parts.Part, body *hclsyntax.Body) {
	allowed, listed := allowedSettings[string(part.Kind)+"."+part.Name]
	if !listed || body == nil {
		return
	}
	evaluated := map[*hclsyntax.Attribute]bool{}
	part.Each(func(p *parts.Part) {
		for _, setting := range p.Attrs {
			evaluated[setting.Attr] = true
		}
	})
	name := string(part.Kind) + "." + part.Name
	refuse := func(at hcl.Range, what, why string) {
		t.Found.Refuse(part.File, finding.RulePolicySetting, at, fmt.Sprintf("%s of %s %s", what, part.What, why),
			"leave it out, or somebody trusted has to change the list of what a change may set")
	}
	var walk func(*hclsyntax.Body)
	walk = func(body *hclsyntax.Body) {
		for _, attr := range hclfile.SortedAttributes(body) {
			_, known := slices.BinarySearch(allowed, attr.Name)
			switch {
			case slices.Contains(commands[name], attr.Name), part.Kind == schemas.Builder && isCommunicator(attr.Name):
			case part.Kind == schemas.Builder && slices.Contains(elsewhere, attr.Name):
			case !known:
				refuse(attr.NameRange, "the setting "+attr.Name, "is not on the list of allowed settings")
			case !evaluated[attr]:
				refuse(attr.NameRange, "the setting "+attr.Name, "is not one that the plugin is known to have there")
			}
		}
		for _, block := range body.Blocks {
			kind, inner := block.Type, block.Body
			if kind == "dynamic" && len(block.Labels) == 1 {
				kind = block.Labels[0]
			}
			if _, known := slices.BinarySearch(allowed, kind); !known {
				refuse(block.TypeRange, "the block "+kind, "is not on the list of allowed blocks")
				continue
			}
			if block.Type != "dynamic" {
				walk(inner)
				continue
			}
			for _, content := range inner.Blocks {
				walk(content.Body)
			}
		}
	}
	walk(body)
}

// isCommunicator says whether a setting is one of a communicator, see reach.
func isCommunicator(name string) bool {
	return strings.HasPrefix(name, "ssh_") || strings.HasPrefix(name, "winrm_")
}
