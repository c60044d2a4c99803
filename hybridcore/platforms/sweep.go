// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:48:00Z
// Spec: openspec/specs/leases/spec.md#requirement-one-leftover-does-not-hold-the-others
// Diagram: openspec/specs/leases/diagram.md#one-leftover-after-the-other

package platforms

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// leftover is one thing that a dead run left.
type leftover struct {
	uri    hybridcore.URI
	check  func(context.Context) error // says why it has to stay; nil: it need not
	remove func(context.Context) error // does nothing when it is gone
	hand   string                      // the commands by which a person removes it
}

// sweep removes leftovers, one after the other, or lists them in a dry run. One
// that has to stay or cannot be removed does not hold up the others; the error
// names each of these, with the reason and the way to remove it by hand.
func sweep(ctx context.Context, all []leftover, dry bool) ([]hybridcore.URI, error) {
	var done []hybridcore.URI
	var errs []error
	for _, l := range all {
		err := error(nil)
		if l.check != nil {
			err = l.check(ctx)
		}
		if err == nil && !dry {
			err = l.remove(ctx)
		}
		if err != nil {
			what := hybridcore.Sanitize(l.uri.Kind + " " + l.uri.Name + " (" + l.uri.ID + ")")
			errs = append(errs, fmt.Errorf("removing %s: %w. Run packer-hybrid reap again, or remove it by hand: %s", what, err, l.hand))
			continue
		}
		done = append(done, l.uri)
	}
	return done, errors.Join(errs...)
}

// quoted makes an identifier of a platform one word of a shell command, which a
// person may copy.
func quoted(word string) string {
	return "'" + strings.ReplaceAll(hybridcore.Sanitize(word), "'", `'\''`) + "'"
}
