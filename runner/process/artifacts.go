// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/security/spec.md#requirement-the-checkout-is-hostile
// Diagram: openspec/specs/security/diagram.md#where-a-job-writes

package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// Artifact makes one file below artifacts/ of a project, redacted. In a CI job
// it is made in the folder to upload, and artifacts/ gets it at the job's end.
func (p Process) Artifact(project, name string, render func(io.Writer) error) error {
	in, err := p.Uploads.folder(project, name)
	if err != nil {
		return fmt.Errorf("opening the folder: %w", err)
	}
	defer in.Close() //nolint:errcheck // nothing was written through it
	f, err := safefile.Create(in, path.Base(name), 0o644)
	if err != nil {
		return fmt.Errorf("making the file: %w", err)
	}
	return errors.Join(writeRedacted(p.Redactor, f, path.Ext(name), render), f.Close())
}

// writeRedacted passes on what is rendered, redacted: a document as one, so that it can be
// read whatever a secret is, and other text as it comes.
func writeRedacted(by *redact.Redactor, to io.Writer, form string, render func(io.Writer) error) error {
	document := map[string]func([]byte) []byte{
		".json": by.JSON, ".sarif": by.JSON, ".xml": by.XML,
	}[form]
	if document == nil {
		w := by.Writer(to)
		return errors.Join(render(w), w.Close())
	}
	var text bytes.Buffer
	if err := render(&text); err != nil {
		return err
	}
	_, err := to.Write(document(text.Bytes()))
	return err //nolint:wrapcheck // the caller names the file
}

// EmptyArtifacts removes from artifacts/ what the checkout brought: what git
// tracks, and all that is no regular file. What other jobs of the pipeline handed
// over stays, for who collects it.
func (p Process) EmptyArtifacts(ctx context.Context, project string) error {
	root, err := os.OpenRoot(project)
	if err != nil {
		return fmt.Errorf("opening the project: %w", err)
	}
	defer root.Close() //nolint:errcheck // nothing was written through it
	info, err := root.Lstat(ArtifactsDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking at artifacts/: %w", err)
	}
	var gone []string
	if !info.IsDir() {
		gone = append(gone, ArtifactsDir)
	} else if gone, err = p.foreignFiles(ctx, root); err != nil {
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
func (p Process) foreignFiles(ctx context.Context, root *os.Root) ([]string, error) {
	var gone []string
	err := fs.WalkDir(root.FS(), ArtifactsDir, func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && !entry.Type().IsRegular() {
			gone = append(gone, name)
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("looking at artifacts/: %w", err)
	}
	tracked, err := stored.Tracked(ctx, p.Places(), p.Top(), ArtifactsDir)
	return append(gone, tracked...), err
}
