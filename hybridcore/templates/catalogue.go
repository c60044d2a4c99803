// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:21Z
// Spec: openspec/specs/templates/spec.md#requirement-the-image-catalogue
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// systems are the operating systems an image can have.
var systems = []string{"linux", "windows"}

// imageSettings are the attributes of an image block.
var imageSettings = []string{"os", "family", "version", "title", "platforms"}

// catalogueReader collects the images and problems of templates/images.hcl.
type catalogueReader struct {
	file     *hclfile.File
	images   []hybridcore.Image
	findings []hybridcore.Finding
}

func readCatalogue(sub fs.FS) ([]hybridcore.Image, []hybridcore.Finding) {
	file, findings := readHCL(sub, catalogue)
	if file == nil {
		return nil, findings
	}
	c := &catalogueReader{file: file}
	for _, attr := range hclfile.SortedAttributes(file.Body) {
		c.add(attr.NameRange, fmt.Sprintf("the setting %q stands outside of an image block", attr.Name), "")
	}
	for _, block := range file.Body.Blocks {
		if block.Type != "image" || len(block.Labels) != 1 {
			c.add(block.TypeRange, fmt.Sprintf("the catalogue holds blocks image \"NAME\", not %q", block.Type),
				`write image "debian-12" { ... }`)
			continue
		}
		c.image(block)
	}
	if len(c.images) == 0 && len(c.findings) == 0 {
		c.add(hcl.Range{Start: hcl.Pos{Line: 1, Column: 1}}, "the catalogue holds no image", `add image "debian-12" { ... }`)
	}
	return c.images, c.findings
}

func (c *catalogueReader) image(block *hclsyntax.Block) {
	image := hybridcore.Image{Name: block.Labels[0], File: c.file.Path, Line: block.TypeRange.Start.Line}
	c.name("image", image.Name, block.LabelRanges[0])
	if slices.ContainsFunc(c.images, func(other hybridcore.Image) bool { return other.Name == image.Name }) {
		c.add(block.TypeRange, fmt.Sprintf("the image %q is in the catalogue twice", image.Name), "")
	}
	texts := map[string]*string{"os": &image.OS, "family": &image.Family, "version": &image.Version, "title": &image.Title}
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		if attr.Name == "platforms" {
			c.platforms(attr, &image)
			continue
		}
		into, ok := texts[attr.Name]
		if !ok {
			c.add(attr.NameRange, fmt.Sprintf("an image has no setting %q%s", attr.Name,
				text.DidYouMean(attr.Name, imageSettings)), "")
			continue
		}
		c.text(attr, into)
		if attr.Name != "title" && *into != "" {
			c.name(attr.Name, *into, attr.Expr.Range())
		}
	}
	for _, name := range imageSettings {
		if _, ok := block.Body.Attributes[name]; !ok {
			c.add(block.TypeRange, fmt.Sprintf("the image %q needs the setting %q", image.Name, name), "")
		}
	}
	if image.OS != "" && !slices.Contains(systems, image.OS) {
		c.add(block.Body.Attributes["os"].SrcRange,
			fmt.Sprintf("unknown operating system %q%s", image.OS,
				text.DidYouMean(image.OS, systems)), "known: linux, windows")
	}
	c.unsupported(block, &image)
	c.images = append(c.images, image)
}

func (c *catalogueReader) unsupported(block *hclsyntax.Block, image *hybridcore.Image) {
	for _, inner := range block.Body.Blocks {
		if inner.Type != "unsupported" || len(inner.Labels) != 1 {
			c.add(inner.TypeRange, fmt.Sprintf("an image has no block %q", inner.Type),
				`write unsupported "azure" { reason = "..." }`)
			continue
		}
		platform, err := hybridcore.ParsePlatform(inner.Labels[0])
		if err != nil {
			c.add(inner.LabelRanges[0], err.Error(), "")
			continue
		}
		var reason string
		for _, attr := range hclfile.SortedAttributes(inner.Body) {
			if attr.Name == "reason" {
				c.text(attr, &reason)
			} else {
				c.add(attr.NameRange, fmt.Sprintf("unsupported has no setting %q", attr.Name), "")
			}
		}
		if reason == "" {
			c.add(inner.TypeRange, "unsupported needs a reason", "")
		}
		if slices.Contains(image.Platforms, platform) {
			c.add(inner.TypeRange, fmt.Sprintf("the image %q lists %s and calls it unsupported", image.Name, platform), "")
		}
		if image.Unsupported == nil {
			image.Unsupported = map[hybridcore.Platform]string{}
		}
		image.Unsupported[platform] = reason
	}
}

func (c *catalogueReader) platforms(attr *hclsyntax.Attribute, image *hybridcore.Image) {
	literal, findings := c.file.Literal(attr)
	c.findings = append(c.findings, findings...)
	if len(findings) > 0 {
		return
	}
	value, _, err := hclfile.Convert(literal.Value, cty.List(cty.String))
	if err != nil || value.IsNull() {
		c.add(attr.Expr.Range(), "platforms must be a list of strings", `write platforms = ["proxmox", "vsphere"]`)
		return
	}
	for _, element := range value.Elements() {
		text, _ := stringOf(element)
		platform, err := hybridcore.ParsePlatform(text)
		switch {
		case err != nil:
			c.add(attr.Expr.Range(), err.Error(), "")
		case slices.Contains(image.Platforms, platform):
			c.add(attr.Expr.Range(), fmt.Sprintf("%s is listed twice", platform), "")
		default:
			image.Platforms = append(image.Platforms, platform)
		}
	}
}

func (c *catalogueReader) text(attr *hclsyntax.Attribute, into *string) {
	literal, findings := c.file.Literal(attr)
	c.findings = append(c.findings, findings...)
	if len(findings) > 0 {
		return
	}
	text, ok := stringOf(literal.Value)
	if !ok || text == "" {
		c.add(attr.Expr.Range(), fmt.Sprintf("%s must be a string that is not empty", attr.Name), "")
	}
	*into = hclfile.Printable(text)
}

func (c *catalogueReader) name(what, name string, at hcl.Range) {
	if err := hybridcore.CheckName(what, name); err != nil {
		c.add(at, err.Error(), "")
	}
}

func (c *catalogueReader) add(at hcl.Range, message, hint string) {
	c.findings = append(c.findings, c.file.Finding(hybridcore.KindSchema, at, message, hint))
}
