// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:53:56Z
// Spec: openspec/specs/lab/spec.md#requirement-root-file-system
// Diagram: openspec/specs/lab/diagram.md#parts

package rootfs

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// suite is the Debian release that guests run, and version how it calls itself.
const (
	suite   = "bookworm"
	version = "12"
)

// System is what guests hold.
func System() hybridcore.System { return hybridcore.System{ID: "debian", Version: version} }

// buildVersion is part of the digest; raise it whenever the build's steps change.
const buildVersion = 2

// Where Debian packages come from when the host's own apt sources do not say.
const (
	defaultMirror   = "http://deb.debian.org/debian"
	defaultSecurity = "http://deb.debian.org/debian-security"
)

// basePackages make a minimal Debian that systemctl, sshd -T, apt and Ansible work in.
var basePackages = []string{
	"adduser", "ca-certificates", "gpgv", "iproute2", "kmod", "locales", "openssh-server", "openssh-sftp-server",
	"procps", "python3", "python3-apt", "sudo", "systemd", "systemd-sysv", "tzdata",
}

// mirrorPackages can be installed in a guest, with all that they depend on.
var mirrorPackages = []string{
	"auditd", "bash-completion", "ca-certificates", "chrony", "cloud-guest-utils", "cloud-init", "curl", "git", "gnupg",
	"htop", "less", "open-vm-tools", "qemu-guest-agent", "rsync", "unattended-upgrades", "unzip", "vim-tiny", "waagent", "wget",
}

// recipe is everything that decides what a root file system holds, apart from the day it is built on.
type recipe struct {
	Version      int
	Suite        string
	Architecture string // as Debian names it
	Mirror       string
	Security     string
	Base         []string
	Offline      []string
}

// hostRecipe is the recipe for this machine: its architecture, and the mirrors of its own apt sources.
func hostRecipe() (recipe, error) {
	architecture, err := debianArchitecture(runtime.GOARCH)
	if err != nil {
		return recipe{}, err
	}
	r := recipe{
		Version: buildVersion, Suite: suite, Architecture: architecture,
		Mirror: defaultMirror, Security: defaultSecurity, Base: basePackages, Offline: mirrorPackages,
	}
	for _, s := range hostSources("/etc/apt") {
		if slices.Contains(s.suites, suite) {
			r.Mirror = s.uri
		}
		if slices.Contains(s.suites, suite+"-security") {
			r.Security = s.uri
		}
	}
	return r, nil
}

func debianArchitecture(goarch string) (string, error) {
	switch goarch {
	case "amd64", "arm64":
		return goarch, nil
	}
	return "", fmt.Errorf("the lab has no guests for the architecture %s: amd64 and arm64 are built", goarch)
}

// digest names the recipe: 16 hexadecimal digits of a SHA-256.
func (r recipe) digest() string {
	text, err := json.Marshal(r)
	if err != nil {
		panic("rootfs: a recipe of strings cannot fail to marshal: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// source is one entry of apt's sources: a place and the suites taken from it.
type source struct {
	uri    string
	suites []string
}

// hostSources reads the host's apt sources below dir (/etc/apt), both formats of sources.list(5).
// What cannot be read is passed over: the defaults stand in for it.
func hostSources(dir string) []source {
	var found []source
	lists, _ := filepath.Glob(filepath.Join(dir, "sources.list.d", "*.list"))
	for _, file := range append(lists, filepath.Join(dir, "sources.list")) {
		if content, err := os.ReadFile(file); err == nil {
			found = append(found, parseList(string(content))...)
		}
	}
	stanzas, _ := filepath.Glob(filepath.Join(dir, "sources.list.d", "*.sources"))
	for _, file := range stanzas {
		if content, err := os.ReadFile(file); err == nil {
			found = append(found, parseStanzas(string(content))...)
		}
	}
	return found
}

// parseList reads one-line entries: deb [options] uri suite component...
func parseList(content string) []source {
	var found []source
	scan := bufio.NewScanner(strings.NewReader(content))
	for scan.Scan() {
		entry, isDeb := strings.CutPrefix(strings.TrimSpace(scan.Text()), "deb ")
		if !isDeb {
			continue
		}
		entry = strings.TrimSpace(entry)
		if strings.HasPrefix(entry, "[") {
			_, entry, _ = strings.Cut(entry, "]")
		}
		if f := strings.Fields(entry); len(f) >= 2 && isMirror(f[0]) {
			found = append(found, source{uri: f[0], suites: []string{f[1]}})
		}
	}
	return found
}

// parseStanzas reads deb822 stanzas.
func parseStanzas(content string) []source {
	var found []source
	for stanza := range strings.SplitSeq(content, "\n\n") {
		fields := make(map[string][]string)
		name := ""
		for line := range strings.SplitSeq(stanza, "\n") {
			switch {
			case strings.HasPrefix(line, "#"):
			case strings.HasPrefix(line, " "), strings.HasPrefix(line, "\t"):
				fields[name] = append(fields[name], strings.Fields(line)...)
			default:
				key, value, _ := strings.Cut(line, ":")
				name = strings.ToLower(strings.TrimSpace(key))
				fields[name] = strings.Fields(value)
			}
		}
		if !slices.Contains(fields["types"], "deb") || slices.Contains(fields["enabled"], "no") {
			continue
		}
		for _, uri := range fields["uris"] {
			if isMirror(uri) {
				found = append(found, source{uri: uri, suites: fields["suites"]})
			}
		}
	}
	return found
}

// isMirror tells whether debootstrap can use the address. Anything else, such as mirror+file, is passed over.
func isMirror(uri string) bool {
	return strings.HasPrefix(uri, "http://") || strings.HasPrefix(uri, "https://")
}
