// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:59:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-checks-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package azure

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"

	"github.com/packer-hybrid/packer-hybrid/plugins/standin"
)

// Limits of Azure's tags.
const (
	maxTags     = 15
	maxTagName  = 512
	maxTagValue = 256
)

// Patterns of names, as the real plugin has them.
var (
	groupName    = regexp.MustCompile(`^[^_\W][\w-._\(\)]{0,89}$`)
	imageName    = regexp.MustCompile(`^[^_\W][\w-._)]{0,79}$`)
	namePrefix   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,9}$`)
	imageVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+$`)
)

// prepare fills in what was left open and checks the rest.
func (c *Config) prepare() error {
	c.Tag.CopyOn(&c.Tags)
	c.MetadataHost = cmp.Or(c.MetadataHost, os.Getenv("ARM_METADATA_URL"))
	c.Size, c.DiskCaching = cmp.Or(c.Size, "Standard_A1"), cmp.Or(c.DiskCaching, "ReadWrite")
	c.DiskType, c.AddressSKU = cmp.Or(c.DiskType, "Standard_LRS"), cmp.Or(c.AddressSKU, "Standard")
	c.PollingTimeout, c.GalleryTimeout = cmp.Or(c.PollingTimeout, 15*time.Minute), cmp.Or(c.GalleryTimeout, time.Hour)
	c.Gallery.StorageType = cmp.Or(c.Gallery.StorageType, "Standard_LRS")
	if c.Source.Publisher != "" {
		c.Source.Version = cmp.Or(c.Source.Version, "latest")
	}
	c.Comm.SSHUsername, c.Comm.SSHTimeout = cmp.Or(c.Comm.SSHUsername, "packer"), cmp.Or(c.Comm.SSHTimeout, 20*time.Minute)
	c.Comm.SSHPassword = cmp.Or(c.Comm.SSHPassword, rand.Text()+"aA1-")
	packersdk.LogSecretFilter.Set(c.ClientSecret, c.Comm.SSHPassword)

	var p standin.Problems
	p.All(c.Comm.Prepare(&c.ctx)...)
	c.Access.prepare(&p)
	c.checkImages(&p)
	c.checkMachine(&p)
	c.Temporary.check(&p, c.Location)
	p.When(len(c.Tags) > maxTags, "a max of %d tags are supported, but %d were provided", maxTags, len(c.Tags))
	for name, value := range c.Tags {
		p.When(len(name) > maxTagName, "the tag name %q exceeds (%d) the %d character limit", name, len(name), maxTagName)
		p.When(len(value) > maxTagValue, "the tag name %q exceeds (%d) the %d character limit", value, len(value),
			maxTagValue)
	}
	return p.Err()
}

func (a *Access) prepare(p *standin.Problems) {
	a.Tenant = cmp.Or(a.Tenant, os.Getenv("ARM_TENANT_ID"))
	p.When(a.Subscription == "" || a.ClientID == "" || a.ClientSecret == "" || a.Tenant == "",
		"No valid set of authentication values specified: the lab's stand-in needs subscription_id, tenant_id, client_id "+
			"and client_secret")
}

// checkImages checks what the build starts from and what it leaves.
func (c *Config) checkImages(p *standin.Problems) {
	if !c.published() && (c.Image.Name == "" || c.Image.Group == "") {
		//nolint:staticcheck // the real plugin's words
		p.All(errors.New("A capture_container_name, managed_image_name and managed_image_resource_group_name, or " +
			"shared_image_gallery_destination must be specified"))
	}
	p.When(c.Source.Publisher == "", "An image_publisher must be specified")
	p.When(c.Source.Offer == "", "An image_offer must be specified")
	p.When(c.Source.SKU == "", "An image_sku must be specified")
	if c.Image == (Image{}) && !c.published() {
		p.Add("A storage_account must be specified")
		p.Add("A resource_group_name must be specified")
	}
	checkName(p, "managed_image_resource_group_name", c.Image.Group, groupName)
	checkName(p, "managed_image_name", c.Image.Name, imageName)
	g := &c.Gallery
	if g.Name == "" {
		return
	}
	g.Subscription = cmp.Or(g.Subscription, c.Subscription)
	p.When(g.Group == "", "A resource_group must be specified for shared_image_gallery_destination")
	p.When(g.Image == "", "An image_name must be specified for shared_image_gallery_destination")
	p.When(!imageVersion.MatchString(g.Version),
		"An image_version must be specified for shared_image_gallery_destination and must follow the "+
			"Major(int).Minor(int).Patch(int) format")
	p.When(len(g.Regions) > 0 && len(g.Targets) > 0,
		"`replicated_regions` can not be defined alongside `target_region`; you can define a target_region for each "+
			"destination region you wish to replicate to.")
	p.When(len(g.Targets) > 0 && c.Image.Replicas != 0,
		"`shared_image_gallery_replica_count` can not be defined alongside `target_region`; you can define `replicas` "+
			"inside each target_region block to set the number replicas for each region")
	p.When(g.Shallow && c.Image.Replicas > 1,
		"When using shallow replication the replica count can only be 1, leaving this value unset will default to 1")
	p.When(g.Specialized && c.managed(),
		"A managed image (managed_image_name, managed_image_resource_group_name) can not be Specialized")
	p.When(!slices.Contains([]string{"Premium_LRS", "Standard_LRS", "Standard_ZRS"}, g.StorageType),
		"not an accepted value for shared_image_gallery_destination.storage_account_type")
}

