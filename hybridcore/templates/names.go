// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:00Z
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

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Limits of names, in characters: vCenter's of a virtual machine, a label of a
// DNS name (RFC 1035), which Proxmox VE's machines have.
const (
	maxVSphereName = 80
	maxLabel       = 63
	maxReplicas    = 100           // of a gallery version in one region
	minVMID        = 100           // Proxmox VE keeps smaller numbers to itself
	maxVMID        = 999_999_999   //
	maxVersionPart = math.MaxInt32 // of a gallery version: "within the range of 32-bit integer"
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

// naming checks the names of one target.
type naming struct {
	variables map[string]hybridcore.Variable
	findings  []hybridcore.Finding
}

// CheckNames finds names that the target's platform would refuse, or that do
// not fit together, where they are set. artifact is a name such as a run gives
// what it builds.
func CheckNames(target hybridcore.Target, artifact string) []hybridcore.Finding {
	n := &naming{variables: map[string]hybridcore.Variable{}}
	for _, v := range target.Variables {
		n.variables[v.Name] = v
	}
	if problem := artifactProblem(target.Platform, artifact); problem != "" {
		n.findings = append(n.findings, hybridcore.Finding{
			Kind: hybridcore.KindSchema, Subject: target.Image.Name, File: target.Image.File, Line: target.Image.Line, Got: artifact,
			Message:  fmt.Sprintf("%s does not accept the image's artifacts, such as %s: %s", target.Platform.Info().Title, artifact, problem),
			Hint:     "rename the image, or take the platform off it",
			Severity: hybridcore.Error, Blocking: true,
		})
	}
	if v, ok := n.variables["clone_from"]; ok {
		n.clone(target.Platform, v)
	}
	if target.Platform == hybridcore.Azure {
		n.azure()
	}
	return n.findings
}

// artifactProblem says why a platform refuses the name of an artifact.
func artifactProblem(platform hybridcore.Platform, name string) string {
	switch platform {
	case hybridcore.Proxmox:
		return dnsProblem(name)
	case hybridcore.Azure:
		if !managedImageName.MatchString(name) {
			return "a managed image is named with 1 to 80 letters, digits, '_', '.' and '-', from a letter or digit to a letter, digit or '_'"
		}
	case hybridcore.VSphere:
		if len(name) > maxVSphereName {
			return fmt.Sprintf("it has %d characters, a virtual machine's name at most %d", len(name), maxVSphereName)
		}
	}
	return ""
}

// label is one part of a DNS name.
var label = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$`)

// dnsProblem says why a text is no DNS name.
func dnsProblem(name string) string {
	for part := range strings.SplitSeq(name, ".") {
		switch {
		case !label.MatchString(part):
			return fmt.Sprintf("a virtual machine's name is a DNS name, and %.80q is no part of one: letters, digits and inner '-'", part)
		case len(part) > maxLabel:
			return fmt.Sprintf("a virtual machine's name is a DNS name, and %s has %d characters: at most %d between dots", part, len(part), maxLabel)
		}
	}
	return ""
}

// clone checks what a build is cloned from.
func (n *naming) clone(platform hybridcore.Platform, from hybridcore.Variable) {
	name := from.Plain()
	if platform == hybridcore.VSphere {
		for part := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
			if part == "" || len([]rune(part)) > maxVSphereName {
				n.add(from, fmt.Sprintf("clone_from must be the name or the inventory path of a template, with 1 to %d characters in each part", maxVSphereName))
				return
			}
		}
		return
	}
	if id, err := strconv.Atoi(name); err == nil {
		if id < minVMID || id > maxVMID {
			n.add(from, fmt.Sprintf("clone_from = %s is no number of a template on Proxmox VE: %d to %d", name, minVMID, maxVMID))
		}
		return
	}
	if problem := dnsProblem(name); problem != "" {
		n.add(from, "clone_from names no template on Proxmox VE: "+problem)
	}
}

// azure checks what a build makes there and how it is called.
func (n *naming) azure() {
	n.match("azure_resource_group", groupName, "1 to 90 letters, digits, '_', '-', '.' and brackets, and no '.' at the end")
	gallery := n.variables["azure_gallery"]
	if gallery.Plain() == "" {
		if managed, ok := n.variables["azure_managed_image"]; ok && managed.Plain() == "false" {
			n.add(managed, "azure_managed_image is false and azure_gallery is empty: the build would leave nothing")
		}
		return
	}
	n.match("azure_gallery", galleryName, "1 to 80 letters, digits, '_' and '.', from a letter or digit to one; a gallery's name has no '-'")
	n.match("azure_gallery_image", definitionName, "1 to 80 letters, digits, '_', '.' and '-', from a letter or digit to one")
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
			n.add(v, fmt.Sprintf("azure_gallery_regions: %s has %v replicas; Azure keeps 1 to %d in a region", r.Name, r.Replicas, maxReplicas))
		}
		seen = append(seen, name)
	}
	if home := n.variables["azure_location"].Plain(); !slices.Contains(seen, regionName(home)) {
		n.add(v, fmt.Sprintf("azure_gallery_regions lacks azure_location, %s: a version is kept where it was made", home))
	}
}

// regionName is how Azure writes a region: "West Europe" is westeurope.
func regionName(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

// match checks a name that is set.
func (n *naming) match(variable string, accepted *regexp.Regexp, rule string) {
	if v := n.variables[variable]; v.Plain() != "" && !accepted.MatchString(v.Plain()) {
		n.add(v, fmt.Sprintf("%s = %s is not accepted by Azure: %s", variable, v.Text(), rule))
	}
}

func (n *naming) add(v hybridcore.Variable, message string) {
	n.findings = append(n.findings, at(v, message))
}

// at is a finding about the value of a variable, where it is set.
func at(v hybridcore.Variable, message string) hybridcore.Finding {
	f := hybridcore.Finding{Kind: hybridcore.KindVariable, Subject: v.Name, Got: v.Text(), Message: message, Severity: hybridcore.Error, Blocking: true}
	if len(v.Layers) > 0 {
		last := v.Layers[len(v.Layers)-1]
		f.File, f.Line = last.File, last.Line
		if last.File == "" {
			f.Message += fmt.Sprintf(" (set by the layer %s)", last.Name)
		}
	}
	return f
}

// Places below the project root.
const (
	Dir         = "templates"
	ConfigsDir  = "configs"
	catalogue   = "images.hcl"
	common      = "common.pkr.hcl"    // what all targets share
	variables   = "variables.pkr.hcl" // that every target has; may be absent
	osDir       = "os"                // the build of each operating system
	platformDir = "platforms"
	fromDir     = "from"
	varsDir     = "vars"
	varSuffix   = ".pkrvars.hcl"
	suffix      = ".pkr.hcl"
)

func platformFile(platform hybridcore.Platform) string {
	return platformDir + "/" + string(platform) + suffix
}

func systemFile(system string) string { return osDir + "/" + system + suffix }

func join(platforms []hybridcore.Platform) string {
	names := make([]string, 0, len(platforms))
	for _, p := range platforms {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}
