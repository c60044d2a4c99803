// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package compare

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/parity"
)

// image is one built target whose inventory can be had.
type image struct {
	name      string
	platform  hybridcore.Platform
	run       string
	inventory *hybridcore.Inventory
	inputs    map[string]string // of its build
}

func orAll(images []string) string {
	if len(images) == 0 {
		return "any image"
	}
	return strings.Join(images, ", ")
}

// recorded lists what a run built or found built.
func recorded(rec hybridcore.Record) []image {
	var found []image
	for _, res := range rec.Results {
		if res.Inventory != nil && (res.Status == hybridcore.Built || res.Status == hybridcore.UnchangedDone) {
			found = append(found, image{res.Image, res.Platform, inventoryRun(res.Inventory), res.Inventory, res.Inputs})
		}
	}
	return found
}

// inventoryRun is the run that an inventory belongs to, from its path
// records/RUN/NAME.
func inventoryRun(inv *hybridcore.Inventory) string {
	parts := strings.Split(inv.File, "/")
	return parts[max(0, len(parts)-2)]
}

// grouped puts the platforms of each image together, in report order.
func grouped(images []image) [][]image {
	var groups [][]image
	order := hybridcore.PlatformNames()
	slices.SortStableFunc(images, func(a, b image) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return slices.Index(order, string(a.platform)) - slices.Index(order, string(b.platform))
	})
	for i, one := range images {
		if i == 0 || images[i-1].name != one.name {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], one)
	}
	return groups
}

// loadSet reads the inventories of one image, all at the same time.
func (s Stage) loadSet(ctx context.Context, group []image) (parity.Set, error) {
	set, errs := parity.Set{Image: group[0].name, Sides: make([]parity.Side, len(group))}, make([]error, len(group))
	var all sync.WaitGroup
	for i, one := range group {
		all.Go(func() { set.Sides[i], errs[i] = s.loadSide(ctx, one) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return set, err
	}
	return s.checked(set, group), nil
}

// loadSide reads a stored inventory, which must be what the record says.
func (s Stage) loadSide(ctx context.Context, one image) (parity.Side, error) {
	data, err := s.Project.State.Attachment(ctx, one.inventory.File)
	if err != nil {
		return parity.Side{}, err
	}
	if got := parity.Digest(data); got != one.inventory.SHA256 {
		return parity.Side{}, hybridcore.Blockedf(
			"the inventory %s is not what its record says: sha256 %.12s, recorded %.12s; build the image again",
			one.inventory.File, got, one.inventory.SHA256)
	}
	return normal(one, data)
}

func normal(one image, data []byte) (parity.Side, error) {
	inventory, err := parity.Parse(data)
	if err != nil {
		return parity.Side{}, fmt.Errorf("%s: %w", one.inventory.File, err)
	}
	n, err := parity.Normalise(inventory)
	if err != nil {
		return parity.Side{}, fmt.Errorf("%s: %w", one.inventory.File, err)
	}
	return parity.Side{Platform: one.platform, Run: one.run, Inventory: n}, nil
}

// Rules reads what comparisons are judged by.
func (s Stage) Rules(env string) (parity.Rules, error) {
	_, root, err := s.Project.Templates()
	if err != nil {
		return parity.Rules{}, err
	}
	allow, err := parity.ReadAllow(root)
	if err != nil {
		return parity.Rules{}, err
	}
	return parity.Rules{Env: env, Allow: allow, Origins: parity.ReadOrigins(root, env)}, nil
}

func notComparable(name, why string) hybridcore.Parity {
	return hybridcore.Parity{Image: name, Policy: hybridcore.ParityBlock, Findings: []hybridcore.Finding{{
		Kind: "parity", Subject: name, Message: "the images of " + name + " cannot be compared: " + why,
		Severity: hybridcore.Error, Blocking: true,
	}}}
}

// checked adds to a set what is to be said of its guests, if the catalogue
// still has the image.
func (s Stage) checked(set parity.Set, group []image) parity.Set {
	templates, _, err := s.Project.Templates()
	if err != nil {
		return set // told where the templates are needed
	}
	known, err := templates.Image(set.Image)
	if err != nil {
		return set // nothing says what it was to be
	}
	for i, one := range group {
		set.Findings = append(set.Findings, CheckSystem(known, one.platform, one.inputs, set.Sides[i].Inventory)...)
	}
	return set
}
