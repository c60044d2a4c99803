// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:56:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package proxmox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Look implements platform.Looker: one list of all machines, and the configuration of
// those that are not in it, or that it does not name yet.
func (c *client) Look(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	return c.look(ctx, of, false)
}

// Fingerprint implements platform.Looker: the list, and each configuration.
func (c *client) Fingerprint(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	return c.look(ctx, of, true)
}

func (c *client) look(ctx context.Context, of []hybridcore.URI, whole bool) ([]hybridcore.Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, platform.LookTime(len(of)))
	defer cancel()
	var all []machine
	if err := c.call(ctx, http.MethodGet, []string{"cluster", "resources"}, url.Values{"type": {"vm"}}, &all); err != nil {
		return nil, fmt.Errorf("listing the machines of Proxmox VE: %w", err)
	}
	byID, byName := map[int]machine{}, map[string][]machine{}
	for _, m := range all {
		if m.Type == "qemu" {
			byID[m.VMID] = m
			byName[m.Name] = append(byName[m.Name], m)
		}
	}
	var seen []hybridcore.Seen
	for _, uri := range of {
		at, err := located(uri)
		if err != nil {
			seen = append(seen, platform.Unseen(uri, err))
			continue
		}
		listed, known := byID[at.VMID]
		if known {
			at = listed
		}
		if !nodeName.MatchString(at.Node) {
			return nil, fmt.Errorf("listing machines: %q is no machine of a node", text.Sanitize(at.id()))
		}
		one := hybridcore.Seen{Of: uri}
		if known && !whole && !listed.nameless() {
			one.Now = at.uri(listed.Name, listed.Template != 0)
		} else if one, err = c.seen(ctx, uri, at); err != nil {
			one = platform.Unseen(uri, err)
		}
		for _, twin := range byName[uri.Name] {
			if twin.VMID != at.VMID {
				one.Twin = twin.uri(twin.Name, twin.Template != 0)
			}
		}
		seen = append(seen, one)
	}
	return seen, nil
}

// located is the machine that a URI names.
func located(uri hybridcore.URI) (machine, error) {
	node, number, _ := strings.Cut(uri.ID, "/")
	id, err := strconv.Atoi(number)
	if err != nil || id <= 0 || !nodeName.MatchString(node) || len(number) > len("999999999") ||
		uri.Kind != platform.VMTemplate && uri.Kind != platform.VM {
		return machine{}, fmt.Errorf("%.80q is no machine NODE/NUMBER", uri.Kind+" "+uri.ID)
	}
	return machine{Node: node, VMID: id}, nil
}

// uri describes a machine.
func (m machine) uri(name string, template bool) hybridcore.URI {
	kind := platform.VM
	if template {
		kind = platform.VMTemplate
	}
	return hybridcore.URI{Kind: kind, Name: text.Line(name), ID: m.id()}
}

// seen reads all that the configuration of a machine says.
func (c *client) seen(ctx context.Context, of hybridcore.URI, m machine) (hybridcore.Seen, error) {
	one := hybridcore.Seen{Of: of}
	all, there, err := c.configuration(ctx, m)
	if err != nil || !there {
		return one, err
	}
	if digest, _ := all["digest"].(string); digest == "" {
		return one, errors.New("the answer has no digest: it is no configuration")
	}
	name, _ := all["name"].(string)
	if one.Facts, err = facts(all); err != nil {
		return one, err
	}
	one.Now = m.uri(name, on(all["template"]))
	return one, nil
}

// facts are the settings of a machine. What changes by itself, in a release or with the
// place where the machine lies is not among them, nor what the kind and the name say.
func facts(all map[string]any) (map[string]string, error) {
	f := platform.Facts{}
	for name, value := range all {
		set := asText(value)
		switch {
		case unsaid[name], unused.MatchString(name):
		case name == "description":
			f.Notes(set)
		case name == "tags":
			for _, tag := range (settings{Tags: set}).tags() {
				if !strings.HasPrefix(tag, hybridcore.Mark{}.Tag()) {
					f.Tag(tag, "")
				}
			}
		case name == "smbios1":
			uuid, rest := identity(set)
			f.Set(hybridcore.FactIdentity, uuid)
			f.Set(name, rest)
		case name == "bios":
			f.Set("firmware", set)
		case memory.MatchString(name) && strings.Trim(set, "0123456789") == "":
			f.Set(name, set+" MiB")
		case volume.MatchString(name) && strings.Contains(set, "media=cdrom"):
			f.Set("cd "+name, platform.Options(without(set), "media", "size"))
		case own.MatchString(name):
			f.Set("disk "+name, platform.Options(without(set), "size", "format"))
		case volume.MatchString(name):
			f.Set("disk "+name, platform.Options(without(set), "format"))
		case card.MatchString(name):
			f.Set("network "+name, platform.Options(hardwareAddress.ReplaceAllString(set, "$1")))
		default:
			f.Set(name, set)
		}
	}
	return f.Bounded()
}

// Names of settings.
var (
	volume = regexp.MustCompile(`^(ide|sata|scsi|virtio|efidisk|tpmstate)[0-9]+$`)
	own    = regexp.MustCompile(`^(efidisk|tpmstate)[0-9]+$`) // as large as their storage makes them
	unused = regexp.MustCompile(`^unused[0-9]+$`)             // in no drive: a move between storages leaves some
	card   = regexp.MustCompile(`^net[0-9]+$`)
	memory = regexp.MustCompile(`^(memory|balloon)$`)
)

// owner is the machine in the name of a volume: base-101-disk-0; of a linked clone the last
// one is its own.
var owner = regexp.MustCompile(`.*\b(?:vm|base)-([0-9]+)-`)

// without is a drive without where it lies. A move gives a volume another storage, number and
// format, but not another machine.
func without(drive string) string {
	first, rest, more := strings.Cut(drive, ",")
	if m := owner.FindStringSubmatch(first); m != nil {
		first = "volume of machine " + m[1]
	} else if _, path, ok := strings.Cut(first, ":"); ok && !strings.HasPrefix(first, "/") {
		first = path
	}
	if more {
		first += "," + rest
	}
	return first
}

// identity is the uuid of smbios1, and what else it says: people write a vendor or a serial
// number there.
func identity(smbios string) (uuid, rest string) {
	var others []string
	for one := range strings.SplitSeq(smbios, ",") {
		if value, ok := strings.CutPrefix(one, "uuid="); ok {
			uuid = strings.ToLower(value)
		} else if one != "" {
			others = append(others, one)
		}
	}
	slices.Sort(others)
	return uuid, strings.Join(others, ", ")
}

// hardwareAddress follows the model of a network card: it is random, and every clone has
// another one.
var hardwareAddress = regexp.MustCompile(`^([a-z0-9-]+)=([0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}`)

// unsaid are settings that say nothing of the image, or what the kind and name say; the
// password of a cloud-init drive is none of a fingerprint's business.
var unsaid = map[string]bool{
	"name": true, "template": true, "digest": true, "lock": true, "protection": true, "vmgenid": true, "meta": true,
	"parent":     true,
	"cipassword": true, "runningmachine": true, "runningcpu": true, "vmstate": true, "snaptime": true,
}

// asText is the text of a setting. Something else than a text, a number or a switch has none
// of a setting's forms, and is noted as it is.
func asText(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case string:
		return value
	case float64:
		return strconv.FormatFloat(value, 'f', -1, 64)
	case bool:
		return map[bool]string{true: "1", false: "0"}[value]
	default:
		return fmt.Sprint(value)
	}
}
