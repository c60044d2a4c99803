// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:21:00Z
// Spec: openspec/specs/packer/spec.md#requirement-plugins-of-one-job
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// pluginTree installs plugins, ADDRESS@VERSION, whose content is their name.
func pluginTree(t *testing.T, plugins ...string) string {
	t.Helper()
	dir := shortDir(t)
	for _, p := range plugins {
		address, version, _ := strings.Cut(p, "@")
		folder := filepath.Join(dir, filepath.FromSlash(address))
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(folder,
			fmt.Sprintf("packer-plugin-%s_v%s_x5.0_%s_%s", filepath.Base(address), version, runtime.GOOS, runtime.GOARCH))
		write(t, file, p)
		sum := sha256.Sum256([]byte(p))
		write(t, file+checksumSuffix, hex.EncodeToString(sum[:]))
	}
	return dir
}

func TestPlugins(t *testing.T) {
	t.Parallel()
	const vmware, hashicorp = "github.com/vmware/vsphere", "github.com/hashicorp/vsphere"
	dir := pluginTree(t, hashicorp+"@1.4.2", hashicorp+"@1.10.0", hashicorp+"@1.9.9",
		"github.com/hashicorp/ansible@1.1.2-dev", "github.com/x/bad@1.0.0")
	bad := filepath.Join(dir, "github.com/x/bad",
		fmt.Sprintf("packer-plugin-bad_v1.0.0_x5.0_%s_%s", runtime.GOOS, runtime.GOARCH))
	write(t, bad, "other bytes")
	second := pluginTree(t, vmware+"@2.0.0")
	for _, tt := range []struct {
		name string
		dirs []string
		need Requirement
		want string   // ADDRESS@VERSION
		errs []string // parts of a blocked error
	}{
		{name: "newest", dirs: []string{dir}, need: Requirement{Addresses: []string{hashicorp}}, want: hashicorp + "@1.10.0"},
		{
			name: "constraint", dirs: []string{dir}, need: Requirement{Addresses: []string{hashicorp}, Constraint: "~> 1.4.0"},
			want: hashicorp + "@1.4.2",
		},
		{
			name: "second address", dirs: []string{dir},
			need: Requirement{Addresses: []string{vmware, hashicorp}, Constraint: ">= 1.4.0"}, want: hashicorp + "@1.10.0",
		},
		{
			name: "first address in second tree", dirs: []string{dir, second},
			need: Requirement{Addresses: []string{vmware, hashicorp}}, want: vmware + "@2.0.0",
		},
		{
			name: "development version", dirs: []string{dir},
			need: Requirement{Addresses: []string{"github.com/hashicorp/ansible"}, Constraint: ">= 1.1.2"},
			want: "github.com/hashicorp/ansible@1.1.2-dev",
		},
		{
			name: "missing", dirs: []string{dir}, need: Requirement{Addresses: []string{"github.com/hashicorp/azure"}},
			errs: []string{
				"github.com/hashicorp/azure", "nothing of that name",
				"PACKER_PLUGIN_PATH=" + dir + " packer plugins install github.com/hashicorp/azure",
			},
		},
		{
			name: "too old", dirs: []string{dir}, need: Requirement{Addresses: []string{hashicorp}, Constraint: ">= 2"},
			errs: []string{hashicorp + " is 1.10.0", ">= 2"},
		},
		{name: "no tree", need: Requirement{Addresses: []string{hashicorp}}, errs: []string{"no plugin directory"}},
		{
			name: "tree is missing", dirs: []string{dir + "x"}, need: Requirement{Addresses: []string{hashicorp}},
			errs: []string{"nothing of that name"},
		},
		{
			name: "wrong checksum", dirs: []string{dir}, need: Requirement{Addresses: []string{"github.com/x/bad"}},
			errs: []string{bad, "has sha256", "its checksum file says"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Tool{PluginDirs: tt.dirs}.Plugins([]Requirement{tt.need})
			for _, want := range tt.errs {
				if err == nil || !strings.Contains(err.Error(), want) || hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
					t.Errorf("error %v: want %q, blocked", err, want)
				}
			}
			if tt.want != "" && (err != nil || len(got) != 1 || got[0].Address+"@"+got[0].Version != tt.want) {
				t.Errorf("got %+v, %v: want %s", got, err, tt.want)
			}
		})
	}
}

