// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:29Z
// Spec: openspec/specs/lab/spec.md#requirement-isolation
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func newKey(t *testing.T) (ssh.Signer, string) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer, strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
}

func TestNoNetwork(t *testing.T) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	m := boot(t, nil)
	if got := m.run("ls /sys/class/net 2>/dev/null; ip -o link | wc -l"); got != "1" {
		t.Errorf("interfaces: %s", got)
	}
	connect := `python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)' `
	for _, target := range []string{"127.0.0.1 " + portOf(t, host), "1.1.1.1 53"} {
		if out, err := m.try(connect + target); err == nil {
			t.Errorf("the guest reached %s: %s", target, out)
		}
	}
}

// falseServer stands in for sshd and connects the socket that it is given anew, to a port of the host.
const falseServer = `#!/usr/bin/python3
import ctypes, os, socket
ctypes.CDLL(None).connect(0, bytes(16), 16)  # AF_UNSPEC: the socket can be used again
said = "reached"
try:
    socket.socket(fileno=os.dup(0)).connect(("127.0.0.1", PORT))
except ConnectionRefusedError:
    said = "refused"
open("/root/said", "w").write(said)
`

// Connections of clients are of the host's network: none may come into the hands of the guest.
func TestSSHServerHoldsNoSocketOfTheHost(t *testing.T) {
	host, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer host.Close()
	m := boot(t, nil)
	program := base64.StdEncoding.EncodeToString([]byte(strings.ReplaceAll(falseServer, "PORT", portOf(t, host))))
	m.run("echo " + program + " | base64 -d > sshd && chmod 755 sshd && sudo mv sshd /usr/sbin/sshd")
	if c, err := m.dial(testUser, ssh.Password(testPassword)); err == nil {
		c.Close()
		t.Error("the false server lets in")
	}
	var said []byte
	for deadline := time.Now().Add(10 * time.Second); len(said) == 0 && time.Now().Before(deadline); {
		time.Sleep(10 * time.Millisecond)
		said, _ = os.ReadFile(filepath.Join(m.spec.Upper, "root/said"))
	}
	if string(said) != "refused" {
		t.Errorf("the false server says %q", said)
	}
}

func TestRootCannotChangeTheHost(t *testing.T) {
	const sysctl = "/proc/sys/vm/swappiness"
	before, err := os.ReadFile(sysctl)
	if err != nil {
		t.Fatal(err)
	}
	m := boot(t, nil)
	for _, attempt := range []string{
		"sudo sh -c 'echo 7 > " + sysctl + "'",
		"sudo mount -o remount,rw /proc/sys",
		"sudo mount -o remount,rw,bind /proc/sys",
		"sudo umount /proc/sys",
		"sudo mount -t proc proc /mnt",
		"sudo mount -t tmpfs none /mnt",
		"sudo unshare --user --map-root-user --mount true",
		"unshare --user --map-root-user --mount true",
		"sudo unshare --mount true",
		"sudo sh -c 'echo c > /proc/sysrq-trigger && test ! -c /proc/sysrq-trigger'",
		"sudo mknod /root/disk b 254 0",
		"sudo chmod 600 /dev/null",
		"sudo chown 1000 /dev/urandom",
		"sudo touch /dev/zero",
		"sudo mount -o remount,rw,bind /dev/null",
		"sudo umount /dev/null",
		"sudo umount /proc/kmsg",
		"sudo chroot /proc/1/root true",
		"sudo readlink /proc/1/fd/3",
		"sudo sh -c 'for t in /proc/1/task/*; do readlink $t/fd/3 && exit; done; exit 1'",
		"sudo nsenter --target 1 --mount true",
		"sudo sh -c 'echo pwn > /proc/1/mem'",
	} {
		if out, err := m.try(attempt); err == nil {
			t.Errorf("succeeded: %s\n%s", attempt, out)
		}
	}
	m.run("echo x > /dev/null && head -c 1 /dev/urandom > /dev/null")
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the host's /dev/null is %v, %v", info, err)
	}
	if after, _ := os.ReadFile(sysctl); string(after) != string(before) {
		t.Errorf("%s changed from %s to %s", sysctl, before, after)
	}
}

func TestRootHasAContainersCapabilities(t *testing.T) {
	m := boot(t, nil)
	const docker = "00000000a80425fb" // what `capsh --print` shows in a container of a default engine
	for _, command := range []string{
		"grep CapBnd /proc/self/status", "sudo grep CapBnd /proc/self/status",
		"sudo grep CapEff /proc/self/status",
	} {
		if got := m.run(command); !strings.HasSuffix(got, docker) {
			t.Errorf("%s = %q, want %s", command, got, docker)
		}
	}
}

func TestHostIsNotVisible(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "only-on-the-host")
	if err := os.WriteFile(secret, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	m := boot(t, nil)
	if _, err := m.try("sudo cat " + secret); err == nil {
		t.Error("the guest reads host files")
	}
	if out := m.run("sudo find / -xdev -name only-on-the-host; grep -c . /proc/self/mounts"); strings.Contains(out,
		"only-on-the-host") {
		t.Error("the guest finds host files")
	}
	for name := range strings.FieldsSeq(m.run("ps -eo comm= | cat")) {
		if !slices.Contains([]string{"init", "sshd", "bash", "ps", "cat"}, name) {
			t.Errorf("the process %s is seen", name)
		}
	}
	if out, err := m.try(fmt.Sprintf("sudo kill -0 %d", os.Getpid())); err == nil && os.Getpid() > 1000 {
		t.Errorf("a process of the host can be signalled: %s", out)
	}
	if out := m.run("cat /proc/self/mountinfo"); strings.Contains(out, " - ext4 ") {
		t.Errorf("a host file system is mounted:\n%s", out)
	}
}

func TestPasswordIsNotInCommandLineOrEnvironment(t *testing.T) {
	m := boot(t, nil)
	for _, file := range []string{"cmdline", "environ"} {
		content, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", m.Pid(), file))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(content), testPassword) {
			t.Errorf("the password shows in %s", file)
		}
	}
	log, err := os.ReadFile(m.console.Name())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(log), testPassword) {
		t.Error("the password shows on the console")
	}
}

func TestProbe(t *testing.T) {
	if err := Probe(); err != nil {
		t.Error(err)
	}
}

// TestProbeNamesWhatIsRefused probes in a user namespace with one id, as in an unprivileged container.
func TestProbeNamesWhatIsRefused(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), probeVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: 0, Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "this system refuses the lab new namespaces (user, mount") ||
		!strings.Contains(string(out), "65536 user ids") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestKillLeavesNothing(t *testing.T) {
	m := boot(t, nil)
	m.run("setsid sleep 1000 >/dev/null 2>&1 & echo")
	pid := m.Pid()
	m.Kill()
	if err := syscall.Kill(pid, 0); err != syscall.ESRCH {
		t.Errorf("the first process is still there: %v", err)
	}
	if m.Ending() != Killed {
		t.Errorf("ending %q", m.Ending())
	}
}
