// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:39:00Z
// Spec: openspec/specs/sources/spec.md#requirement-what-is-asked-of-publishers
// Diagram: openspec/specs/drift/diagram.md#one-look

package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

// UpstreamPath says what is asked of publishers, relative to the project root.
const UpstreamPath = Dir + "/upstream.hcl"

// Published is the content of that file.
type Published struct {
	Media    []Medium  // in the order of the file
	Releases []Release // in the order of the file
}

// Medium is where the checksums of installation media of one version of a system are published.
type Medium struct {
	Name            string // of its block
	Family, Version string // of the images that start from it
	Checksums       string // address of a file in the form of sha256sum or sha512sum
	Line            int
}

// Release is where releases of a program are published; one of both addresses is set.
type Release struct {
	Name  string // "packer", or the address of a plugin
	Index string // address of a JSON index such as releases.hashicorp.com has
	Tags  string // address of a repository whose tags are the releases
	Line  int
}

// LoadPublished reads what is asked of publishers. A missing file gives an error that is
// fs.ErrNotExist; everything that is wrong in it comes as *hybridcore.FindingsError.
func LoadPublished(root string) (Published, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return Published{}, fmt.Errorf("opening the project: %w", err)
	}
	defer dir.Close() //nolint:errcheck // only read
	file, err := hclfile.Read(dir, UpstreamPath, hclfile.Project())
	if errors.Is(err, fs.ErrNotExist) {
		return Published{}, fmt.Errorf("reading what is asked of publishers: %w", err)
	}
	if err != nil {
		return Published{}, err
	}
	d := &decoder{file: file}
	found := d.published()
	if len(d.findings) > 0 {
		return Published{}, &hybridcore.FindingsError{Findings: d.findings}
	}
	return found, nil
}

func (d *decoder) published() (p Published) {
	d.settings(d.file.Body, UpstreamPath, map[string]setting{})
	d.blocks([]string{"medium", "release"}, func(block *hclsyntax.Block) {
		for _, inner := range block.Body.Blocks {
			d.add(inner.TypeRange, fmt.Sprintf("a block %q does not belong into a %s", inner.Type, block.Type), "")
		}
		if block.Type == "medium" {
			p.Media = append(p.Media, d.medium(block))
		} else {
			p.Releases = append(p.Releases, d.release(block))
		}
	})
	return p
}

func (d *decoder) medium(block *hclsyntax.Block) Medium {
	m := Medium{Name: block.Labels[0], Line: block.TypeRange.Start.Line}
	if err := hybridcore.CheckName("medium", m.Name); err != nil {
		d.add(block.LabelRanges[0], err.Error(), "")
	}
	d.settings(block.Body, "medium", map[string]setting{
		"family":    checked(&m.Family, plainWord),
		"version":   checked(&m.Version, plainWord),
		"checksums": checked(&m.Checksums, checkAsked),
	})
	d.required(block, "family", "version", "checksums")
	return m
}

func (d *decoder) release(block *hclsyntax.Block) Release {
	r := Release{Name: block.Labels[0], Line: block.TypeRange.Start.Line}
	if err := checkAddress(r.Name); err != nil && r.Name != "packer" {
		d.add(block.LabelRanges[0], err.Error(), "the other name is \"packer\"")
	}
	d.settings(block.Body, "release", map[string]setting{
		"index": checked(&r.Index, checkAsked),
		"tags": checked(&r.Tags, func(address string) error {
			_, err := plainURL(address)
			return err
		}),
	})
	if (r.Index == "") == (r.Tags == "") {
		d.add(block.TypeRange, fmt.Sprintf("release %q needs one of the settings \"index\" and \"tags\"", r.Name), "")
	}
	return r
}

// plainWord takes what a catalogue says of a family or a version.
func plainWord(word string) error {
	if word == "" || len(word) > 64 || hclfile.Printable(word) != word {
		return fmt.Errorf("%.80q is not a name or a version", word)
	}
	return nil
}

// checkAsked takes what plainURL does, and http to this machine, which no network hears.
func checkAsked(address string) error {
	if rest, http := strings.CutPrefix(address, "http://"); http {
		host, _, _ := strings.Cut(rest, "/")
		name, _, err := net.SplitHostPort(host)
		if err != nil {
			name = host
		}
		if ip := net.ParseIP(name); ip != nil && ip.IsLoopback() {
			address = "https://" + rest
		}
	}
	_, err := plainURL(address)
	return err
}
