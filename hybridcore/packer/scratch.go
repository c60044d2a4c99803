// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:57:15Z
// Spec: openspec/specs/packer/spec.md#requirement-plugins-of-one-job
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// MaxScratch bounds the path of a job's scratch directory, in bytes. Plugins
// listen on TMPDIR/packer-pluginNNNNNNNNNN, and Linux ends the path of a Unix
// socket at 107 bytes and a zero.
const MaxScratch = 107 - len("/tmp/packer-plugin") - 10

// TempDir is the TMPDIR of a job in its scratch directory. Until its clean end
// Packer keeps the CDs there that it makes for a build.
const TempDir = "tmp"

// scratch is the directory of one job outside the workspace.
type scratch string

func (s scratch) tmp() string     { return filepath.Join(string(s), TempDir) }
func (s scratch) config() string  { return filepath.Join(string(s), "config") }
func (s scratch) cache() string   { return filepath.Join(string(s), "cache") }
func (s scratch) plugins() string { return filepath.Join(string(s), "plugins") }
func (s scratch) shims() string   { return filepath.Join(string(s), "shims") }

// marker is the environment entry by which the job's processes are known.
func (s scratch) marker() string { return "TMPDIR=" + s.tmp() }

// make creates the directories, readable by the user alone: Packer keeps an
// unmasked log in TMPDIR while it runs.
func (s scratch) make() error {
	for _, dir := range []string{s.tmp(), s.config(), s.cache(), s.plugins()} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("making the scratch directory: %w", err)
		}
	}
	return nil
}

// placed is where Packer looks for a plugin.
func (s scratch) placed(p Plugin) string {
	return filepath.Join(s.plugins(), filepath.FromSlash(p.Address), filepath.Base(p.Path))
}

// place puts a plugin where Packer looks for it. The checksum file is written
// from the digest that was verified earlier, so Packer refuses a binary that
// changed since.
func (s scratch) place(p Plugin) error {
	if !addressRule.MatchString(p.Address) || pluginVersion(filepath.Base(p.Path), p.Address) == nil {
		return fmt.Errorf("placing plugin %s: %s is not a plugin of that address", p.Address, p.Path)
	}
	to := s.placed(p)
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return fmt.Errorf("placing plugin %s: %w", p.Address, err)
	}
	if err := linkOrCopy(p, to); err != nil {
		return fmt.Errorf("placing plugin %s: %w", p.Address, err)
	}
	if err := os.WriteFile(to+checksumSuffix, []byte(p.SHA256), 0o600); err != nil {
		return fmt.Errorf("placing plugin %s: %w", p.Address, err)
	}
	return nil
}

// linkOrCopy makes a hard link, or a verified copy where that is not possible:
// on another file system, or for another user's file.
func linkOrCopy(p Plugin, to string) error {
	path, err := filepath.EvalSymlinks(p.Path) // a link to a link would hold nothing
	if err != nil {
		return fmt.Errorf("finding it: %w", err)
	}
	if os.Link(path, to) == nil {
		return nil
	}
	from, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening it: %w", err)
	}
	defer func() { _ = from.Close() }()                                   // opened for reading
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o700) //nolint:gosec // a program must be executable
	if err != nil {
		return fmt.Errorf("copying it: %w", err)
	}
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(out, h), from)
	if closeErr := out.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("copying it: %w", err)
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != p.SHA256 {
		return fmt.Errorf("%s has changed: sha256 %s, verified was %s", p.Path, got, p.SHA256)
	}
	return nil
}
