// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:09:01Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package cloud

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gocloud.dev/blob"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// markKey is the metadata of an object that tells which call has put it. When an answer
// is lost, or a library asks again after one was lost, the put finds an object of its
// name; equal content would not tell whose it is, since two runs may store the same.
const markKey = "packerhybridput"

// Put implements state.Writer.
func (b *Backend) Put(ctx context.Context, name string, data []byte) error {
	if err := state.CheckPut(name, data); err != nil {
		return err
	}
	if err := b.prove(ctx); err != nil {
		return err
	}
	return b.put(ctx, name, data)
}

// put puts an object under a mark of this call.
func (b *Backend) put(ctx context.Context, name string, data []byte) error {
	key, mark, sent, lost, there := b.prefix+name, rand.Text(), false, false, false
	err := b.again(ctx, func(ctx context.Context) error {
		sent = true
		err := b.write(ctx, key, mark, data)
		if there = is(err) == isThere; there {
			return nil
		}
		lost = lost || err != nil && unsure(err)
		return err
	})
	ours := !there
	if err == nil && there { // a request of its own, which may take as long
		err = b.again(ctx, func(ctx context.Context) (err error) {
			ours, err = b.mine(ctx, key, mark)
			return err
		})
	}
	switch {
	case err == nil && ours:
		return nil
	case err == nil:
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	case !sent || !lost && !unsure(err):
		return b.explained("storing "+name, err)
	}
	patience := b.times.attempt
	if ctx.Err() != nil {
		patience = b.times.look
	}
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	b.requests.Add(1)
	ours, looked := b.mine(after, key, mark)
	switch {
	case ours:
		return nil
	case looked != nil:
		return fmt.Errorf("storing %s: it is not known whether it is stored: %w", name, shortened(err))
	case there:
		return fmt.Errorf("%s: %w", name, fs.ErrExist)
	}
	return fmt.Errorf("storing %s: it is not stored yet, and the server may still do it: %w", name, shortened(err))
}

func (b *Backend) write(ctx context.Context, key, mark string, data []byte) error {
	//nolint:wrapcheck // by the caller
	return b.b.WriteAll(ctx, key, data, &blob.WriterOptions{
		IfNotExist: true, Metadata: map[string]string{markKey: mark}, ContentType: "application/octet-stream",
		BufferSize: max(len(data)+1, 5<<20), MaxConcurrency: 1, // one request, so that no parts are left
	})
}

// mine tells whether an object is there that the call of a mark has put.
func (b *Backend) mine(ctx context.Context, key, mark string) (bool, error) {
	about, err := b.b.Attributes(ctx, key)
	if is(err) == isMissing {
		return false, nil // there was one, and somebody has removed it
	}
	if err != nil {
		return false, err //nolint:wrapcheck // by the caller
	}
	for key, value := range about.Metadata {
		if strings.EqualFold(key, markKey) {
			return value == mark, nil
		}
	}
	return false, nil
}

// probe is no name of an object, and stays in the bucket.
const probe = ".writes-over-nothing"

// prove checks once that the server refuses to write over an object: one that does not
// know the condition ignores it, and takes the leases of others.
func (b *Backend) prove(ctx context.Context) error {
	b.proving.Lock()
	defer b.proving.Unlock()
	for range 2 {
		if b.proven {
			return nil
		}
		err := b.put(ctx, probe, nil)
		b.proven = errors.Is(err, fs.ErrExist)
		if err != nil && !b.proven {
			return err
		}
	}
	if !b.proven {
		return hybridcore.Blockedf("the server writes over objects that are there, although it was asked not to: it does " +
			"not know conditional writes (If-None-Match), without which two runs take one lease; use one that does")
	}
	return nil
}
