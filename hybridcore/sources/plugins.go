// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:59Z
// Spec: openspec/specs/sources/spec.md#requirement-plugin-hashes
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

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
	"slices"
	"strings"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Binary is one plugin binary.
type Binary struct {
	Address string // e.g. github.com/hashicorp/vsphere
	Version string // without a leading v
	System  string // OS_ARCH, e.g. linux_amd64
	SHA256  string // hex
	Path    string // where it was found; may be empty
	Built   string // the Go version that built it, e.g. go1.26.8; may be empty
}

// CheckPlugins compares plugins in use with the lock. A version or hash other
// than the locked one blocks. Where the lock has no hash for the system, or
// does not name the plugin, that is a warning: there is nothing to compare.
func (l Lock) CheckPlugins(used []Binary) []hybridcore.Finding {
	var findings []hybridcore.Finding
	for _, b := range used {
		f := hybridcore.Finding{
			Kind: KindPlugin, Subject: b.Address, File: LockPath, Severity: hybridcore.Warning,
			Hint: "check where the binary comes from, then run `packer-hybrid sources lock " + b.Path + "`",
		}
		i := slices.IndexFunc(l.Plugins, func(p Plugin) bool { return p.Address == b.Address })
		if i < 0 {
			f.Message = fmt.Sprintf("the plugin %s %s is not in the lock", b.Address, b.Version)
			findings = append(findings, f)
			continue
		}
		locked := l.Plugins[i]
		hashes := locked.Binaries[b.System]
		f.Line = locked.Line
		switch {
		case locked.Version != b.Version:
			f.Want, f.Got = locked.Version, b.Version
			f.Message = fmt.Sprintf("the plugin %s is %s, but the lock says %s", b.Address, b.Version, locked.Version)
			f.Severity, f.Blocking = hybridcore.Error, true
		case len(hashes) == 0:
			f.Message = fmt.Sprintf("the lock holds no hash of the plugin %s for %s", b.Address, b.System)
		case !slices.Contains(hashes, b.SHA256):
			f.Want, f.Got = strings.Join(hashes, " "), b.SHA256
			f.Message = fmt.Sprintf("the plugin %s %s for %s has the sha256 %s, which is not in the lock", b.Address, b.Version,
				b.System, b.SHA256)
			f.Severity, f.Blocking = hybridcore.Error, true
		default:
			continue
		}
		findings = append(findings, f)
	}
	return findings
}

// binaryRule is Packer's name of a plugin binary.
var binaryRule = regexp.MustCompile(`^packer-plugin-([^_]+)_v([^_]+)_x5\.\d+_([a-z0-9]+)_([a-z0-9]+)$`)

// maxPlugin bounds a plugin binary, in bytes: the largest of HashiCorp's is
// about 100 MiB.
const maxPlugin = 1 << 30

// Binaries finds the plugin binaries at or below a path of a Packer plugin
// tree (…/HOST/OWNER/NAME/packer-plugin-NAME_vVERSION_x5.0_OS_ARCH) and hashes
// them. A binary that does not match its checksum file is a BlockedError; no
// binary at all is a UsageError.
func Binaries(path string) ([]Binary, error) {
	start, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("finding plugins: %w", err)
	}
	var found []Binary
	err = filepath.WalkDir(start, func(at string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		m := binaryRule.FindStringSubmatch(d.Name())
		if m == nil || d.IsDir() {
			return nil
		}
		b, err := binary(at, m)
		if err == nil {
			found = append(found, b)
		}
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, hybridcore.Usagef("%s does not exist", path)
	case err != nil:
		return nil, fmt.Errorf("finding plugins: %w", err)
	case len(found) == 0:
		return nil, hybridcore.Usagef(
			"no plugin is at or below %s; a plugin is a file …/github.com/OWNER/NAME/packer-plugin-NAME_vVERSION_x5.0_OS_ARCH",
			path)
	}
	return found, nil
}

// binary reads one plugin; m are the parts of its name.
func binary(path string, m []string) (Binary, error) {
	folders := strings.Split(filepath.ToSlash(filepath.Dir(path)), "/")
	b := Binary{Version: m[2], System: m[3] + "_" + m[4], Path: path}
	if len(folders) >= 3 {
		b.Address = strings.Join(folders[len(folders)-3:], "/")
	}
	if checkAddress(b.Address) != nil || folders[len(folders)-1] != m[1] || checkVersion(b.Version) != nil {
		return Binary{}, hybridcore.Usagef("%s does not lie in a Packer plugin tree: …/HOST/OWNER/%s/ was expected", path,
			m[1])
	}
	var err error
	if b.SHA256, err = hashFile(path); err != nil {
		return Binary{}, err
	}
	sum, err := os.ReadFile(path + "_SHA256SUM")
	if fields := strings.Fields(string(sum)); err == nil && (len(fields) == 0 || !strings.EqualFold(fields[0], b.SHA256)) {
		return Binary{}, hybridcore.Blockedf("%s has sha256 %s, but its checksum file says something else; install it again",
			path, b.SHA256)
	}
	if info, err := buildinfo.ReadFile(path); err == nil && goVersionRule.MatchString(info.GoVersion) {
		b.Built = info.GoVersion
	}
	return b, nil
}

var goVersionRule = regexp.MustCompile(`^go[0-9][0-9a-z.]{0,20}$`)

func hashFile(path string) (string, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", fmt.Errorf("reading a plugin: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxPlugin {
		return "", hybridcore.Blockedf("%s is not a regular file of at most %d MiB", path, maxPlugin>>20)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("reading a plugin: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
