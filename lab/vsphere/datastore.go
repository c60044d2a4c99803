// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:42:10Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi/find"
)

// The datastore, and its folders.
const (
	datastoreName = "LocalDS_0"

	isoFolder   = "iso"
	cacheFolder = "packer_cache" // where the plugin uploads the CDs of builds
)

// datastore is the directory behind LocalDS_0.
type datastore struct{ dir string }

// newDatastore makes the folders, and files that stand for installation media: nothing boots from them.
func newDatastore(dir string, media []string) (datastore, error) {
	for _, folder := range []string{isoFolder, cacheFolder} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return datastore{}, fmt.Errorf("making the datastore: %w", err)
		}
	}
	for _, name := range media {
		content := []byte("stands for the installation medium " + name + "\n")
		if err := os.WriteFile(filepath.Join(dir, isoFolder, name), content, 0o600); err != nil {
			return datastore{}, fmt.Errorf("writing an installation medium: %w", err)
		}
	}
	return datastore{dir}, nil
}

// mount makes the directory the datastore of every host.
func (d datastore) mount(ctx context.Context, finder *find.Finder) error {
	hosts, err := finder.HostSystemList(ctx, "*/*")
	if err != nil {
		return fmt.Errorf("finding hosts: %w", err)
	}
	for _, host := range hosts {
		system, err := host.ConfigManager().DatastoreSystem(ctx)
		if err != nil {
			return fmt.Errorf("making the datastore: %w", err)
		}
		if _, err := system.CreateLocalDatastore(ctx, datastoreName, d.dir); err != nil {
			return fmt.Errorf("making the datastore: %w", err)
		}
	}
	return nil
}

// datastorePath is where vCenter gives out and takes the files of datastores.
const datastorePath = "/folder/"

// before answers for the files of the datastore before the simulator does, whose own handler reads the
// inventory without the locks under which other calls change it.
func (d datastore) before(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(datastorePath, d)
	mux.Handle("/", next)
	return mux
}

// ServeHTTP gives out and takes a file.
func (d datastore) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name := r.URL.Query().Get("dsName"); name != "" && name != datastoreName {
		http.NotFound(w, r)
		return
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer func() { _ = root.Close() }() // a folder
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		http.StripPrefix(datastorePath, http.FileServerFS(root.FS())).ServeHTTP(w, r)
		return
	}
	switch err := upload(root, r); {
	case errors.Is(err, fs.ErrExist):
		w.WriteHeader(http.StatusConflict)
	case err != nil:
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

// upload writes a file of the datastore. POST makes a new one only, PUT replaces one.
func upload(root *os.Root, r *http.Request) error {
	name := strings.TrimPrefix(r.URL.Path, datastorePath)
	how := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if r.Method == http.MethodPost {
		how |= os.O_EXCL
	}
	if err := root.MkdirAll(path.Dir(name), 0o700); err != nil {
		return fmt.Errorf("uploading to the datastore: %w", err)
	}
	file, err := root.OpenFile(name, how, 0o600)
	if err != nil {
		return fmt.Errorf("uploading to the datastore: %w", err)
	}
	_, err = io.Copy(file, r.Body)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("uploading to the datastore: %w", err)
	}
	return nil
}
