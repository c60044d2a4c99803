// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:04:46Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// ArtifactsDir is the folder of a job's files, in the project.
const ArtifactsDir = "artifacts"

// Uploads is the folder of the files that a CI job gives to the system: fresh,
// outside of the checkout, and filled by this process only. The zero value is
// that of a command outside of a job, whose files go to artifacts/ at once.
type Uploads string

// NewUploads makes the folder.
func NewUploads(in string) (Uploads, error) {
	dir, err := os.MkdirTemp(in, "packer-hybrid-upload-")
	if err != nil {
		return "", fmt.Errorf("making the folder to upload: %w", err)
	}
	return Uploads(dir), nil
}

// folder opens the folder of a file, by the file's path below artifacts/.
func (u Uploads) folder(project, name string) (*os.Root, error) {
	if u == "" {
		return safefile.Folder(project, path.Join(ArtifactsDir, path.Dir(name)), 0o755)
	}
	return safefile.Folder(string(u), path.Dir(name), 0o755)
}

// Hand puts the files into artifacts/ of the project, in place of all that is
// there, and removes from the folder what is no regular file.
func (u Uploads) Hand(project string) error {
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
	if err := errors.Join(to.RemoveAll(ArtifactsDir), to.Close()); err != nil {
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
func handOne(u Uploads, project, name string) (err error) {
	from, err := u.folder("", name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := Uploads("").folder(project, name)
	if err != nil {
		return err
	}
	return errors.Join(safefile.Copy(to, from, path.Base(name), 0o644), to.Close())
}

// WithLogs copies the logs of a run's targets to the files of the job.
func (u Uploads) WithLogs(logs, run string) error {
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
