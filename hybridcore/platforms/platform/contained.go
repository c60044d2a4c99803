// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:44:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-answers-are-not-trusted
// Diagram: openspec/specs/platforms/diagram.md#answers-that-are-not-trusted

package platform

import (
	"context"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// contained is a client whose panics are errors. The libraries decode and follow
// what a platform sends by themselves: govmomi, for one, dereferences the managers
// that vCenter says it has. A lookup that panics is one that failed: nobody takes
// it for an empty list.
type contained struct{ inner Client }

// Contained opens a client, and contains its panics and those of opening it.
func Contained(open func() (Client, error)) (Client, error) {
	var c contained
	err := hybridcore.Contain(func() (err error) {
		c.inner, err = open()
		return err
	})
	if err != nil {
		return nil, unusable(err)
	}
	return c, nil
}

// Find implements Client.
func (c contained) Find(ctx context.Context, name string) (found []hybridcore.URI, err error) {
	err = hybridcore.Contain(func() error {
		found, err = c.inner.Find(ctx, name)
		return err
	})
	return found, unusable(err)
}

// Reap implements Client.
func (c contained) Reap(ctx context.Context, left hybridcore.Remains, dry bool) (done []hybridcore.URI, err error) {
	err = hybridcore.Contain(func() error {
		done, err = c.inner.Reap(ctx, left, dry)
		return err
	})
	return done, unusable(err)
}

// Mark implements Marker.
func (c contained) Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (changed bool, err error) {
	err = hybridcore.Contain(func() error {
		changed, err = c.inner.Mark(ctx, of, mark)
		return err
	})
	return changed, unusable(err)
}

// Look implements Looker.
func (c contained) Look(ctx context.Context, of []hybridcore.URI) (seen []hybridcore.Seen, err error) {
	err = hybridcore.Contain(func() error {
		seen, err = c.inner.Look(ctx, of)
		return err
	})
	return seen, unusable(err)
}

// Fingerprint implements Looker.
func (c contained) Fingerprint(ctx context.Context, of []hybridcore.URI) (seen []hybridcore.Seen, err error) {
	err = hybridcore.Contain(func() error {
		seen, err = c.inner.Fingerprint(ctx, of)
		return err
	})
	return seen, unusable(err)
}

// Close implements Client.
func (c contained) Close(ctx context.Context) error {
	return unusable(hybridcore.Contain(func() error { return c.inner.Close(ctx) }))
}

// unusable says of a panic what it was about; another error stays as it is.
func unusable(err error) error {
	if panicked, ok := err.(*hybridcore.PanicError); ok { //nolint:errorlint // of Contain, which does not wrap it
		return fmt.Errorf("the platform's answer could not be used: %w", panicked)
	}
	return err
}
