// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:29:00Z
// Spec: openspec/specs/leases/spec.md#requirement-cds-without-a-machine
// Diagram: openspec/specs/leases/diagram.md#reap

package build

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Limits of what is read in the scratch directory of an ended run. A build makes
// a CD or two and some tens of temporary files.
const (
	maxScratchFiles = 10_000
	maxMedia        = 64
)

// scratchRule is the name of a scratch directory.
var scratchRule = regexp.MustCompile(`^ph-[a-z2-7]{10}$`)

// openScratch opens the scratch directory of an ended run; nil when it is not
// there, as on every host but the run's own. The path comes from a file: what is
// not this user's own private directory is left alone.
func openScratch(path string) (*os.Root, error) {
	if path == "" {
		return nil, nil
	}
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || !scratchRule.MatchString(filepath.Base(path)) {
		return nil, errors.New("it does not have the name of one")
	}
	named, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says all
	}
	owner, ok := named.Sys().(*syscall.Stat_t)
	if !ok || !named.IsDir() || named.Mode().Perm() != 0o700 || int(owner.Uid) != os.Getuid() {
		return nil, errors.New("it is not a directory of this user's with mode 0700")
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says all
	}
	if opened, err := root.Stat("."); err != nil || !os.SameFile(named, opened) {
		return nil, errors.Join(errors.New("it was replaced meanwhile"), err, root.Close())
	}
	return root, nil
}

// leftMedia lists the CDs that Packer made in a scratch directory and has not removed.
func leftMedia(path string) (media []string, err error) {
	root, err := openScratch(path)
	if err != nil || root == nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	dir, err := root.Open(packer.TempDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says all
	}
	defer func() { _ = dir.Close() }() // opened for reading
	names, err := dir.Readdirnames(maxScratchFiles)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err //nolint:wrapcheck // a PathError says all
	}
	media = slices.DeleteFunc(names, func(name string) bool { return !hybridcore.IsMedium(name) })
	if len(names) == maxScratchFiles || len(media) > maxMedia {
		return nil, fmt.Errorf("it has %d files or more, or more than %d CDs: no build makes as many", maxScratchFiles,
			maxMedia)
	}
	slices.Sort(media)
	return media, nil
}

// listMedia adds to an ended run's lease which CDs its Packer left.
func (s Stage) listMedia(lease *hybridcore.Lease) (added bool) {
	media, err := leftMedia(lease.Scratch)
	if err != nil {
		s.Project.Log.Warn("scratch directory of an ended run not read: a CD that it uploaded may stay", "run", lease.RunID,
			"path", lease.Scratch, "error", err)
	}
	all := slices.Concat(lease.Media, media)
	slices.Sort(all)
	all = slices.Compact(all)
	added = len(all) > len(lease.Media)
	lease.Media = all
	return added
}

// clear removes the scratch directory of an ended run when the lease has the
// names of its CDs. Packer's log there has unmasked secrets.
func (s Stage) clear(ctx context.Context, held *state.Held, lease *hybridcore.Lease) error {
	if s.listMedia(lease) {
		if err := held.Left(context.WithoutCancel(ctx), lease.RunID, lease.Media); err != nil {
			return err
		}
	}
	root, err := openScratch(lease.Scratch)
	if err != nil || root == nil {
		return nil //nolint:nilerr // listMedia has told
	}
	err = errors.Join(root.Close(), os.RemoveAll(lease.Scratch))
	if err != nil { // a Packer that outlives its run may still write there
		s.Project.Log.Warn("scratch directory of an ended run not removed", "run", lease.RunID, "path", lease.Scratch,
			"error", err)
	}
	return nil
}
