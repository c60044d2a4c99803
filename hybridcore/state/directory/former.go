// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:08:26Z
// Spec: openspec/specs/state/spec.md#requirement-the-former-format
// Diagram: openspec/specs/state/diagram.md#upgrade

package directory

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// formerFiles shows a state of the former format as objects, to read only.
type formerFiles struct {
	*Directory
	locked  bool // the directory, by who uses this
	records formerLines
}

// isFormer says whether a directory holds a state of the former format, which an
// upgrade leaves as it is until the file of the snapshot says that it has moved.
func (d disk) isFormer() (bool, error) {
	text, err := d.readFile(formerSnapshot)
	if _, malformed := errors.AsType[state.FormError](err); err == nil || malformed {
		return !moved(text), nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	for _, name := range append(formerGenerations(), formerRecords) {
		if is, err := d.has(name); is || err != nil {
			return is, err
		}
	}
	keys, err := d.formerKeys()
	return len(keys) > 0, err
}

// has says whether there is a file of that name, whatever it is.
func (d disk) has(name string) (bool, error) {
	_, err := d.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("looking for %s: %w", name, err)
	}
	return true, nil
}

// moved says whether the file of the former snapshot is what an upgrade put in
// its place.
func moved(text []byte) bool {
	var head struct {
		MovedTo string `json:"moved_to"`
	}
	return json.Unmarshal(text, &head) == nil && head.MovedTo != ""
}

// formerKeys lists the keys that have a lease of the former format.
func (d disk) formerKeys() ([]string, error) {
	var keys []string
	entries, err := d.entries(formerLeases)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		file, ok := strings.CutSuffix(e.Name(), formerLease)
		if ok && !e.IsDir() && !strings.HasPrefix(file, ".") {
			keys = append(keys, strings.Replace(file, "+", "/", 1))
		}
	}
	return keys, nil
}

func leaseFile(key string) string { return path.Join(formerLeases, flatKey(key)+formerLease) }

func leaseLock(key string) string { return path.Join(formerLeases, flatKey(key)+formerLock) }

// files are those that hold one object, by its name. The newest snapshot is
// among them when only older ones are there: it is missing, which is refused when
// it is read.
func (f *formerFiles) files() (map[string]string, error) {
	all := map[string]string{}
	for i, file := range formerGenerations() {
		is, err := f.has(file)
		if err != nil {
			return nil, err
		}
		if is || file == formerSnapshot && len(all) > 0 {
			all[state.Generation(state.SnapshotFolder, uint64(i)+1)] = file
		}
	}
	keys, err := f.formerKeys()
	for _, key := range keys {
		all[state.Generation(state.LeaseFolder(key), 1)] = leaseFile(key)
	}
	return all, err
}

// Get returns an object.
func (f *formerFiles) Get(ctx context.Context, name string) ([]byte, error) {
	if strings.HasPrefix(name, state.RecordsFolder+"/") {
		return f.records.line(f.disk, name)
	}
	files, err := f.files()
	if err != nil {
		return nil, err
	}
	file, ok := files[name]
	if !ok {
		return f.Directory.Get(ctx, name)
	}
	data, err := f.readFile(file)
	if file == formerSnapshot && errors.Is(err, fs.ErrNotExist) {
		return nil, state.FormError("it is missing, but a former generation of it is there")
	}
	return data, err
}

// List yields in order the names of the objects below a folder.
func (f *formerFiles) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	switch folder {
	case state.RecordsFolder + "/":
		return f.records.names(f.disk)
	case "":
		return f.all(ctx)
	}
	if folder != state.SnapshotFolder && !strings.HasPrefix(folder, formerLeases+"/") {
		return f.Directory.List(ctx, folder)
	}
	return func(yield func(string, error) bool) {
		files, err := f.files()
		if err != nil {
			yield("", err)
			return
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if strings.HasPrefix(name, folder) && !yield(name, nil) {
				return
			}
		}
	}
}

// all yields in order the names of all objects.
func (f *formerFiles) all(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, folder := range []string{
			formerLeases + "/", "records/", state.RecordsFolder + "/", state.SnapshotFolder, "tickets/",
		} {
			for name, err := range f.List(ctx, folder) {
				if !yield(name, err) || err != nil {
					return
				}
			}
		}
	}
}

// errReadOnly refuses to write what is only shown.
func (f *formerFiles) errReadOnly() error {
	return hybridcore.Blockedf("the state in %s has the former format and was opened to read it only", f.path)
}

// Put stores nothing.
func (f *formerFiles) Put(context.Context, string, []byte) error { return f.errReadOnly() }

// Delete removes nothing.
func (f *formerFiles) Delete(context.Context, string) error { return f.errReadOnly() }

// Where is the path of the file that holds an object.
func (f *formerFiles) Where(name string) string {
	files, _ := f.files() // without them the name must do
	switch file := files[name]; {
	case file != "":
		name = file
	case strings.HasPrefix(name, state.RecordsFolder):
		name = formerRecords
	case strings.HasPrefix(name, state.SnapshotFolder):
		name = formerSnapshot
	}
	return f.Directory.Where(name)
}

// Copy is the command that copies one.
func (f *formerFiles) Copy(from, to string) string { return copyCommand(f.Where(from), f.Where(to)) }

// Hold holds nothing.
func (f *formerFiles) Hold(context.Context, string, string, string, func(state.Life) error) (state.Hold, error) {
	return nil, f.errReadOnly()
}

// Probe says what the lock of a lease tells of its holder.
func (f *formerFiles) Probe(ctx context.Context, key, mark string) (state.Life, error) {
	if !f.locked {
		return f.lockedProbe(ctx, leaseLock(key), mark)
	}
	return f.probe(leaseLock(key), mark), nil
}

// Who is the command that shows who has a key locked.
func (f *formerFiles) Who(key string) string {
	return "fuser -v " + quote(f.Directory.Where(leaseLock(key)))
}
