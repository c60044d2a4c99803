// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:10:00Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-api-as-recorded
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
)

// isoName is the name of an ISO image (PVE::Storage, ISO_EXT_RE_0). It cannot lead out of a directory.
var isoName = regexp.MustCompile(`^[A-Za-z0-9_+][A-Za-z0-9_+.-]*\.(?i:iso|img)$`)

// isoFolder is the directory of the storages' files. ISO images are all that there is of it.
type isoFolder string

// make makes the directories of the storages.
func (f isoFolder) make() error {
	for _, dir := range []string{
		filepath.Join(ISOStorage, "template", "iso"), filepath.Join(ISOStorage, "tmp"),
		DiskStorage,
	} {
		if err := os.MkdirAll(filepath.Join(string(f), dir), 0o700); err != nil {
			return fmt.Errorf("making a storage: %w", err)
		}
	}
	return nil
}

// file is the file of an ISO image.
func (f isoFolder) file(name string) string {
	return filepath.Join(string(f), ISOStorage, "template", "iso", name)
}

// has reports whether an image is in storage.
func (f isoFolder) has(storage, name string) bool {
	if storage != ISOStorage || !isoName.MatchString(name) {
		return false
	}
	_, err := os.Stat(f.file(name))
	return err == nil
}

// put puts an image with some content into the directory storage.
func (f isoFolder) put(name, content string) error {
	if !isoName.MatchString(name) {
		return fmt.Errorf("putting an image into storage: %q is not the name of an ISO image", name)
	}
	if err := os.WriteFile(f.file(name), []byte(content), 0o600); err != nil {
		return fmt.Errorf("putting an image into storage: %w", err)
	}
	return nil
}

// list lists the images.
func (f isoFolder) list() ([]map[string]any, error) {
	list := []map[string]any{}
	files, err := os.ReadDir(filepath.Dir(f.file("any.iso")))
	if err != nil {
		return nil, fmt.Errorf("listing a storage: %w", err)
	}
	for _, file := range files {
		info, err := file.Info()
		if err != nil {
			continue // deleted in the meantime
		}
		list = append(list, map[string]any{
			"volid": ISOStorage + ":iso/" + file.Name(), "content": "iso", "format": "iso", "size": info.Size(),
			"ctime": info.ModTime().Unix(),
		})
	}
	return list, nil
}
