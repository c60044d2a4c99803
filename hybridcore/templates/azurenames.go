// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:41:00Z
// Spec: openspec/specs/templates/spec.md#requirement-names-that-a-platform-accepts
// Diagram: openspec/specs/templates/diagram.md#ways-to-build-on-one-platform

package templates

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Limits of a gallery version.
const (
	maxReplicas    = 100           // in one region
	maxVersionPart = math.MaxInt32 // "within the range of 32-bit integer"
)

// Names that Azure accepts ("Naming rules and restrictions for Azure
// resources", Microsoft.Compute and Microsoft.Resources).
var (
	managedImageName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?$`)
	groupName        = regexp.MustCompile(`^[\p{L}\p{N}_().-]{0,89}[\p{L}\p{N}_()-]$`)
	galleryName      = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.]{0,78}[A-Za-z0-9])?$`)
	definitionName   = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9])?$`)
	galleryVersion   = regexp.MustCompile(`^(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})\.(0|[1-9][0-9]{0,9})$`)
)

// azureProblem says why Azure refuses the name of a managed image.
func azureProblem(name string) string {
	if managedImageName.MatchString(name) {
		return ""
	}
	return "a managed image is named with 1 to 80 letters, digits, '_', '.' and '-', " +
		"from a letter or digit to a letter, digit or '_'"
}

// azure checks what a build makes there and how it is called.
func (n *naming) azure() {
	n.match(
		"azure_resource_group", groupName, "1 to 90 letters, digits, '_', '-', '.' and brackets, and no '.' at the end",
	)
	gallery := n.variables["azure_gallery"]
	if gallery.Plain() == "" {
		if managed, ok := n.variables["azure_managed_image"]; ok && managed.Plain() == "false" {
			n.add(managed, "azure_managed_image is false and azure_gallery is empty: the build would leave nothing")
		}
		return
	}
	n.match(
		"azure_gallery", galleryName,
		"1 to 80 letters, digits, '_' and '.', from a letter or digit to one; a gallery's name has no '-'",
	)
	n.match(
		"azure_gallery_image", definitionName, "1 to 80 letters, digits, '_', '.' and '-', from a letter or digit to one",
	)
	n.match("azure_gallery_version", galleryVersion, "MAJOR.MINOR.PATCH, three whole numbers of at most 2147483647")
	if version := n.variables["azure_gallery_version"]; galleryVersion.MatchString(version.Plain()) {
		for part := range strings.SplitSeq(version.Plain(), ".") {
			if number, err := strconv.ParseInt(part, 10, 64); err != nil || number > maxVersionPart {
				n.add(version, fmt.Sprintf("azure_gallery_version: %s is larger than %d", part, maxVersionPart))
			}
		}
	}
	n.regions()
}

// regions checks where a gallery version is kept.
func (n *naming) regions() {
	v := n.variables["azure_gallery_regions"]
	var regions []struct {
		Name     string  `json:"name"`
		Replicas float64 `json:"replicas"`
	}
	if json.Unmarshal([]byte(v.JSON), &regions) != nil || len(regions) == 0 {
		return
	}
	var seen []string
	for _, r := range regions {
		name := regionName(r.Name)
		if name == "" || slices.Contains(seen, name) {
			n.add(v, fmt.Sprintf("azure_gallery_regions names %q twice, or not at all", r.Name))
		}
		if r.Replicas < 1 || r.Replicas > maxReplicas || r.Replicas != math.Trunc(r.Replicas) {
			n.add(
				v,
				fmt.Sprintf(
					"azure_gallery_regions: %s has %v replicas; Azure keeps 1 to %d in a region", r.Name, r.Replicas, maxReplicas,
				),
			)
		}
		seen = append(seen, name)
	}
	if home := n.variables["azure_location"].Plain(); !slices.Contains(seen, regionName(home)) {
		n.add(v, fmt.Sprintf("azure_gallery_regions lacks azure_location, %s: a version is kept where it was made", home))
	}
}

// regionName is how Azure writes a region: "West Europe" is westeurope.
func regionName(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }
