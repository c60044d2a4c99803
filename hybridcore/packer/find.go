// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:17Z
// Spec: openspec/specs/packer/spec.md#requirement-finding-packer
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/hashicorp/go-version"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// versionTimeout bounds `packer version`, which takes about 50 ms.
const versionTimeout = 10 * time.Second

// maxVersionOutput bounds what is kept of a candidate's answer, in bytes.
const maxVersionOutput = 64 << 10

var versionLine = regexp.MustCompile(`(?m)^Packer v(\d+\.\d+\.\d+\S*)`)

// Find returns the first candidate (a path, or a name looked up on PATH) that
// answers `packer version` and is at least minimum. When there is none, the
// error is a hybridcore.BlockedError that names every candidate and why it was
// not taken. PluginDirs and Grace of the Tool are left to the caller.
func Find(ctx context.Context, candidates []string, minimum string) (Tool, error) {
	return Memory("").Find(ctx, candidates, minimum)
}

// Find is like the function Find, and does not ask a binary again that it
// remembers.
func (m Memory) Find(ctx context.Context, candidates []string, minimum string) (Tool, error) {
	want, err := version.NewVersion(minimum)
	if err != nil {
		return Tool{}, fmt.Errorf("reading the oldest packer version %q: %w", minimum, err)
	}
	var tried []string
	for _, candidate := range candidates {
		tool, err := m.ask(ctx, candidate)
		if ctx.Err() != nil {
			return Tool{}, fmt.Errorf("looking for packer: %w", context.Cause(ctx))
		}
		if err != nil {
			tried = append(tried, fmt.Sprintf("%s: %v", candidate, err))
			continue
		}
		got, err := version.NewVersion(tool.Version)
		if err != nil || got.Core().LessThan(want) {
			tried = append(tried, fmt.Sprintf("%s: version %s is older than %s", tool.Path, tool.Version, minimum))
			continue
		}
		return tool, nil
	}
	if len(tried) == 0 {
		tried = []string{"no candidate was named"}
	}
	return Tool{}, hybridcore.Blockedf(
		"packer %s or newer is needed and was not found (%s); run `make tools`, or install it from "+
			"https://developer.hashicorp.com/packer/install", minimum, strings.Join(tried, "; "))
}

// ask finds out the version of one candidate.
func (m Memory) ask(ctx context.Context, candidate string) (Tool, error) {
	path, err := exec.LookPath(candidate)
	if err != nil {
		return Tool{}, notFound(candidate, err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return Tool{}, fmt.Errorf("resolving the path: %w", err)
	}
	answer := m.recall("version", path)
	if answer == "" {
		if answer, err = askVersion(ctx, path); err != nil {
			return Tool{}, err
		}
		m.remember("version", path, answer)
	}
	return Tool{Path: path, Version: answer, Memory: m}, nil
}

// askVersion runs `packer version`.
func askVersion(ctx context.Context, path string) (string, error) {
	dir, err := os.MkdirTemp("", "ph-version-")
	if err != nil {
		return "", fmt.Errorf("making a scratch directory: %w", err)
	}
	defer func() { _ = os.RemoveAll(dir) }() // a leftover is harmless
	dirs := scratch(dir)
	if err := dirs.make(); err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, versionTimeout,
		fmt.Errorf("no answer to `packer version` within %s", versionTimeout))
	defer cancel()
	var out, errs bytes.Buffer
	end, err := child.Run(ctx, versionCmd(ctx, path, os.Environ(), dirs), child.Watch{
		Grace: 100 * time.Millisecond, Marker: dirs.marker(),
		Stdout: keep(&out, maxVersionOutput), Stderr: keep(&errs, maxVersionOutput),
	})
	switch {
	case err != nil:
		return "", err
	case end.Cancelled:
		return "", context.Cause(ctx)
	}
	found := versionLine.FindSubmatch(out.Bytes())
	if found == nil || end.Code != 0 {
		return "", fmt.Errorf("`packer version` ended with %s and said %.200q", end,
			text.Sanitize(output.FirstLine(out.String()+errs.String())))
	}
	return string(found[1]), nil
}

func notFound(candidate string, err error) error {
	switch {
	case strings.ContainsRune(candidate, filepath.Separator) && errors.Is(err, os.ErrNotExist):
		return errors.New("no such file")
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("not on PATH")
	default:
		return err
	}
}

// keep reads a pipe to its end and keeps the beginning, up to so many bytes.
func keep(to *bytes.Buffer, limit int64) func(io.Reader) {
	return func(r io.Reader) {
		_, _ = io.Copy(to, io.LimitReader(r, limit)) // an error ends the answer
		_, _ = io.Copy(io.Discard, r)
	}
}
