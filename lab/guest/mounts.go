// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:05Z
// Spec: openspec/specs/lab/spec.md#requirement-isolation
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// maxMountOptions is the kernel's limit for the option string of mount(2): one page.
const maxMountOptions = 4095

// deviceNodes are bound from the host: device nodes cannot be made in a user namespace. The mounts are
// read-only, which leaves the devices writable and the host's nodes, with their owners and modes, untouchable.
var deviceNodes = []string{"null", "zero", "full", "random", "urandom", "tty"}

// hiddenProc lists files of /proc that tell about or steer the host; each is covered. Paths that a kernel
// lacks are left out.
var hiddenProc = []string{
	"kcore", "keys", "key-users", "kmsg", "sysrq-trigger", "timer_list", "sched_debug",
	"kallsyms", "kpagecount", "kpageflags", "latency_stats",
}

// readOnlyProc lists directories of /proc that hold host settings. Files there belong to the host's root,
// whose id the guest's root shares: the read-only mount protects them, and without CAP_SYS_ADMIN it stays.
var readOnlyProc = []string{"sys", "irq", "bus", "fs", "acpi", "scsi"}

// dmi is what a VMware virtual machine tells about its hardware, for programs that look (facts, cloud-init).
var dmi = map[string]string{
	"sys_vendor": "VMware, Inc.", "product_name": "VMware Virtual Platform", "product_version": "None",
	"board_vendor": "Intel Corporation", "board_name": "440BX Desktop Reference Platform",
	"bios_vendor": "Phoenix Technologies LTD", "chassis_vendor": "No Enclosure",
}

// mountRoot builds the guest's file system and makes it the root of this mount namespace; the host's is
// not reachable afterwards.
func mountRoot(spec Spec) error {
	if err := mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := mountOverlay(spec); err != nil {
		return err
	}
	for _, step := range []func(string) error{mountDev, mountProc, mountSys, mountScratch} {
		if err := step(spec.Root); err != nil {
			return err
		}
	}
	if err := unix.Chdir(spec.Root); err != nil {
		return fmt.Errorf("entering the guest's root: %w", err)
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("changing to the guest's root (pivot_root): %w", err)
	}
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("leaving the host's root: %w", err)
	}
	if err := unix.Chdir("/"); err != nil {
		return fmt.Errorf("entering the guest's root: %w", err)
	}
	unix.Umask(0o022)
	return nil
}

// mountOverlay stacks the delta on the read-only layers. userxattr makes the kernel keep its marks in
// user extended attributes, the only ones a user namespace may write.
func mountOverlay(spec Spec) error {
	for _, dir := range append([]string{spec.Upper, spec.Work}, spec.Lowers...) {
		if strings.ContainsAny(dir, ":,\\\"") {
			return fmt.Errorf("mounting the guest's disk: %q holds a character that overlay options cannot hold", dir)
		}
	}
	options := "userxattr,lowerdir=" + strings.Join(spec.Lowers, ":") + ",upperdir=" + spec.Upper + ",workdir=" + spec.Work
	if len(options) > maxMountOptions {
		return fmt.Errorf("mounting the guest's disk: %d layers do not fit the kernel's limit of %d bytes", len(spec.Lowers),
			maxMountOptions)
	}
	return mount("overlay", spec.Root, "overlay", 0, options)
}