func (c *Config) checkMachine(p *standin.Problems) {
	switch {
	case c.OS == "":
		p.Add("An os_type must be specified")
	case strings.EqualFold(c.OS, "Linux"):
		c.OS = "Linux"
	case strings.EqualFold(c.OS, "Windows"):
		p.All(Plugin().Refuse("os_type = Windows"))
	default:
		p.Add("The os_type %q is invalid", c.OS)
	}
	if c.Comm.Type == "winrm" {
		p.All(Plugin().Refuse("communicator = winrm"))
	}
	p.When(!slices.Contains([]string{"Standard_LRS", "Premium_LRS"}, c.DiskType),
		"The managed_image_storage_account_type %q is invalid", c.DiskType)
	p.When(!slices.Contains([]string{"None", "ReadOnly", "ReadWrite"}, c.DiskCaching),
		"The disk_caching_type %q is invalid", c.DiskCaching)
	p.When(!slices.Contains([]string{"Basic", "Standard"}, c.AddressSKU),
		"The provided value of %q for public_ip_sku does not match the allowed values of %q or %q", c.AddressSKU, "Basic",
		"Standard")
	for _, address := range c.Inbound {
		_, err := netip.ParseAddr(address)
		if _, network := netip.ParsePrefix(address); err != nil && network != nil {
			p.Add("The setting allowed_inbound_ip_addresses must only contain valid IP addresses or CIDR blocks")
		}
	}
}

// check checks the names of the build's own things, and fills in those that were left open.
func (t *Temporary) check(p *standin.Problems, location string) {
	p.When(t.Group != "" && t.ExistingGroup != "",
		"The settings temp_resource_group_name and build_resource_group_name cannot both be defined.  Please define one "+
			"or neither.")
	p.When((location != "") == (t.ExistingGroup != ""),
		"Specify either a location to create the resource group in or an existing build_resource_group_name, but not both.")
	checkName(p, "temp_resource_group_name", t.Group, groupName)
	checkName(p, "build_resource_group_name", t.ExistingGroup, groupName)
	p.When(t.Prefix != "" && !namePrefix.MatchString(t.Prefix),
		"The setting custom_resource_build_prefix must only contain characters from a-z, A-Z, 0-9 and - and the maximum "+
			"length is 10 characters")
}

// checkName checks a name that may be missing.
func checkName(p *standin.Problems, setting, name string, pattern *regexp.Regexp) {
	p.When(name != "" && (!pattern.MatchString(name) || strings.HasSuffix(name, ".") || strings.HasSuffix(name, "-")),
		"The setting %s must match the regular expression %q, and not end with a '-' or '.'.", setting, pattern)
}

// names are the names of what a build makes for itself.
type names struct {
	group, deployment, compute, nic, disk, address, network, subnet, security string
}

// names makes names, with the same random ending, for what the configuration does not name.
func (t *Temporary) names() names {
	prefix, ending := t.Prefix, strings.ToLower(rand.Text()[:5])
	if prefix == "" {
		prefix, ending = "pkr", strings.ToLower(rand.Text()[:10])
	}
	name := func(kind string) string { return fmt.Sprintf("%s%s%s", prefix, kind, ending) }
	return names{
		group:      cmp.Or(t.ExistingGroup, t.Group, prefix+"-Resource-Group-"+ending),
		deployment: name("dp"), compute: cmp.Or(t.Compute, name("vm")), nic: cmp.Or(t.NIC, name("ni")),
		disk:    cmp.Or(t.Disk, name("os")),
		address: name("ip"), network: name("vn"), subnet: name("sn"), security: name("sg"),
	}
}
