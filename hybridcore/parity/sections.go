// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:51Z
// Spec: openspec/specs/parity/spec.md#requirement-normalisation
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// certificates are SHA-256 fingerprints.
func certificates(n *Normal, raw json.RawMessage) error {
	var list []string
	if err := unmarshal(raw, &list); err != nil {
		return err
	}
	for _, fingerprint := range list {
		n.add("certificates", fingerprint, "trusted")
	}
	return nil
}

func kernel(n *Normal, raw json.RawMessage) error {
	var k struct {
		Architecture string   `json:"architecture"`
		Installed    []string `json:"installed"`
		Running      string   `json:"running"`
	}
	if err := unmarshal(raw, &k); err != nil {
		return err
	}
	n.add("kernel", "architecture", k.Architecture)
	n.add("kernel", "running", k.Running)
	n.add("kernel", "installed", strings.Join(k.Installed, ", "))
	return nil
}

func units(n *Normal, raw json.RawMessage) error {
	var u struct {
		Default string   `json:"default"`
		Enabled []string `json:"enabled"`
		Masked  []string `json:"masked"`
	}
	if err := unmarshal(raw, &u); err != nil {
		return err
	}
	n.add("units", "default.target", u.Default)
	for _, name := range u.Enabled {
		n.add("units", name, "enabled")
	}
	for _, name := range u.Masked {
		n.add("units", name, "masked")
	}
	return nil
}

// handedOut is the range of account numbers that Linux distributions give to
// system accounts in the order in which packages are installed (Debian policy
// 9.2.2, login.defs SYS_UID_MIN and SYS_UID_MAX). Two installations of the
// same packages may differ in them, and nothing in an image depends on them:
// the files section names owners, not numbers.
const (
	handedOutFrom = 100
	handedOutTo   = 999
)

func number(id int) string {
	if id >= handedOutFrom && id <= handedOutTo {
		return "system"
	}
	return strconv.Itoa(id)
}

func users(n *Normal, raw json.RawMessage) error {
	var list []struct {
		Name, Home, Shell, Password string
		UID, GID                    int
		Groups                      []string
	}
	if err := unmarshal(raw, &list); err != nil {
		return err
	}
	for _, u := range list {
		n.add("users", u.Name, fmt.Sprintf("uid=%s gid=%s groups=%s home=%s shell=%s password=%s",
			number(u.UID), number(u.GID), joined(u.Groups), u.Home, u.Shell, u.Password))
	}
	return nil
}

func groups(n *Normal, raw json.RawMessage) error {
	var list []struct {
		Name    string
		GID     int
		Members []string
	}
	if err := unmarshal(raw, &list); err != nil {
		return err
	}
	for _, g := range list {
		n.add("groups", g.Name, fmt.Sprintf("gid=%s members=%s", number(g.GID), joined(g.Members)))
	}
	return nil
}

func sshd(n *Normal, raw json.RawMessage) error {
	var values map[string][]string
	if err := unmarshal(raw, &values); err != nil {
		return err
	}
	for name, list := range values {
		n.add("sshd", name, strings.Join(list, "; "))
	}
	return nil
}

// sysctl keys are FILE:NAME for what a file asks for, and NAME for what the
// running kernel says.
func sysctl(n *Normal, raw json.RawMessage) error {
	var s struct {
		Files  map[string]map[string]string `json:"files"`
		Values map[string]*string           `json:"values"`
	}
	if err := unmarshal(raw, &s); err != nil {
		return err
	}
	for file, values := range s.Files {
		for name, value := range values {
			n.add("sysctl", file+":"+name, value)
		}
	}
	for name, value := range s.Values {
		if value == nil {
			n.add("sysctl", name, "not readable")
			continue
		}
		n.add("sysctl", name, *value)
	}
	return nil
}

// temporary is the first port that Linux hands out by itself
// (net.ipv4.ip_local_port_range).
const temporary = 32768

func listening(n *Normal, raw json.RawMessage) error {
	var list []struct {
		Protocol, Address, Process string
		Port                       int
	}
	if err := unmarshal(raw, &list); err != nil {
		return err
	}
	for _, l := range list {
		port := strconv.Itoa(l.Port)
		if l.Port >= temporary && strings.HasPrefix(l.Protocol, "udp") {
			port = "temporary"
		}
		n.add("listening", fmt.Sprintf("%s %s port %s", l.Protocol, place(l.Address), port),
			"process "+joined([]string{l.Process}))
	}
	return nil
}

// place is an address if it means the same on every host.
func place(address string) string {
	ip, err := netip.ParseAddr(address)
	switch {
	case err != nil, ip.IsUnspecified(), ip.IsLoopback(), ip.IsMulticast():
		return address
	case ip.IsLinkLocalUnicast():
		return "link-local"
	default:
		return "host-address"
	}
}

func filesystems(n *Normal, raw json.RawMessage) error {
	type mount struct{ Mount, Options, Type string }
	var f struct {
		Fstab  []mount `json:"fstab"`
		Mounts []mount `json:"mounts"`
	}
	if err := unmarshal(raw, &f); err != nil {
		return err
	}
	for _, m := range f.Fstab {
		n.add("filesystems", "fstab "+m.Mount, m.Type+" "+m.Options)
	}
	for _, m := range f.Mounts {
		n.add("filesystems", "mounted "+m.Mount, m.Type)
	}
	return nil
}

// settings reads a section of plain names and values, without some names.
func settings(category string, without ...string) func(*Normal, json.RawMessage) error {
	return func(n *Normal, raw json.RawMessage) error {
		var values map[string]string
		if err := unmarshal(raw, &values); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if !slices.Contains(without, name) {
				n.add(category, name, values[name])
			}
		}
		return nil
	}
}

func joined(list []string) string {
	if text := strings.Join(list, ","); text != "" {
		return text
	}
	return "-"
}

func unmarshal(raw json.RawMessage, into any) error {
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("it is not what its format says: %w", err)
	}
	return nil
}
