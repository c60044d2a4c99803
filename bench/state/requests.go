// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:35:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package main

import (
	"context"
	"errors"
	"fmt"

	"gocloud.dev/blob/memblob"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/cloud"
)

// mostAppend is how many requests storing a record may take.
const mostAppend = 3

// requests prints what each operation asks of a bucket, which is in memory here: a
// request is a round trip to the cloud.
func requests(ctx context.Context) (err error) {
	b := cloud.New(memblob.OpenBucket(nil), bucket.S3, "", true)
	defer func() { err = errors.Join(err, b.Close()) }()
	s := state.New(b, state.Capabilities{})
	if err := errors.Join(s.Append(ctx, sample(0), nil), build(ctx, s)); err != nil {
		return err
	}
	var held *state.Held
	for _, of := range []struct {
		what string
		do   func() error
	}{
		{"status", func() error {
			_, err := s.Read(ctx)
			return err
		}},
		{"a record", func() error {
			_, err := s.Record(ctx, runID(0))
			return err
		}},
		{"append", func() error { return s.Append(ctx, sample(1), nil) }},
		{"update", func() error { return s.Update(ctx, func(*hybridcore.Snapshot) error { return nil }) }},
		{"lease", func() error {
			held, err = s.Acquire(ctx, hybridcore.Lease{Key: key(1), RunID: runID(1)})
			return err
		}},
		{"renew", func() error { return held.Renew(ctx) }},
		{"release", func() error { return held.Release(ctx) }},
	} {
		was := b.Requests()
		if err := of.do(); err != nil {
			return fmt.Errorf("%s: %w", of.what, err)
		}
		took := b.Requests() - was
		fmt.Printf("bucket, %-9s %2d requests\n", of.what, took)
		if of.what == "append" && took > mostAppend {
			return fmt.Errorf("an append takes %d requests, at most %d", took, mostAppend)
		}
	}
	return nil
}
