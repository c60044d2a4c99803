// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:49Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-storage
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// maxUpload bounds one uploaded file, in bytes. The largest installation media have about 7 GB.
const maxUpload = 16 << 30

// maxField bounds a field of an upload that is not the file, in bytes.
const maxField = 4096

// storageAPI answers calls on storages.
type storageAPI struct {
	store *store
	tasks *tasks
}

// checkStorage refuses what is not the directory storage.
func checkStorage(storage string) error {
	switch storage {
	case ISOStorage:
		return nil
	case DiskStorage:
		return refuse("can't upload to storage type 'lvmthin'")
	}
	return refuse("storage '%s' does not exist", storage)
}

// upload answers POST upload: fields, then the file, which is written as it arrives.
func (a *storageAPI) upload(w http.ResponseWriter, r *http.Request) {
	name, temporary, err := a.receive(w, r)
	if err != nil {
		answer(w, nil, err)
		return
	}
	data, err := a.tasks.run(r, job{
		kind: "imgcopy", undo: func() { _ = os.Remove(temporary) }, // goes with the lab otherwise
		do: func() error { return os.Rename(temporary, a.store.isos.file(name)) },
	})
	answer(w, data, err)
}

// receive reads an upload into a temporary file.
func (a *storageAPI) receive(w http.ResponseWriter, r *http.Request) (name, temporary string, err error) {
	if node := r.PathValue("node"); node != NodeName {
		return "", "", refuse("no such cluster node '%s'", node)
	}
	if err := checkStorage(r.PathValue("storage")); err != nil {
		return "", "", err
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxUpload)
	parts, err := r.MultipartReader()
	if err != nil {
		return "", "", &failure{status: http.StatusBadRequest, reason: "no multipart form: " + err.Error()}
	}
	fields := make(params)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return "", "", invalid("filename", "property is missing and it is not optional")
		}
		if err != nil {
			return "", "", &failure{status: http.StatusBadRequest, reason: "reading the upload: " + err.Error()}
		}
		if part.FileName() != "" {
			name, temporary, err := a.receiveFile(part, fields)
			return name, temporary, err
		}
		value, err := io.ReadAll(io.LimitReader(part, maxField))
		if err != nil {
			return "", "", &failure{status: http.StatusBadRequest, reason: "reading the upload: " + err.Error()}
		}
		fields[part.FormName()] = string(value)
	}
}

// receiveFile writes the file of an upload.
func (a *storageAPI) receiveFile(part *multipart.Part, fields params) (name, temporary string, err error) {
	name = part.FileName()
	switch {
	case fields.get("content") != "iso":
		return "", "", invalid("content", "value '"+fields.get("content")+"' does not have a value in the enumeration 'iso'")
	case !isoName.MatchString(name):
		return "", "", invalid("filename", "wrong file extension")
	}
	file, err := os.CreateTemp(filepath.Join(string(a.store.isos), ISOStorage, "tmp"), "pveupload-")
	if err != nil {
		return "", "", fmt.Errorf("storing the upload: %w", err)
	}
	_, err = io.Copy(file, part)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", "", errors.Join(fmt.Errorf("storing the upload: %w", err), os.Remove(file.Name()))
	}
	return name, file.Name(), nil
}

// downloadURL answers POST download-url. Nothing is fetched: a small file stands for the image.
func (a *storageAPI) downloadURL(r *http.Request, p params) (any, error) {
	name := p.get("filename")
	switch {
	case checkStorage(r.PathValue("storage")) != nil:
		return nil, checkStorage(r.PathValue("storage"))
	case p.get("content") != "iso":
		return nil, invalid("content", "value does not have a value in the enumeration 'iso'")
	case !isoName.MatchString(name):
		return nil, invalid("filename", "wrong file extension")
	case !strings.HasPrefix(p.get("url"), "http://") && !strings.HasPrefix(p.get("url"), "https://"):
		return nil, invalid("url", "value does not match the regex pattern")
	case (p.get("checksum") == "") != (p.get("checksum-algorithm") == ""):
		return nil, invalid("checksum", "missing property - 'checksum' and 'checksum-algorithm' go together")
	}
	return a.tasks.run(r, job{kind: "download", do: func() error {
		return a.store.isos.put(name,
			"stands for "+p.get("url")+"\n")
	}})
}

// remove answers DELETE content/{volume}. The volume may come with its storage or without.
func (a *storageAPI) remove(r *http.Request, _ params) (any, error) {
	storage := r.PathValue("storage")
	if err := checkStorage(storage); err != nil {
		return nil, err
	}
	name, ok := strings.CutPrefix(strings.TrimPrefix(r.PathValue("volume"), storage+":"), "iso/")
	if !ok || !isoName.MatchString(name) {
		return nil, refuse("unable to parse directory volume name '%s'", r.PathValue("volume"))
	}
	return a.tasks.run(r, job{kind: "imgdel", do: func() error {
		if err := os.Remove(a.store.isos.file(name)); err != nil {
			return refuse("unlink '/var/lib/vz/template/iso/%s' failed - No such file or directory", name)
		}
		return nil
	}})
}

// list answers GET content, of one kind or, for a machine, of one number.
func (a *storageAPI) list(r *http.Request, p params) (any, error) {
	storage := r.PathValue("storage")
	if storage != ISOStorage && storage != DiskStorage {
		return nil, refuse("storage '%s' does not exist", storage)
	}
	list, err := a.store.content(storage)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list, func(volume map[string]any) bool {
		kind, owner := p.get("content"), p.get("vmid")
		id, _ := volume["vmid"].(int)
		return (kind != "" && kind != volume["content"]) || (owner != "" && owner != strconv.Itoa(id))
	}), nil
}

// storages are the descriptions of both storages.
func storages() []map[string]any {
	size := map[string]any{
		"active": 1, "enabled": 1, "shared": 0, "total": 1 << 40, "used": 1 << 30,
		"avail": 1<<40 - 1<<30,
	}
	list := []map[string]any{
		{"storage": ISOStorage, "type": "dir", "content": "iso,vztmpl,snippets"},
		{"storage": DiskStorage, "type": "lvmthin", "content": "images,rootdir"},
	}
	for _, one := range list {
		maps.Copy(one, size)
	}
	return list
}

// listStorages answers GET storage.
func listStorages(*http.Request, params) (any, error) { return storages(), nil }

// storageStatus answers GET storage/{storage}/status.
func storageStatus(r *http.Request, _ params) (any, error) {
	for _, one := range storages() {
		if one["storage"] == r.PathValue("storage") {
			return one, nil
		}
	}
	return nil, refuse("storage '%s' does not exist", r.PathValue("storage"))
}
