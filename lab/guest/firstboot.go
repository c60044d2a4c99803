// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:05Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// userName is what Debian's adduser accepts by default (NAME_REGEX).
var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// firstBoot leaves what an installer leaves. A later start only gives a cleaned image the identity that
// systemd would give it.
func firstBoot(spec Spec, p *processes) error {
	if spec.FirstBoot {
		if err := install(spec, p); err != nil {
			return fmt.Errorf("first boot: %w", err)
		}
	}
	return errors.Join(ensureMachineID(), ensureHostKey(p))
}

func install(spec Spec, p *processes) error {
	name := spec.Hostname
	hosts := "127.0.0.1\tlocalhost\n127.0.1.1\t" + name + "\n\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	if err := errors.Join(
		os.WriteFile("/etc/hostname", []byte(name+"\n"), 0o644),
		os.WriteFile("/etc/hosts", []byte(hosts), 0o644),
	); err != nil {
		return fmt.Errorf("naming the guest: %w", err)
	}
	if spec.User == "" {
		return nil
	}
	return addBuildUser(spec, p)
}

// addBuildUser makes the user that provisioning signs in as.
func addBuildUser(spec Spec, p *processes) error {
	user := spec.User
	if !userName.MatchString(user) {
		return fmt.Errorf("making the build user: %q is not a user name", user)
	}
	if strings.ContainsAny(spec.Password, "\n\x00") {
		return errors.New("making the build user: its password holds a line break or a zero byte")
	}
	if _, err := p.run(nil, "/usr/bin/id", user); err != nil { // a clone may have the user from its template
		if _, err := p.run(nil, "/usr/sbin/useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo",
			user); err != nil {
			return fmt.Errorf("making the build user: %w", err)
		}
	}
	if spec.Password != "" {
		if _, err := p.run([]byte(user+":"+spec.Password+"\n"), "/usr/sbin/chpasswd"); err != nil {
			return fmt.Errorf("setting the build user's password: %w", err)
		}
	}
	rule := user + " ALL=(ALL:ALL) NOPASSWD: ALL\n"
	if err := os.WriteFile(filepath.Join("/etc/sudoers.d", user), []byte(rule), 0o440); err != nil {
		return fmt.Errorf("granting the build user sudo: %w", err)
	}
	return authorize(spec, p)
}

// authorize writes the build user's authorized keys, as that user.
func authorize(spec Spec, p *processes) error {
	if len(spec.AuthorizedKeys) == 0 {
		return nil
	}
	keys := strings.Join(spec.AuthorizedKeys, "\n") + "\n"
	if _, err := p.run([]byte(keys), "/usr/sbin/runuser", "--login", spec.User, "--command",
		"umask 077 && mkdir -p .ssh && cat > .ssh/authorized_keys"); err != nil {
		return fmt.Errorf("authorizing keys: %w", err)
	}
	return nil
}

// ensureMachineID fills an empty or missing machine-id(5), as systemd does at boot.
func ensureMachineID() error {
	const file = "/etc/machine-id"
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("reading the machine id: %w", err)
	}
	if id := strings.TrimSpace(string(old)); id != "" && id != "uninitialized" {
		return nil
	}
	var id [16]byte
	if _, err := rand.Read(id[:]); err != nil {
		return fmt.Errorf("making a machine id: %w", err)
	}
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80 // a version 4 UUID
	if err := os.WriteFile(file, []byte(hex.EncodeToString(id[:])+"\n"), 0o444); err != nil {
		return fmt.Errorf("writing the machine id: %w", err)
	}
	return nil
}

// ensureHostKey makes a host key where there is none: an installer makes them, and who starts an image that was
// cleaned. It is the one that clients prefer; an RSA key would cost each first boot half a second.
func ensureHostKey(p *processes) error {
	const key = "/etc/ssh/ssh_host_ed25519_key"
	if _, err := os.Stat(key); err == nil {
		return nil
	}
	if _, err := p.run(nil, "/usr/bin/ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key); err != nil {
		return fmt.Errorf("making a host key: %w", err)
	}
	return nil
}
