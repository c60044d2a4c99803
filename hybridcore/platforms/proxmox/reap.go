// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:58:30Z
// Spec: openspec/specs/leases/spec.md#requirement-marks-on-proxmox-ve
// Diagram: openspec/specs/leases/diagram.md#reap-on-proxmox-ve

package proxmox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// builtCD is a drive with a CD that Packer made for one build and the plugin
// uploaded: packer and random digits.
var builtCD = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9._-]*):(iso/packer[0-9]+\.iso)(,|$)`)

// errLocked says that a task of somebody holds a machine.
var errLocked = errors.New("it is locked: another task works on it, or died with its lock")

// Reap removes the machines that a dead run left in Proxmox VE, the CDs that were
// uploaded for them, and its CDs that no machine has.
func (c *client) Reap(ctx context.Context, of hybridcore.Remains, dry bool) ([]hybridcore.URI, error) {
	if of.Name == "" || of.RunID == "" {
		return nil, errors.New("looking for what a run left in Proxmox VE: a run and a name are needed")
	}
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	ours := func(s settings) bool { return s.Name == of.Name && !s.Template && s.marked(of.RunID) }
	var left []platform.Leftover
	err := c.named(ctx, of.Name, func(m machine, s settings) error {
		if ours(s) {
			left = append(left, c.leftover(m, s, ours))
		}
		return nil
	})
	if err == nil {
		var cds []platform.Leftover
		cds, err = c.media(ctx, of.Media)
		left = append(left, cds...)
	}
	if err != nil {
		return nil, fmt.Errorf("looking for what run %s left in Proxmox VE: %w", of.RunID, err)
	}
	done, err := platform.Remove(ctx, left, dry)
	if err != nil {
		return done, fmt.Errorf("reaping what run %s left in Proxmox VE: %w", of.RunID, err)
	}
	return done, nil
}

// errProtected says that a person wants to keep a machine.
var errProtected = errors.New("its protection is on: somebody wants to keep it")

// leftover is a machine and how it goes.
func (c *client) leftover(m machine, s settings, ours func(settings) bool) platform.Leftover {
	id := strconv.Itoa(m.VMID)
	hand := fmt.Sprintf("on node %s, qm stop %s, then qm destroy %s --purge", m.Node, id, id)
	switch {
	case s.Protected:
		hand = fmt.Sprintf("on node %s, qm set %s --protection 0, then qm destroy %s --purge", m.Node, id, id)
	case s.Lock != "":
		hand = fmt.Sprintf("on node %s, when no task works on it, qm unlock %s, then qm destroy %s --purge", m.Node, id, id)
	}
	return platform.Leftover{
		URI: hybridcore.URI{Kind: platform.VM, Name: s.Name, ID: m.id()}, Hand: hand,
		Check: func(context.Context) error {
			if s.Protected {
				return errProtected
			}
			return nil
		},
		Remove: func(ctx context.Context) error { return c.remove(ctx, m, ours) },
	}
}

// remove destroys a machine once no task holds it. Each try looks again whether
// it is still what the run left: waiting takes time.
func (c *client) remove(ctx context.Context, m machine, ours func(settings) bool) error {
	var held error // by whom, when a try found it locked
	for {
		s, there, err := c.settings(ctx, m)
		switch {
		case err != nil && held != nil && ctx.Err() != nil:
			return fmt.Errorf("%w (%w)", errLocked, held)
		case err != nil:
			return fmt.Errorf("reading its configuration: %w", err)
		case !there:
			return nil
		case !ours(s):
			return errors.New("it is no longer what the run left: it was renamed or became a template meanwhile")
		case s.Protected:
			return errProtected
		}
		held = &refusal{"lock " + text.Sanitize(s.Lock)}
		if s.Lock == "" {
			if held = c.destroy(ctx, m, s); held == nil || !locked(held) {
				return held
			}
		}
		if platform.Pause(ctx, platform.Poll) != nil {
			return fmt.Errorf("%w (%w)", errLocked, held)
		}
	}
}

// locked reports whether a refusal is about a lock, which ends by itself.
func locked(err error) bool {
	var refused *refusal
	return errors.As(err, &refused) &&
		(strings.Contains(refused.text, "is locked") || strings.Contains(refused.text, "can't lock file"))
}

// destroy powers a machine off, deletes the CDs that were uploaded for it while
// it still leads to them, and deletes it with its disks and its place in jobs.
func (c *client) destroy(ctx context.Context, m machine, s settings) error {
	var current struct {
		Status string `json:"status"`
	}
	if err := c.call(ctx, http.MethodGet, m.path("status", "current"), nil, &current); err != nil {
		return fmt.Errorf("asking for its power state: %w", err)
	}
	if current.Status != "stopped" {
		if err := c.work(ctx, http.MethodPost, m.path("status", "stop"), nil); err != nil {
			return fmt.Errorf("powering it off: %w", err)
		}
	}
	for _, value := range s.Drives {
		cd := builtCD.FindStringSubmatch(value)
		if cd == nil {
			continue
		}
		volume := cd[1] + ":" + cd[2]
		if err := c.deleteVolume(ctx, m.Node, volume); err != nil {
			return fmt.Errorf("deleting its CD %s: %w", volume, err)
		}
	}
	if err := c.work(ctx, http.MethodDelete, m.path(), url.Values{"purge": {"1"}}); err != nil {
		return fmt.Errorf("deleting it: %w", err)
	}
	return nil
}
