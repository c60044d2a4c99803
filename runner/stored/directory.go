// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:48:59Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package stored

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git"
	"github.com/packer-hybrid/packer-hybrid/runner/places"
)

// Dir is the folder of a project's state.
func Dir(p config.Project) string {
	if filepath.IsAbs(p.State.Path) {
		return p.State.Path
	}
	return filepath.Join(p.Root, filepath.FromSlash(p.State.Path))
}

// upgraded says that the state has a new format from now on.
func upgraded(notes io.Writer, backup string) {
	_, _ = fmt.Fprintf(notes, "note: the state has a new format now, which an older packer-hybrid refuses; "+
		"the former files are kept in %s\n", backup) // who cannot be told finds the folder
}

// Untracked refuses a job's state that came with a commit: whoever wrote the
// commit would have written the records too.
func Untracked(ctx context.Context, env places.Env, of config.Project) error {
	if of.State.Backend != config.BackendDirectory || filepath.IsAbs(of.State.Path) {
		return nil
	}
	brought, err := Tracked(ctx, env, of.Root, of.State.Path)
	if err != nil {
		return err
	}
	if len(brought) > 0 {
		return hybridcore.Blockedf("%s came with the commit, so that its author and not a run has written the state: "+
			"set %s to a folder outside of the checkout, and run `git rm -r --cached %s`", brought[0], Variable,
			of.State.Path)
	}
	return nil
}

// ownState refuses a state below the project whose path holds a link or a folder
// of another user, as far as it is there.
func ownState(p config.Project) error {
	if filepath.IsAbs(p.State.Path) {
		return nil
	}
	in, err := safefile.ViewFolder(p.Root, p.State.Path)
	if err == nil {
		err = in.Close()
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &hybridcore.BlockedError{Msg: "the state's folder in the project is not usable; for one elsewhere set " +
		Variable + " to its whole path", Err: err}
}

// GitTime bounds one question to git, which reads the history of the clone.
const GitTime = time.Minute

// Tracked are the files at or below a path of the project that came with a
// commit; none where the project is in no repository.
func Tracked(ctx context.Context, env places.Env, root, name string) ([]string, error) {
	repo, err := git.Open(root, env)
	if _, none := errors.AsType[*hybridcore.UsageError](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, GitTime)
	defer cancel()
	return repo.Tracked(ctx, name)
}

// Variable names the state in place of the project's: the whole path of a
// folder, since the project's lies in a checkout, which the next job of a CI system
// cleans; git+ADDRESS#REF, a ref of a repository; or the address of a bucket.
const Variable = "PACKER_HYBRID_STATE"
