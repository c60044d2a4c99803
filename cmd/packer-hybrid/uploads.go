// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:46Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// uploads is the folder of the files that a CI job gives to the system: fresh,
// outside of the checkout, and filled by this process only. The zero value is
// that of a command outside of a job, whose files go to artifacts/ at once.
type uploads string

// newUploads makes the folder.
func newUploads(in string) (uploads, error) {
	dir, err := os.MkdirTemp(in, "packer-hybrid-upload-")
	if err != nil {
		return "", fmt.Errorf("making the folder to upload: %w", err)
	}
	return uploads(dir), nil
}

// folder opens the folder of a file, by the file's path below artifacts/.
func (u uploads) folder(project, name string) (*os.Root, error) {
	if u == "" {
		return safefile.Folder(project, path.Join(artifacts, path.Dir(name)), 0o755)
	}
	return safefile.Folder(string(u), path.Dir(name), 0o755)
}

// artifact makes one file below artifacts/ of a project, redacted. In a CI job
// it is made in the folder to upload, and artifacts/ gets it at the job's end.
func (a *app) artifact(project, name string, render func(io.Writer) error) error {
	in, err := a.uploads.folder(project, name)
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer in.Close() //nolint:errcheck // nothing was written through it
	f, err := safefile.Create(in, path.Base(name), 0o644)
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	return errors.Join(a.redact(f, path.Ext(name), render), f.Close())
}

// redact passes on what is rendered, redacted: a document as one, so that it can be
// read whatever a secret is, and other text as it comes.
func (a *app) redact(to io.Writer, form string, render func(io.Writer) error) error {
	document := map[string]func([]byte) []byte{
		".json": a.Redactor.JSON, ".sarif": a.Redactor.JSON, ".xml": a.Redactor.XML,
	}[form]
	if document == nil {
		w := a.Redactor.Writer(to)
		return errors.Join(render(w), w.Close())
	}
	var text bytes.Buffer
	if err := render(&text); err != nil {
		return err
	}
	_, err := to.Write(document(text.Bytes()))
	return err //nolint:wrapcheck // the caller names the file
}

// emptyArtifacts removes from artifacts/ what the checkout brought: what git
// tracks, and all that is no regular file. What other jobs of the pipeline handed
// over stays, for who collects it.
func (a *app) emptyArtifacts(ctx context.Context, project string) error {
	root, err := os.OpenRoot(project)
	if err != nil {
		return fmt.Errorf("opening the project: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	info, err := root.Lstat(artifacts)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at artifacts/: %w", err)
	}
	var gone []string
	if !info.IsDir() {
		gone = append(gone, artifacts)
	} else if gone, err = a.foreignFiles(ctx, root); err != nil {
		return err
	}
	for _, name := range gone {
		if err := root.RemoveAll(name); err != nil {
			return fmt.Errorf("removing what the checkout brought: %w", err)
		}
	}
	return nil
}

// foreignFiles lists what is below artifacts/ and was not handed over.
func (a *app) foreignFiles(ctx context.Context, root *os.Root) ([]string, error) {
	var gone []string
	err := fs.WalkDir(root.FS(), artifacts, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !entry.Type().IsRegular() {
			gone = append(gone, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking at artifacts/: %w", err)
	}
	tracked, err := a.tracked(ctx, artifacts)
	return append(gone, tracked...), err
}

// tracked are the files at or below a path of the project that came with a
// commit; none where the project is in no repository.
func (a *app) tracked(ctx context.Context, name string) ([]string, error) {
	repo, err := a.repository()
	if _, none := errors.AsType[*hybridcore.UsageError](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, gitTime)
	defer cancel()
	return repo.Tracked(ctx, name)
}

// hand puts the files into artifacts/ of the project, in place of all that is
// there, and removes from the folder what is no regular file.
func (u uploads) hand(project string) error {
	if u == "" {
		return nil
	}
	from, err := safefile.ViewPrivate(string(u))
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // nothing was written through it
	to, err := os.OpenRoot(project)
	if err != nil {
		return fmt.Errorf("opening the project: %w", err)
	}
	if err := errors.Join(to.RemoveAll(artifacts), to.Close()); err != nil {
		return fmt.Errorf("emptying artifacts/: %w", err)
	}
	err = fs.WalkDir(from.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return from.RemoveAll(name)
		}
		return handOne(u, project, name)
	})
	if err != nil {
		return fmt.Errorf("copying the files of this job: %w", err)
	}
	return nil
}

// handOne copies one file into artifacts/.
func handOne(u uploads, project, name string) (err error) {
	from, err := u.folder("", name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := uploads("").folder(project, name)
	if err != nil {
		return err
	}
	return errors.Join(safefile.Copy(to, from, path.Base(name), 0o644), to.Close())
}

// withLogs copies the logs of a run's targets to the files of the job.
func (u uploads) withLogs(logs, run string) error {
	if u == "" || run == "" {
		return nil
	}
	from, err := safefile.ViewFolder(logs, run)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // no target was begun
	}
	if err != nil {
		return err
	}
	defer from.Close() //nolint:errcheck // nothing was written through it
	all, err := fs.ReadDir(from.FS(), ".")
	if err != nil {
		return fmt.Errorf("looking at the logs of the run: %w", err)
	}
	to, err := u.folder("", path.Join("logs", run, "x"))
	if err != nil {
		return err
	}
	for _, entry := range all {
		err = errors.Join(err, safefile.Copy(to, from, entry.Name(), 0o644))
	}
	return errors.Join(err, to.Close())
}
