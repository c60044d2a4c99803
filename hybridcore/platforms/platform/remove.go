// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:48:00Z
// Spec: openspec/specs/leases/spec.md#requirement-one-leftover-does-not-hold-the-others
// Diagram: openspec/specs/leases/diagram.md#one-leftover-after-the-other

package platform

import (
	"context"
	"errors"
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Leftover is one thing that a dead run left.
type Leftover struct {
	URI    hybridcore.URI
	Check  func(context.Context) error // says why it has to stay; nil: it need not
	Remove func(context.Context) error // does nothing when it is gone
	Hand   string                      // the commands by which a person removes it
}

// Remove removes leftovers, one after the other, or lists them in a dry run. One
// that has to stay or cannot be removed does not hold up the others; the error
// names each of these, with the reason and the way to remove it by hand.
func Remove(ctx context.Context, all []Leftover, dry bool) ([]hybridcore.URI, error) {
	var done []hybridcore.URI
	var errs []error
	for _, l := range all {
		err := error(nil)
		if l.Check != nil {
			err = l.Check(ctx)
		}
		if err == nil && !dry {
			err = l.Remove(ctx)
		}
		if err != nil {
			what := text.Sanitize(l.URI.Kind + " " + l.URI.Name + " (" + l.URI.ID + ")")
			errs = append(
				errs, fmt.Errorf("removing %s: %w. Run packer-hybrid reap again, or remove it by hand: %s", what, err, l.Hand),
			)
			continue
		}
		done = append(done, l.URI)
	}
	return done, errors.Join(errs...)
}

// Quoted makes an identifier of a platform one word of a shell command, which a
// person may copy.
func Quoted(word string) string { return text.ShellWord(text.Sanitize(word)) }

// ErrMounted says that a machine has a CD by now.
func ErrMounted(used bool) error {
	if used {
		return errors.New("a machine has it meanwhile")
	}
	return nil
}
