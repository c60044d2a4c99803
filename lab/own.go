// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:00:20Z
// Spec: openspec/specs/lab/spec.md#requirement-identity
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

package lab

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// maxOwn bounds the files that a lab keeps, in bytes: the environment has some thousand.
const maxOwn = 1 << 20

// readOwn reads a file of this user's that nobody else could write. It follows
// no link, since somebody else may have put it there.
func readOwn(path string) ([]byte, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says open and the path
	}
	defer file.Close()
	if err := checkOwn(file, unix.S_IFREG, 0o077); err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxOwn+1))
	if err == nil && len(text) > maxOwn {
		err = fmt.Errorf("it has more than %d bytes", maxOwn)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return text, nil
}

// checkOwn refuses what is of another kind or another user's, or may be used by
// others in a way that forbidden has.
func checkOwn(file *os.File, kind, forbidden uint32) error {
	path := file.Name()
	var stat unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &stat); err != nil {
		return fmt.Errorf("looking at %s: %w", path, err)
	}
	switch {
	case stat.Mode&unix.S_IFMT != kind:
		return &NotOursError{path, "it is of another kind"}
	case int(stat.Uid) != os.Geteuid():
		return &NotOursError{path, fmt.Sprintf("its owner is the user %d, and this is %d", stat.Uid, os.Geteuid())}
	case stat.Mode&forbidden != 0:
		return &NotOursError{path, fmt.Sprintf("its mode is %04o: others have access", stat.Mode&0o7777)}
	}
	return nil
}

// checkOwnDir refuses a folder that is another user's or that others may write.
func checkOwnDir(path string) error {
	folder, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_DIRECTORY, 0)
	if err != nil {
		return err //nolint:wrapcheck // it says open and the path
	}
	defer folder.Close()
	return checkOwn(folder, unix.S_IFDIR, 0o022)
}

// NotOursError says that something of a lab may be somebody else's work.
type NotOursError struct{ Path, Why string }

// Error says what to do about it.
func (e *NotOursError) Error() string {
	return fmt.Sprintf("%s is not used: %s; remove it, or set PACKER_HYBRID_CACHE to a folder of your own",
		e.Path, e.Why)
}
