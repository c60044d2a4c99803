// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:03Z
// Spec: openspec/specs/container/spec.md#requirement-rights-of-the-action
// Diagram: openspec/specs/container/diagram.md#one-action

package main

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// drop gives up what root may: other groups, every capability, now and in programs that are started, and new privileges
// by setuid programs. Where the user is root it keeps only the name.
func drop(uid, gid int) error {
	for c := 0; c <= 63; c++ {
		switch err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(c), 0, 0, 0); err {
		case nil, unix.EINVAL: // the kernel has no such capability
		default:
			return fmt.Errorf("dropping capability %d: %w", c, err)
		}
	}
	none := [2]unix.CapUserData{}
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"leaving other groups", func() error { return unix.Setgroups(nil) }},
		{"becoming group " + fmt.Sprint(gid), func() error { return unix.Setresgid(gid, gid, gid) }},
		{"becoming user " + fmt.Sprint(uid), func() error { return unix.Setresuid(uid, uid, uid) }},
		{"refusing new privileges", func() error { return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }},
		{"dropping ambient capabilities", func() error {
			return unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
		}},
		{"dropping capabilities", func() error {
			return unix.Capset(&unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}, &none[0])
		}},
	} {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}
