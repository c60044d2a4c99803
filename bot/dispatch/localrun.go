// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:56:00Z
// Spec: openspec/specs/bot/spec.md#requirement-runs-on-this-machine
// Diagram: openspec/specs/bot/diagram.md#a-run-on-this-machine

package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/gofrs/flock"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// LocalRun is a run on this machine, seen from its process.
type LocalRun struct {
	Order cirun.Order
	Tree  string // the project at the order's commit

	dir  string
	lock *flock.Flock

	mu       sync.Mutex
	progress cirun.Progress
	failed   error // to write something
}

// Take takes the run of a folder for this process, and checks its commit out of
// the repository. It gives fs.ErrExist when another process has or had it.
func Take(ctx context.Context, dir, repository string) (*LocalRun, error) {
	r := &LocalRun{dir: dir, Tree: filepath.Join(dir, dirTree)}
	found, err := read(dir, fileOrder, &r.Order)
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, hybridcore.Usagef("there is no order in %s; packer-hybrid bot starts runs itself", dir)
	}
	path := filepath.Join(dir, fileStarted)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("taking run %s: %w", r.Order.Request, err)
	}
	_, err = fmt.Fprintln(f, os.Getpid())
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return nil, fmt.Errorf("taking run %s: %w", r.Order.Request, err)
	}
	r.lock = flock.New(path)
	if err := r.lock.Lock(); err != nil {
		return nil, fmt.Errorf("locking run %s: %w", r.Order.Request, err)
	}
	if err := r.checkout(ctx, repository); err != nil {
		return r, err
	}
	return r, nil
}

// checkout checks the commit out: the repository's own files are shared, and
// nothing is changed in it.
func (r *LocalRun) checkout(ctx context.Context, repository string) error {
	commit := r.Order.Commit
	if !hybridcore.IsObjectID(commit) {
		return hybridcore.Usagef("%.80q is not the full object ID of a commit", commit)
	}
	if _, err := git(ctx, r.dir, "clone", "--quiet", "--shared", "--no-checkout", "--template=", "--", repository,
		r.Tree); err != nil {
		return err
	}
	_, err := git(ctx, r.Tree, "checkout", "--quiet", "--detach", commit)
	return err
}

// Event shows what a target does.
func (r *LocalRun) Event(e hybridcore.Event) {
	if e.Target == "" || e.Kind == hybridcore.EventOutput || e.Kind == hybridcore.EventNote {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.progress.Targets
	at := slices.IndexFunc(all, func(t cirun.Target) bool { return t.Name == e.Target })
	if at < 0 {
		all = append(all, cirun.Target{Name: e.Target})
		at = len(all) - 1
	}
	all[at].Status, all[at].Step = "running", e.Text
	if e.Kind == hybridcore.EventDone {
		all[at].Status, all[at].Step, all[at].Duration = e.Text, "", e.Elapsed
	}
	r.progress.Targets = all
	r.failed = errors.Join(r.failed, write(r.dir, fileProgress, r.progress))
}

// End writes the end of the run: by its answer when there is one.
func (r *LocalRun) End(code int, answer *hybridcore.Answer, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.progress
	p.Done = true
	if p.Outcome = (cirun.Outcome{Status: cirun.Ended(code)}); p.Outcome.Status == cirun.Answered {
		p.Outcome = Unseen()
	}
	if err != nil {
		p.Outcome.Why = text.Sanitize(err.Error())
	} else if code != hybridcore.ExitOK && code != hybridcore.ExitChanges {
		p.Outcome.Why = fmt.Sprintf("packer-hybrid ended with exit code %d; see %s", code, filepath.Join(r.dir, fileLog))
	}
	if answer != nil {
		p = WithAnswer(p, r.Order, *answer)
	}
	return errors.Join(r.failed, write(r.dir, fileExit, p), os.RemoveAll(r.Tree), r.lock.Unlock())
}

// Taken says whether an error of Take means that the run is somebody else's.
func Taken(err error) bool { return errors.Is(err, fs.ErrExist) }
