// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:20:00Z
// Spec: openspec/specs/lab/spec.md#requirement-identity
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package lab

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// idLength is the length of a lab's identity: "lab-" and 26 characters (rand.Text).
const idLength = 30

// idLetters are those of rand.Text, in lower case.
const idLetters = "abcdefghijklmnopqrstuvwxyz234567"

// identity says which lab this is, in every start of it the same: it is made
// with a cache's first lab, so that what a lab built last week counts as built in
// it. A file that was cut short by a crash is made anew.
func identity(ctx context.Context, cache string) (string, error) {
	lock, err := takeLock(ctx, filepath.Join(cache, "lab-id.lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	path := filepath.Join(cache, "lab-id")
	text, err := readOwn(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("reading which lab this is: %w", err)
	}
	id := strings.TrimSpace(string(text))
	if random, ok := strings.CutPrefix(id, "lab-"); ok && len(id) == idLength && strings.Trim(random, idLetters) == "" {
		return id, nil
	}
	id = "lab-" + strings.ToLower(rand.Text())
	if err := replaceFile(path, []byte(id+"\n")); err != nil {
		return "", fmt.Errorf("writing which lab this is: %w", err)
	}
	return id, nil
}

// replaceFile writes a file for its owner alone, whole or not at all.
func replaceFile(path string, text []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".lab-*") // mode 0600
	if err != nil {
		return err //nolint:wrapcheck // it says what and where
	}
	_, err = file.Write(text)
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(file.Name()))
	}
	return nil
}

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
