// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:03Z
// Spec: openspec/specs/container/spec.md#requirement-rights-of-the-action
// Diagram: openspec/specs/container/diagram.md#one-action

// Command packer-hybrid-entry is the entrypoint of the docker action: it becomes the owner of the workspace and starts
// packer-hybrid in its place.
//
// GitHub's runner starts the container as root, with the host's Docker socket in it, folders of its own user, and
// variables
// that any earlier step of the job may have set. So this is a program without a dynamic loader and without a shell,
// linked
// with CGO_ENABLED=0, that takes from the environment nothing before it has given root up. What it starts after that
// gets
// the environment that clean leaves.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	e := entry{init: "/usr/bin/tini", program: "/usr/local/bin/packer-hybrid", passwd: "/etc/passwd"}
	fmt.Fprintln(os.Stderr, "packer-hybrid-entry:", e.run(os.Args[1:], os.Environ()))
	os.Exit(2)
}

// entry names what is on the way from root to the program.
type entry struct {
	init    string // passes signals on and reaps orphans
	program string
	passwd  string // the password file
}

// run replaces the process by the program. It only returns with an error.
func (e entry) run(args, environ []string) error {
	runtime.LockOSThread() // what the thread is that calls exec, the program will be
	if os.Getuid() == 0 {
		if err := e.becomeOwner(); err != nil {
			return err
		}
	}
	environ = clean(environ)
	if project := lookup(environ, "INPUT_PROJECT"); project != "" {
		if err := os.Chdir(project); err != nil {
			return fmt.Errorf("the input project names no folder of the checkout; "+
				"is there an actions/checkout step before this one? (%w)", err)
		}
	}
	argv := append([]string{e.init, "--", e.program}, args...)
	return fmt.Errorf("starting %s: %w", e.init, syscall.Exec(e.init, argv, environ))
}

// becomeOwner gives root up for the owner of the working directory, which the runner sets to the workspace that it
// mounts.
func (e entry) becomeOwner() error {
	uid, gid, err := owner(".")
	if err != nil {
		return fmt.Errorf("looking up whose the workspace is, which GitHub's runner mounts: %w", err)
	}
	// SSH, and so Ansible, refuses to work for a user without a name.
	if err := named(e.passwd, uid, gid); err != nil {
		fmt.Fprintf(os.Stderr, "packer-hybrid-entry: the user %d has no name in this container (%v): "+
			"a build with Ansible will fail\n", uid, err)
	}
	return drop(uid, gid)
}

// owner returns whose a directory is. Links are not followed.
func owner(dir string) (uid, gid int, err error) {
	fd, err := unix.Openat2(unix.AT_FDCWD, dir, &unix.OpenHow{
		Flags: unix.O_PATH | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS,
	})
	if err != nil {
		return 0, 0, fmt.Errorf("opening %s: %w", dir, err)
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return 0, 0, fmt.Errorf("asking for the owner of %s: %w", dir, err)
	}
	return int(st.Uid), int(st.Gid), nil
}
