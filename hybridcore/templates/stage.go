// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:21Z
// Spec: openspec/specs/templates/spec.md#requirement-staging
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"syscall"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// VarFileName is the generated variable file of a stage. Packer must be given
// it with -var-file: it does not load files of that name by itself.
const VarFileName = "packer-hybrid.pkrvars.json"

// Stage copies the files of a target from the project at root into dir, which
// is made if needed and must be empty, and writes the variable file. Where the
// plugin that is Installed has another address than a template requires, its
// copy names that one: Packer finds no plugin under another address. A file
// whose digest is no longer that of the target gives a BlockedError. After an
// error dir may hold a part; the caller removes it.
func Stage(target hybridcore.Target, root *os.Root, dir string, plugins []Plugin) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("staging %s: %w", target.Name(), err)
	}
	into, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("staging %s: %w", target.Name(), err)
	}
	defer into.Close() //nolint:errcheck // a directory handle
	entries, err := fs.ReadDir(into.FS(), ".")
	if err != nil {
		return fmt.Errorf("staging %s: %w", target.Name(), err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("staging %s: the work directory %s is not empty", target.Name(), dir)
	}
	for _, file := range target.Files {
		if err := copyFile(root, into, file, plugins); err != nil {
			return fmt.Errorf("staging %s: %w", target.Name(), err)
		}
	}
	if err := write(into, VarFileName, 0o600, VarFile(target.Variables)); err != nil {
		return fmt.Errorf("staging %s: %w", target.Name(), err)
	}
	return nil
}

// copyFile copies one file and compares the digest of what it copied.
func copyFile(root, into *os.Root, file hybridcore.File, plugins []Plugin) error {
	// Links may point anywhere below templates/, as when it was loaded.
	sub, err := root.OpenRoot(Dir)
	if err != nil {
		return fmt.Errorf("opening %s: %w", Dir, err)
	}
	defer sub.Close() //nolint:errcheck // a directory handle
	name, ok := below(file.From)
	if !ok {
		return fmt.Errorf("the file %s is not below %s", file.From, Dir)
	}
	source, err := sub.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return changed(file, "is gone")
	}
	if err != nil {
		return fmt.Errorf("reading %s: %w", file.From, err)
	}
	defer source.Close() //nolint:errcheck // only read
	info, err := source.Stat()
	if err != nil {
		return fmt.Errorf("reading %s: %w", file.From, err)
	}
	if !info.Mode().IsRegular() {
		return changed(file, "is no regular file any more")
	}
	content, err := io.ReadAll(io.LimitReader(source, maxFile+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", file.From, err)
	}
	if sum := sha256.Sum256(content); hex.EncodeToString(sum[:]) != file.SHA256 {
		return changed(file, "has changed")
	}
	mode := fs.FileMode(0o600)
	if info.Mode()&0o100 != 0 {
		mode = 0o700
	}
	if content, err = requireInstalled(content, file.From, plugins); err != nil {
		return err
	}
	return write(into, file.Path, mode, content)
}

// requireInstalled puts the addresses of installed plugins into a template
// that requires them under others. Everything else stays, line by line.
func requireInstalled(content []byte, from string, plugins []Plugin) ([]byte, error) {
	moved := slices.DeleteFunc(slices.Clone(plugins), func(p Plugin) bool {
		return p.File != from || p.Installed == "" || p.Installed == p.Source
	})
	if len(moved) == 0 {
		return content, nil
	}
	file, diags := hclwrite.ParseConfig(content, from, hcl.InitialPos)
	if diags.HasErrors() {
		return nil, fmt.Errorf("reading %s: %w", from, diags)
	}
	for _, block := range file.Body().Blocks() {
		if block.Type() != "packer" {
			continue
		}
		for _, inner := range block.Body().Blocks() {
			for _, p := range moved {
				if inner.Type() == "required_plugins" && inner.Body().GetAttribute(p.Name) != nil {
					inner.Body().SetAttributeValue(p.Name, cty.ObjectVal(map[string]cty.Value{
						"source": cty.StringVal(p.Installed), "version": cty.StringVal(p.Version),
					}))
				}
			}
		}
	}
	return file.Bytes(), nil
}

func changed(file hybridcore.File, how string) error {
	return hybridcore.Blockedf("%s %s since the plan was made; run the command again", file.From, how)
}

// below returns the path of a file relative to templates/.
func below(from string) (string, bool) {
	const prefix = Dir + "/"
	if len(from) <= len(prefix) || from[:len(prefix)] != prefix || path.Clean(from) != from {
		return "", false
	}
	return from[len(prefix):], true
}

// write creates a new file; one that exists is an error.
func write(into *os.Root, name string, mode fs.FileMode, content []byte) error {
	if err := into.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("making the folder of %s: %w", name, err)
	}
	f, err := into.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	if _, err := f.Write(content); err != nil {
		return errors.Join(fmt.Errorf("writing %s: %w", name, err), f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}
