// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:43Z
// Spec: openspec/specs/ci/spec.md#requirement-one-package-for-the-ci-system
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

// Package ci is the CI system around a job, whichever it is. A forge says what
// happened; Read says what that asks for, as a function of one snapshot, and a
// Decision tells it to the other jobs of the run.
package ci

import (
	"fmt"
	"io"
	"os"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// PolicyCommit is the commit of the default branch whose project file counts for
// the job; of a change that of its base.
func (j Job) PolicyCommit() string {
	switch {
	case j.reading.decided != nil:
		return j.reading.decided.Policy
	case j.Unreviewed:
		return j.Base
	default:
		return j.reading.tip
	}
}

// ReadFile reads a whole regular file of at most limit bytes.
func ReadFile(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case !info.Mode().IsRegular():
		return nil, hybridcore.Usagef("%.200q is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading the event: %w", err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading the event: %w", err)
	case int64(len(data)) > limit:
		return nil, hybridcore.Usagef("%.200q has more than %d bytes", path, limit)
	}
	return data, nil
}
