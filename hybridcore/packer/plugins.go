// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:15Z
// Spec: openspec/specs/packer/spec.md#requirement-plugins-of-one-job
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"

	"github.com/hashicorp/go-version"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Requirement is a plugin that a template needs.
type Requirement struct {
	Addresses  []string // accepted sources, e.g. github.com/hashicorp/vsphere; the first that is installed wins
	Constraint string   // in required_plugins syntax, e.g. ">= 1.4.0"; empty accepts any version
}

// Plugin is one installed plugin binary whose checksum was verified.
type Plugin struct {
	Address string // e.g. github.com/hashicorp/vsphere
	Version string // without a leading v; a stand-in's ends with hybridcore.StandInLabel
	Path    string
	SHA256  string // hex
	StandIn bool   // takes the real plugin's place in the lab
}

// StandInModule is the Go module that the lab's stand-ins are built from. A
// binary says so itself, whatever its name and place.
const StandInModule = "github.com/packer-hybrid/packer-hybrid/plugins"

// pluginFile is Packer's name of a plugin binary:
// packer-plugin-NAME_vVERSION_xAPI_OS_ARCH. API 5 is the only one that Packer 1.x speaks.
var pluginFile = regexp.MustCompile(`^packer-plugin-([^_]+)_v([^_]+)_x(5\.\d+)_([a-z0-9]+)_([a-z0-9]+)$`)

// addressRule keeps an address from leaving its tree.
var addressRule = regexp.MustCompile(`^[a-z0-9][a-zA-Z0-9.-]*(/[a-zA-Z0-9][a-zA-Z0-9._-]*){1,15}$`)

const checksumSuffix = "_SHA256SUM"

// Plugins finds for each requirement the newest installed version that meets
// its constraint and whose bytes match its checksum file. What is missing is
// reported together, as a hybridcore.BlockedError with the commands to run.
func (t Tool) Plugins(required []Requirement) ([]Plugin, error) {
	found := make([]Plugin, 0, len(required))
	var missing []error
	for _, r := range required {
		p, err := t.plugin(r)
		var blocked *hybridcore.BlockedError
		switch {
		case err == nil:
			found = append(found, p)
		case errors.As(err, &blocked):
			missing = append(missing, err)
		default:
			return nil, err
		}
	}
	if len(missing) > 0 {
		return nil, errors.Join(missing...)
	}
	return found, nil
}

func (t Tool) plugin(r Requirement) (Plugin, error) {
	accept, err := version.NewConstraint(">= 0.0.0")
	if r.Constraint != "" {
		accept, err = version.NewConstraint(r.Constraint)
	}
	if err != nil || len(r.Addresses) == 0 {
		return Plugin{}, hybridcore.Usagef("plugin %s: %q is not a version constraint such as \">= 1.4.0\"",
			strings.Join(r.Addresses, " or "), r.Constraint)
	}
	for _, address := range r.Addresses {
		if !addressRule.MatchString(address) || strings.Contains(address, "..") {
			return Plugin{}, hybridcore.Usagef("%.200q is not a plugin address such as \"github.com/hashicorp/vsphere\"",
				address)
		}
	}
	var seen []string
	// A real plugin wins wherever it can be had.
	for _, trees := range []struct {
		dirs      []string
		orStandIn bool
	}{{t.PluginDirs, false}, {t.StandIns, true}} {
		for _, address := range r.Addresses {
			for _, dir := range trees.dirs {
				p, notes, err := t.newest(dir, address, accept, trees.orStandIn)
				if err != nil || p.Path != "" {
					return p, err
				}
				seen = append(seen, notes...)
			}
		}
	}
	return Plugin{}, t.missing(r, seen)
}

// missing words what was looked for, what was found and what to run.
func (t Tool) missing(r Requirement, seen []string) error {
	want := strings.Join(r.Addresses, " or ")
	if r.Constraint != "" {
		want += " " + r.Constraint
	}
	got := "nothing of that name is in " + strings.Join(t.PluginDirs, ", ")
	if len(t.PluginDirs) == 0 {
		got = "no plugin directory is configured"
	}
	if len(seen) > 0 {
		got = strings.Join(seen, "; ")
	}
	install := "packer plugins install " + r.Addresses[0]
	if n := len(t.PluginDirs); n > 0 { // the last one is the user's own
		install = "PACKER_PLUGIN_PATH=" + t.PluginDirs[n-1] + " " + install
	}
	return hybridcore.Blockedf(
		"the Packer plugin %s is missing (%s); install it with `%s`; `make tools` builds those of this repository that "+
			"can be built", want, got, install)
}

