// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-on-proxmox-ve

package proxmox

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// drive is the name of a setting that can hold a CD.
var drive = regexp.MustCompile(`^(ide|sata|scsi)[0-9]+$`)

// settings is the part of a machine's configuration that says whose it is.
type settings struct {
	Name        string
	Description string
	Tags        string // separated by semicolons, commas or spaces
	Lock        string // kind of the task that holds the machine, empty when none does
	Template    bool
	Protected   bool     // somebody has said that it is not to be removed
	Drives      []string // values of IDE, SATA and SCSI drives
	Digest      string   // of the whole configuration
}

// Find returns templates and machines of that name. An ID is NODE/VMID.
func (c *client) Find(ctx context.Context, name string) ([]hybridcore.URI, error) {
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	found := []hybridcore.URI{}
	err := c.named(ctx, name, func(m machine, s settings) error {
		uri := hybridcore.URI{Kind: platform.VM, Name: name, ID: m.id()}
		if s.Template {
			uri.Kind = platform.VMTemplate
		}
		found = append(found, uri)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("looking for machine %s in Proxmox VE: %w", name, err)
	}
	return found, nil
}

// named calls do with each machine of exactly this name, by number. The list
// of a cluster is some seconds old, so the configuration decides: what has no
// name in the list may be new, and what has no configuration is gone.
func (c *client) named(ctx context.Context, name string, do func(machine, settings) error) error {
	return c.each(ctx, func(m machine) bool { return m.Name == name || m.nameless() }, func(m machine, s settings) error {
		if s.Name != name {
			return nil
		}
		return do(m, s)
	})
}

// each calls do with each machine whose line in the list is wanted, by number.
func (c *client) each(ctx context.Context, wanted func(machine) bool, do func(machine, settings) error) error {
	var all []machine
	if err := c.call(ctx, http.MethodGet, []string{"cluster", "resources"}, url.Values{"type": {"vm"}}, &all); err != nil {
		return fmt.Errorf("listing machines: %w", err)
	}
	slices.SortStableFunc(all, func(a, b machine) int { return cmp.Compare(a.VMID, b.VMID) })
	last := 0
	for _, m := range all {
		if m.Type != "qemu" || !wanted(m) || m.VMID == last {
			continue
		}
		if !nodeName.MatchString(m.Node) || m.VMID <= 0 {
			return fmt.Errorf("listing machines: %q is no machine of a node", text.Sanitize(m.id()))
		}
		last = m.VMID
		s, there, err := c.settings(ctx, m)
		if err != nil {
			return fmt.Errorf("reading the configuration of machine %s: %w", m.id(), err)
		}
		if !there {
			continue
		}
		if err := do(m, s); err != nil {
			return err
		}
	}
	return nil
}

// marked reports whether a machine is of a run. A clone has neither the
// description nor the tag before the plugin's second call: its name, which ends
// in the run's ID as names of artifacts do, is all it has when the run dies.
func (s settings) marked(runID string) bool {
	return strings.Contains(s.Description, platform.RunMark(runID)) || slices.Contains(s.tags(), "ph-run-"+runID) ||
		strings.HasSuffix(s.Name, "-"+runID)
}

// tags lists the machine's tags.
func (s settings) tags() []string {
	return strings.FieldsFunc(s.Tags, func(r rune) bool { return r == ';' || r == ',' || r == ' ' })
}

// configuration reads all settings of a machine, and whether there are any.
func (c *client) configuration(ctx context.Context, m machine) (all map[string]any, there bool, err error) {
	err = c.call(ctx, http.MethodGet, m.path("config"), nil, &all)
	if refused := (*refusal)(nil); errors.As(err, &refused) && strings.Contains(refused.text, "does not exist") {
		return nil, false, nil
	}
	return all, err == nil, err
}

// settings reads a machine's configuration, and whether there is one.
func (c *client) settings(ctx context.Context, m machine) (settings, bool, error) {
	all, there, err := c.configuration(ctx, m)
	if err != nil || !there {
		return settings{}, false, err
	}
	text := func(name string) string { s, _ := all[name].(string); return s }
	s := settings{
		Name:        text("name"),
		Description: text("description"),
		Tags:        text("tags"),
		Lock:        text("lock"),
		Digest:      text("digest"),
	}
	s.Template, s.Protected = on(all["template"]), on(all["protection"])
	for name, value := range all {
		if v, ok := value.(string); ok && drive.MatchString(name) {
			s.Drives = append(s.Drives, v)
		}
	}
	slices.Sort(s.Drives)
	return s, true, nil
}

// on reads a switch, which is a number or a text. In doubt it is on, and the
// machine stays.
func on(value any) bool {
	switch value := value.(type) {
	case nil:
		return false
	case float64:
		return value != 0
	default:
		return value != "0"
	}
}
