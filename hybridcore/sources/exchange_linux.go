// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:51Z
// Spec: openspec/specs/sources/spec.md#requirement-hardened-git
// Diagram: openspec/specs/sources/diagram.md#sync

package sources

import (
	"errors"

	"golang.org/x/sys/unix"
)

// exchange swaps two folders at once. It gives errors.ErrUnsupported where the
// file system cannot.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return errors.ErrUnsupported
	}
	return err //nolint:wrapcheck // its caller says it
}