// candidate is one file that could be the plugin.
type candidate struct {
	path    string
	version *version.Version
}

// newest returns the newest fitting plugin of one tree, or notes on why what
// is there does not fit. A tree or address that does not exist is no error.
func (t Tool) newest(dir, address string, accept version.Constraints, orStandIn bool) (Plugin, []string, error) {
	folder := filepath.Join(dir, filepath.FromSlash(address))
	entries, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		return Plugin{}, nil, fmt.Errorf("listing plugins: %w", err)
	}
	var notes []string
	var fitting []candidate
	for _, e := range entries {
		v := pluginVersion(e.Name(), address)
		switch {
		case v == nil:
		case !accept.Check(v.Core()):
			notes = append(notes, fmt.Sprintf("%s is %s", address, v))
		default:
			fitting = append(fitting, candidate{path: filepath.Join(folder, e.Name()), version: v})
		}
	}
	slices.SortStableFunc(fitting, func(a, b candidate) int { return b.version.Compare(a.version) })
	for _, c := range fitting {
		p := Plugin{Address: address, Version: c.version.String(), Path: c.path, StandIn: isStandIn(c.path)}
		if p.SHA256, err = t.Memory.verified(c.path); err != nil {
			notes = append(notes, err.Error())
			continue
		}
		switch {
		case p.StandIn && !orStandIn:
			notes = append(notes, c.path+" is the lab's stand-in, which builds in `packer-hybrid lab run` only")
			continue
		case p.StandIn:
			p.Version += hybridcore.StandInLabel
		}
		return p, nil, nil
	}
	return Plugin{}, notes, nil
}

// isStandIn asks the binary what it was built from. A file that does not say
// is not one of ours.
func isStandIn(path string) bool {
	info, err := buildinfo.ReadFile(path)
	return err == nil && info.Main.Path == StandInModule
}

// pluginVersion reads the version from the file name of a plugin for this
// machine, or returns nil for any other file.
func pluginVersion(name, address string) *version.Version {
	m := pluginFile.FindStringSubmatch(name)
	if m == nil || m[1] != address[strings.LastIndexByte(address, '/')+1:] || m[4] != runtime.GOOS ||
		m[5] != runtime.GOARCH {
		return nil
	}
	v, err := version.NewVersion(m[2])
	if err != nil || v.Metadata() != "" {
		return nil // Packer ignores it too
	}
	return v
}

// verified returns the digest of a plugin when it matches the file next to it.
func (m Memory) verified(path string) (string, error) {
	want, err := readChecksum(path + checksumSuffix)
	if err != nil {
		return "", err
	}
	got := m.recall("sha256", path)
	if got == "" {
		if got, err = digestFile(path); err != nil {
			return "", err
		}
		m.remember("sha256", path, got)
	}
	if got != want {
		return "", fmt.Errorf("%s has sha256 %s, but its checksum file says %s", path, got, want)
	}
	return got, nil
}

// readChecksum reads a checksum file: 64 hex digits, optionally followed by a name.
func readChecksum(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading the checksum of a plugin: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	head, err := io.ReadAll(io.LimitReader(f, 4<<10))
	if err != nil {
		return "", fmt.Errorf("reading the checksum of a plugin: %w", err)
	}
	fields := strings.Fields(string(head))
	if len(fields) == 0 || len(fields[0]) != sha256.Size*2 {
		return "", fmt.Errorf("%s holds no sha256", path)
	}
	if _, err := hex.DecodeString(fields[0]); err != nil {
		return "", fmt.Errorf("%s holds no sha256: %w", path, err)
	}
	return strings.ToLower(fields[0]), nil
}

func digestFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("reading a plugin: %w", err)
	}
	defer func() { _ = f.Close() }() // opened for reading
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", fmt.Errorf("the plugin %s is not a regular file", path)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading a plugin: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