// standInTree installs one stand-in: a program built from a module of their name.
func standInTree(t *testing.T, address, version string) string {
	t.Helper()
	dir, source := shortDir(t), t.TempDir()
	write(t, filepath.Join(source, "go.mod"), "module "+StandInModule+"\n\ngo 1.26\n")
	write(t, filepath.Join(source, "main.go"), "package main\n\nfunc main() {}\n")
	file := filepath.Join(dir, address,
		fmt.Sprintf("packer-plugin-%s_v%s_x5.0_%s_%s", filepath.Base(address), version, runtime.GOOS, runtime.GOARCH))
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", file, ".")
	cmd.Dir, cmd.Env = source, append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	sum, err := digestFile(file)
	if err != nil {
		t.Fatal(err)
	}
	write(t, file+checksumSuffix, sum)
	return dir
}

// A stand-in is taken from where stand-ins are offered, and only when no real
// plugin can be had.
func TestStandIns(t *testing.T) {
	t.Parallel()
	const address = "github.com/hashicorp/proxmox"
	standIns, real := standInTree(t, address, "1.2.3"), pluginTree(t, address+"@1.2.2")
	empty := t.TempDir()
	for _, tt := range []struct {
		name          string
		dirs, offered []string
		want          string
		standIn       bool
		errs          []string
	}{
		{name: "in the lab", dirs: []string{empty}, offered: []string{standIns}, want: "1.2.3+lab", standIn: true},
		{name: "real one too", dirs: []string{empty, real}, offered: []string{standIns}, want: "1.2.2"},
		{name: "stand-in among real ones", dirs: []string{standIns, real}, want: "1.2.2"},
		{
			name: "outside the lab", dirs: []string{standIns},
			errs: []string{
				"is the lab's stand-in, which builds in `packer-hybrid lab run` only",
				"packer plugins install " + address,
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := Tool{
				PluginDirs: tt.dirs,
				StandIns:   tt.offered,
			}.Plugins([]Requirement{{Addresses: []string{address}, Constraint: ">= 1.2"}})
			for _, want := range tt.errs {
				if err == nil || !strings.Contains(err.Error(), want) || hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
					t.Errorf("error %v: want %q, blocked", err, want)
				}
			}
			if tt.want != "" && (err != nil || got[0].Version != tt.want || got[0].StandIn != tt.standIn) {
				t.Errorf("got %+v, %v: want %s", got, err, tt.want)
			}
		})
	}
}

func TestPluginRequirementsAreChecked(t *testing.T) {
	t.Parallel()
	for _, r := range []Requirement{
		{},
		{Addresses: []string{"../../etc"}},
		{Addresses: []string{"a.b/../../c"}},
		{Addresses: []string{"a.b/c"}, Constraint: "newest"},
	} {
		if _, err := (Tool{PluginDirs: []string{t.TempDir()}}).Plugins([]Requirement{r}); hybridcore.ExitCode(
			err) != hybridcore.ExitUsage {
			t.Errorf("%+v: %v, want a usage error", r, err)
		}
	}
	_, err := Tool{}.Plugins([]Requirement{{Addresses: []string{"a.b/c"}}, {Addresses: []string{"a.b/d"}}})
	if err == nil || !strings.Contains(err.Error(), "a.b/c") || !strings.Contains(err.Error(), "a.b/d") {
		t.Errorf("error %v: want both", err)
	}
}

// A binary that changes between Plugins and the start is refused by Packer.
func TestPluginPlacement(t *testing.T) {
	t.Parallel()
	dir := pluginTree(t, "github.com/x/y@1.0.0")
	plugins, err := Tool{PluginDirs: []string{dir}}.Plugins([]Requirement{{Addresses: []string{"github.com/x/y"}}})
	if err != nil {
		t.Fatal(err)
	}
	s := scratch(shortDir(t))
	for range 2 { // a scratch directory may serve validation and build
		if err := s.prepare(plugins); err != nil {
			t.Fatal(err)
		}
	}
	placed := filepath.Join(s.plugins(), "github.com/x/y", filepath.Base(plugins[0].Path))
	if sum, err := Memory("").verified(placed); err != nil || sum != plugins[0].SHA256 {
		t.Errorf("placed %s, %v", sum, err)
	}
	other := plugins[0]
	other.SHA256 = strings.Repeat("0", 64)
	if err := linkOrCopy(other, filepath.Join("/dev/shm", filepath.Base(string(s)))); err == nil ||
		!strings.Contains(err.Error(), "has changed") {
		t.Errorf("a copy of other bytes: %v", err)
	}
	_ = os.Remove(filepath.Join("/dev/shm", filepath.Base(string(s))))
}
