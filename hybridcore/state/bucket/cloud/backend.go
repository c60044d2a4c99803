// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:09:01Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package cloud

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"time"

	"gocloud.dev/blob"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Get implements state.Reader.
func (b *Backend) Get(ctx context.Context, name string) ([]byte, error) {
	if err := state.CheckObject(name); err != nil {
		return nil, err
	}
	var data []byte
	err := b.again(ctx, func(ctx context.Context) (err error) {
		data, err = b.read(ctx, b.prefix+name)
		return err
	})
	if is(err) == isMissing {
		return nil, fmt.Errorf("%s: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, b.explained("reading "+name, err)
	}
	return data, nil
}

func (b *Backend) read(ctx context.Context, key string) (data []byte, err error) {
	r, err := b.b.NewReader(ctx, key, nil)
	if err != nil {
		return nil, err //nolint:wrapcheck // by the caller
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if r.Size() > state.MaxObject {
		return nil, state.TooLarge(r.Size())
	}
	data, err = io.ReadAll(io.LimitReader(r, state.MaxObject+1))
	if err == nil && len(data) > state.MaxObject {
		return nil, state.TooLarge(int64(len(data)))
	}
	return data, err //nolint:wrapcheck // by the caller
}

// List implements state.Reader. The clouds list a thousand names a request, in order.
// Each page is of one moment. What is put and deleted between two pages of a folder may
// be left out or be too much, as for one that lists and then reads; the newest of
// numbered objects is never left out, since it comes last.
func (b *Backend) List(ctx context.Context, folder string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var names []string
		err := b.again(ctx, func(ctx context.Context) (err error) {
			names, err = b.list(ctx, folder)
			return err
		})
		if err != nil {
			yield("", b.explained("listing "+folder, err))
			return
		}
		for _, name := range names {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// maxNames bounds the names of a folder.
const maxNames = 2 << 20

func (b *Backend) list(ctx context.Context, folder string) ([]string, error) {
	var names []string
	token := blob.FirstPageToken
	for {
		page, next, err := b.b.ListPage(ctx, token, 1000, &blob.ListOptions{Prefix: b.prefix + folder})
		if err != nil {
			return nil, err //nolint:wrapcheck // by the caller
		}
		for _, o := range page {
			// What is none of our names, such as the empty object that a console makes for
			// a folder, is no object of the state.
			if name := strings.TrimPrefix(o.Key, b.prefix); state.CheckObject(name) == nil {
				names = append(names, name)
			}
		}
		if len(names) > maxNames {
			return nil, state.FormError(fmt.Sprintf("there are more than %d objects below %s", maxNames, folder))
		}
		if token = next; len(token) == 0 {
			break
		}
		b.requests.Add(1)
	}
	slices.Sort(names) // hierarchical namespaces of Azure have an order of their own
	return names, nil
}

// Newest is when the newest of the first thousand leases was stored, by the bucket's own
// clock; the zero value when there are none. A run that is at work stores its lease anew
// every few minutes.
func (b *Backend) Newest(ctx context.Context) (newest time.Time, err error) {
	err = b.again(ctx, func(ctx context.Context) error {
		page, _, err := b.b.ListPage(ctx, blob.FirstPageToken, 1000, &blob.ListOptions{Prefix: b.prefix + state.LeasesFolder})
		for _, o := range page {
			if o.ModTime.After(newest) {
				newest = o.ModTime
			}
		}
		return err //nolint:wrapcheck // by the caller
	})
	if err != nil {
		return time.Time{}, b.explained("reading the bucket's clock", err)
	}
	return newest, nil
}

// Delete implements state.Writer.
func (b *Backend) Delete(ctx context.Context, name string) error {
	if err := state.CheckObject(name); err != nil {
		return err
	}
	err := b.again(ctx, func(ctx context.Context) error {
		return b.b.Delete(ctx, b.prefix+name)
	})
	if err != nil && is(err) != isMissing {
		return b.explained("removing "+name, err)
	}
	return nil
}
