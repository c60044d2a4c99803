// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:05Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"
)

// userName is what Debian's adduser accepts by default (NAME_REGEX).
var userName = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

// firstBoot leaves what an installer leaves. A later start only gives a cleaned image the identity that
// systemd would give it.
func (s *system) firstBoot() error {
	if s.spec.FirstBoot {
		if err := s.install(); err != nil {
			return fmt.Errorf("first boot: %w", err)
		}
	}
	return ensureMachineID()
}

func (s *system) install() error {
	name := s.spec.Hostname
	hosts := "127.0.0.1\tlocalhost\n127.0.1.1\t" + name + "\n\n::1\tlocalhost ip6-localhost ip6-loopback\n"
	if err := errors.Join(
		os.WriteFile("/etc/hostname", []byte(name+"\n"), 0o644),
		os.WriteFile("/etc/hosts", []byte(hosts), 0o644),
	); err != nil {
		return fmt.Errorf("naming the guest: %w", err)
	}
	if s.spec.User == "" {
		return nil
	}
	return s.addBuildUser()
}

// addBuildUser makes the user that provisioning signs in as.
func (s *system) addBuildUser() error {
	user := s.spec.User
	if !userName.MatchString(user) {
		return fmt.Errorf("making the build user: %q is not a user name", user)
	}
	if strings.ContainsAny(s.spec.Password, "\n\x00") {
		return errors.New("making the build user: its password holds a line break or a zero byte")
	}
	if _, err := lookupAccount(user); err != nil { // a clone may have the user from its template
		if _, err := s.processes.run(nil, "/usr/sbin/useradd", "--create-home", "--shell", "/bin/bash", "--groups", "sudo",
			user); err != nil {
			return fmt.Errorf("making the build user: %w", err)
		}
	}
	if s.spec.Password != "" {
		if _, err := s.processes.run([]byte(user+":"+s.spec.Password+"\n"), "/usr/sbin/chpasswd"); err != nil {
			return fmt.Errorf("setting the build user's password: %w", err)
		}
	}
	rule := user + " ALL=(ALL:ALL) NOPASSWD: ALL\n"
	if err := os.WriteFile(filepath.Join("/etc/sudoers.d", user), []byte(rule), 0o440); err != nil {
		return fmt.Errorf("granting the build user sudo: %w", err)
	}
	return s.authorize(user)
}

// authorize writes the build user's authorized keys.
func (s *system) authorize(user string) error {
	if len(s.spec.AuthorizedKeys) == 0 {
		return nil
	}
	a, err := lookupAccount(user)
	if err != nil {
		return err
	}
	dir := filepath.Join(a.home, ".ssh")
	file := filepath.Join(dir, "authorized_keys")
	content := strings.Join(s.spec.AuthorizedKeys, "\n") + "\n"
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("authorizing keys: %w", err)
	}
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		return fmt.Errorf("authorizing keys: %w", err)
	}
	if err := errors.Join(os.Chown(dir, int(a.uid), int(a.gid)), os.Chown(file, int(a.uid), int(a.gid))); err != nil {
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

// writeHostKey makes a host key, stores it where sshd looks for it and returns the private key's file.
func writeHostKey() ([]byte, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a host key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return nil, fmt.Errorf("making a host key: %w", err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("making a host key: %w", err)
	}
	content := pem.EncodeToMemory(block)
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(hostKeyFile), 0o755),
		os.WriteFile(hostKeyFile, content, 0o600),
		os.WriteFile(hostKeyFile+".pub", ssh.MarshalAuthorizedKey(key), 0o644),
	); err != nil {
		return nil, fmt.Errorf("storing the host key: %w", err)
	}
	return content, nil
}
