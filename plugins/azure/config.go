// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:58:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-checks-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package azure

import (
	"time"

	"github.com/hashicorp/packer-plugin-sdk/common"
	"github.com/hashicorp/packer-plugin-sdk/communicator"
	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"
)

// Config is the configuration, as far as the stand-in can honour it.
type Config struct {
	common.PackerConfig `mapstructure:",squash"`
	Comm                communicator.Config `mapstructure:",squash"`
	Access              `mapstructure:",squash"`
	Machine             `mapstructure:",squash"`
	Source              Source            `mapstructure:",squash"`
	Temporary           Temporary         `mapstructure:",squash"`
	Image               Image             `mapstructure:",squash"`
	Tags                map[string]string `mapstructure:"azure_tags"`
	Tag                 config.NameValues `mapstructure:"azure_tag"`
	Gallery             Gallery           `mapstructure:"shared_image_gallery_destination"`
	PollingTimeout      time.Duration     `mapstructure:"polling_duration_timeout"`
	GalleryTimeout      time.Duration     `mapstructure:"shared_image_gallery_timeout"`

	ctx interpolate.Context
}

// Access is where the build runs and as whom.
type Access struct {
	Cloud        string `mapstructure:"cloud_environment_name"` // named by the metadata, so that nothing depends on it
	MetadataHost string `mapstructure:"metadata_host"`
	Subscription string `mapstructure:"subscription_id"`
	Tenant       string `mapstructure:"tenant_id"`
	ClientID     string `mapstructure:"client_id"`
	ClientSecret string `mapstructure:"client_secret"`
	Object       string `mapstructure:"object_id"` // of no use for Linux
}

// Source is the Marketplace's image that the machine starts from.
type Source struct {
	Publisher string `mapstructure:"image_publisher"`
	Offer     string `mapstructure:"image_offer"`
	SKU       string `mapstructure:"image_sku"`
	Version   string `mapstructure:"image_version"`
}

// Machine is the virtual machine and its network.
type Machine struct {
	Location    string   `mapstructure:"location"`
	Size        string   `mapstructure:"vm_size"`
	OS          string   `mapstructure:"os_type"`
	DiskSizeGB  int      `mapstructure:"os_disk_size_gb"` // 0 is the image's
	DiskCaching string   `mapstructure:"disk_caching_type"`
	DiskType    string   `mapstructure:"managed_image_storage_account_type"`
	AddressSKU  string   `mapstructure:"public_ip_sku"`
	Inbound     []string `mapstructure:"allowed_inbound_ip_addresses"`
}

// Temporary names what the build makes for itself.
type Temporary struct {
	Group         string `mapstructure:"temp_resource_group_name"`
	ExistingGroup string `mapstructure:"build_resource_group_name"`
	Prefix        string `mapstructure:"custom_resource_build_prefix"`
	Compute       string `mapstructure:"temp_compute_name"`
	NIC           string `mapstructure:"temp_nic_name"`
	Disk          string `mapstructure:"temp_os_disk_name"`
	AsyncDelete   bool   `mapstructure:"async_resourcegroup_delete"`
}

// Image is what the build leaves.
type Image struct {
	Group         string `mapstructure:"managed_image_resource_group_name"`
	Name          string `mapstructure:"managed_image_name"`
	ZoneResilient bool   `mapstructure:"managed_image_zone_resilient"`
	Skip          bool   `mapstructure:"skip_create_image"`

	Replicas  int    `mapstructure:"shared_image_gallery_replica_count"` // in each region
	EndOfLife string `mapstructure:"shared_gallery_image_version_end_of_life_date"`
	NotLatest bool   `mapstructure:"shared_gallery_image_version_exclude_from_latest"`
}

// Gallery is the version in a gallery that the build leaves.
type Gallery struct {
	Subscription string   `mapstructure:"subscription"`
	Group        string   `mapstructure:"resource_group"`
	Name         string   `mapstructure:"gallery_name"`
	Image        string   `mapstructure:"image_name"`
	Version      string   `mapstructure:"image_version"`
	Regions      []string `mapstructure:"replication_regions"` // deprecated: Targets
	Targets      []Region `mapstructure:"target_region"`
	StorageType  string   `mapstructure:"storage_account_type"`
	Shallow      bool     `mapstructure:"use_shallow_replication"`
	Specialized  bool     `mapstructure:"specialized"`
}

// Region is a region that a version is replicated to.
type Region struct {
	Name     string `mapstructure:"name"`
	Replicas int    `mapstructure:"replicas"`
}

// managed says whether the build leaves a managed image.
func (c *Config) managed() bool { return c.Image.Name != "" }

// published says whether the build leaves a version in a gallery.
func (c *Config) published() bool { return c.Gallery.Name != "" }