func mountDev(root string) error {
	dev := filepath.Join(root, "dev")
	if err := mount("tmpfs", dev, "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC, "mode=755,size=1m"); err != nil {
		return err
	}
	for _, name := range deviceNodes {
		target := filepath.Join(dev, name)
		if err := os.WriteFile(target, nil, 0o600); err != nil {
			return fmt.Errorf("making /dev/%s: %w", name, err)
		}
		if err := bindReadOnly("/dev/"+name, target); err != nil {
			return err
		}
	}
	for name, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
		"ptmx": "pts/ptmx",
	} {
		if err := os.Symlink(target, filepath.Join(dev, name)); err != nil {
			return fmt.Errorf("making /dev/%s: %w", name, err)
		}
	}
	pts := filepath.Join(dev, "pts")
	if err := mountNew("devpts", pts, "devpts", unix.MS_NOSUID|unix.MS_NOEXEC,
		"newinstance,ptmxmode=0666,mode=0620,gid=5"); err != nil {
		return err
	}
	return mountNew("tmpfs", filepath.Join(dev, "shm"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
}

func mountProc(root string) error {
	proc := filepath.Join(root, "proc")
	if err := mount("proc", proc, "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return err
	}
	// No process of the guest may make further user namespaces, in which it would hold every capability.
	if err := os.WriteFile(filepath.Join(proc, "sys/user/max_user_namespaces"), []byte("0"), 0); err != nil {
		return fmt.Errorf("forbidding nested user namespaces: %w", err)
	}
	for _, name := range readOnlyProc {
		dir := filepath.Join(proc, name)
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		if err := bindReadOnly(dir, dir); err != nil {
			return err
		}
	}
	for _, name := range hiddenProc {
		file := filepath.Join(proc, name)
		if _, err := os.Stat(file); err != nil {
			continue
		}
		if err := bindReadOnly(filepath.Join(root, "dev/null"), file); err != nil {
			return err
		}
	}
	return nil
}

// mountSys gives the guest a /sys of its own, which holds the hardware's identity and nothing of the host.
func mountSys(root string) error {
	sys := filepath.Join(root, "sys")
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	if err := mount("tmpfs", sys, "tmpfs", flags, "mode=755,size=1m"); err != nil {
		return err
	}
	const identity = "devices/virtual/dmi/id"
	for _, dir := range []string{identity, "class/dmi", "block", "bus", "kernel", "fs/cgroup"} {
		if err := os.MkdirAll(filepath.Join(sys, dir), 0o755); err != nil {
			return fmt.Errorf("making /sys/%s: %w", dir, err)
		}
	}
	for name, value := range dmi {
		if err := os.WriteFile(filepath.Join(sys, identity, name), []byte(value+"\n"), 0o444); err != nil {
			return fmt.Errorf("making /sys/%s/%s: %w", identity, name, err)
		}
	}
	if err := os.Symlink("../../"+identity, filepath.Join(sys, "class/dmi/id")); err != nil {
		return fmt.Errorf("making /sys/class/dmi/id: %w", err)
	}
	return mount("", sys, "", flags|unix.MS_REMOUNT|unix.MS_RDONLY, "mode=755,size=1m")
}

// mountScratch mounts what is empty after every start.
func mountScratch(root string) error {
	if err := mount("tmpfs", filepath.Join(root, "run"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return err
	}
	// Made at boot by systemd elsewhere: the lock directory, and sshd's, which sshd -T asks for.
	for dir, mode := range map[string]os.FileMode{"run/lock": 0o777 | os.ModeSticky, "run/sshd": 0o755} {
		path := filepath.Join(root, dir)
		if err := os.Mkdir(path, 0o755); err != nil {
			return fmt.Errorf("making /%s: %w", dir, err)
		}
		if err := os.Chmod(path, mode); err != nil {
			return fmt.Errorf("making /%s: %w", dir, err)
		}
	}
	return mount("tmpfs", filepath.Join(root, "tmp"), "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=1777")
}

// bindReadOnly mounts a file or directory at another place, read-only. A user namespace may not take back
// what the original mount forbids, so that is repeated.
func bindReadOnly(source, target string) error {
	if err := mount(source, target, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
		return err
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(target, &fs); err != nil {
		return fmt.Errorf("looking at the mount of %s: %w", target, err)
	}
	// ST_NOSUID, ST_NODEV and ST_NOEXEC have the values of the mount flags (statfs(2)).
	kept := uintptr(fs.Flags) & (unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC)
	return mount("", target, "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY|kept, "")
}

func mountNew(source, target, kind string, flags uintptr, options string) error {
	if err := os.Mkdir(target, 0o755); err != nil {
		return fmt.Errorf("making a mount point: %w", err)
	}
	return mount(source, target, kind, flags, options)
}

// mount is mount(2) with an error that names what was refused.
func mount(source, target, kind string, flags uintptr, options string) error {
	if err := unix.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("this system refuses the guest a mount (%q of type %q on %s, flags %#x): %w", source, kind, target,
			flags, err)
	}
	return nil
}
