// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:05Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"bytes"
	"crypto/subtle"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
)

// errRefused is all that a client learns about a refused sign-in.
var errRefused = errors.New("permission denied")

// verifyScript hashes a password the way the guest's C library does, which knows every method of its
// shadow file. Password and hash arrive on standard input. Perl is part of Debian's essential set.
const verifyScript = `local $/; my ($p, $h) = split /\0/, <STDIN>, 2; my $c = crypt($p, $h); exit(defined $c && $c eq $h ? 0 : 1)`

// checkPassword accepts the password that the guest's shadow file holds. Root needs a key, as in Debian's
// sshd (PermitRootLogin prohibit-password).
func (s *server) checkPassword(meta ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
	a, err := lookupAccount(meta.User())
	if err != nil || a.uid == 0 || len(password) == 0 || bytes.IndexByte(password, 0) >= 0 {
		return nil, errRefused
	}
	shadow, err := os.ReadFile("/etc/shadow")
	if err != nil {
		return nil, errRefused
	}
	entry := findEntry(shadow, a.name, 9)
	if entry == nil || !strings.HasPrefix(entry[1], "$") {
		return nil, errRefused // locked, or without a password
	}
	stdin := append(append(bytes.Clone(password), 0), entry[1]...)
	if _, err := s.processes.run(stdin, "/usr/bin/perl", "-e", verifyScript); err != nil {
		return nil, errRefused
	}
	return nil, nil
}

// checkKey accepts the keys of the account's authorized_keys file.
func (s *server) checkKey(meta ssh.ConnMetadata, offered ssh.PublicKey) (*ssh.Permissions, error) {
	a, err := lookupAccount(meta.User())
	if err != nil {
		return nil, errRefused
	}
	file, err := os.ReadFile(filepath.Join(a.home, ".ssh", "authorized_keys"))
	if err != nil || !holdsKey(file, offered.Marshal()) {
		return nil, errRefused
	}
	return nil, nil
}

// holdsKey looks for a key in the lines of an authorized_keys file.
func holdsKey(file, offered []byte) bool {
	for len(file) > 0 {
		key, _, _, rest, err := ssh.ParseAuthorizedKey(file)
		if err != nil {
			return false // no further key
		}
		if subtle.ConstantTimeCompare(key.Marshal(), offered) == 1 {
			return true
		}
		file = rest
	}
	return false
}

// hostKeyFile is where the guest's host key lies, as in an installed Debian.
const hostKeyFile = "/etc/ssh/ssh_host_ed25519_key"

// loadHostKey reads the guest's host key. An image that was cleaned has none; it gets a new one.
func loadHostKey() (ssh.Signer, error) {
	content, err := os.ReadFile(hostKeyFile)
	if errors.Is(err, os.ErrNotExist) {
		if content, err = writeHostKey(); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading the guest's host key: %w", err)
	}
	signer, err := ssh.ParsePrivateKey(content)
	if err != nil {
		return nil, fmt.Errorf("reading the guest's host key: %w", err)
	}
	return signer, nil
}
