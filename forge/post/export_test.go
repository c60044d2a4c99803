// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:20:00Z
// Spec: openspec/specs/posting/spec.md#requirement-outbox
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package post

import (
	"context"
	"time"
)

// What the tests of this package need of its inside.
const (
	CommentKey     = commentKey
	IssueKey       = issueKey
	RequestTimeout = requestTimeout
	StepPause      = stepPause
	MaxSteps       = maxSteps
)

// Disk is the file of an outbox.
type Disk = disk

// Stamp is the first line of a comment.
func Stamp(a Address) string { return a.stamp() }

// Quiet has a poster send in Close only.
func (p *Poster) Quiet() {
	p.stop()
	p.done.Wait()
}

// FlushNow sends what is left.
func (p *Poster) FlushNow(ctx context.Context, within time.Duration) error {
	return p.sender.flush(ctx, within)
}

// Through wraps the file of the outbox.
func (p *Poster) Through(wrap func(Disk) Disk) { p.box.file = wrap(p.box.file) }

// RemoveComment removes the comment that the poster knows, as somebody else might.
func (p *Poster) RemoveComment(ctx context.Context) error {
	return p.sender.forge.Texts(nil).Remove(ctx, p.box.items[commentKey].id)
}

// Use has a poster reach its system in another way.
func (p *Poster) Use(access Access, timeout time.Duration) (err error) {
	p.sender.forge, err = access.System.Open(access, p.box.address, timeout)
	return err
}
