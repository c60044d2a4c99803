// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:03Z
// Spec: openspec/specs/container/spec.md#requirement-rights-of-the-action
// Diagram: openspec/specs/container/diagram.md#one-action

package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// named gives a user without an entry in the password file one.
func named(file string, uid, gid int) error {
	f, err := os.OpenFile(file, os.O_RDWR|os.O_APPEND|unix.O_NOFOLLOW, 0)
	if errors.Is(err, unix.EROFS) {
		f, err = os.OpenFile(file, os.O_RDONLY|unix.O_NOFOLLOW, 0)
	}
	if err != nil {
		return fmt.Errorf("opening the password file: %w", err)
	}
	known, err := knows(f, uid)
	if err == nil && !known {
		_, err = fmt.Fprintf(f, "runner:x:%d:%d::/tmp:/usr/sbin/nologin\n", uid, gid)
	}
	return errors.Join(err, f.Close())
}

// knows reports whether a password file has a user.
func knows(f *os.File, uid int) (bool, error) {
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if fields := strings.Split(lines.Text(), ":"); len(fields) > 2 && fields[2] == strconv.Itoa(uid) {
			return true, nil
		}
	}
	if err := lines.Err(); err != nil {
		return false, fmt.Errorf("reading the password file: %w", err)
	}
	return false, nil
}
