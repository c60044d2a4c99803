// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:36:09Z
// Spec: openspec/specs/bot/spec.md#requirement-tickets
// Diagram: openspec/specs/bot/diagram.md#a-ticket

package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
)

// keyFile has the key of tickets for runs on this machine, in the bot's folder.
const keyFile = "ticket.key"

// ticketKey is the key of tickets: that of the environment, or for runs on this
// machine the one in the bot's folder, which is made when there is none.
func (b botCommand) ticketKey() (string, error) {
	key := b.app.Getenv(policy.KeyVariable)
	if key != "" || b.flags.ci != "local" {
		return key, nil
	}
	dir := b.folder()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("making the bot's data folder: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("opening the bot's data folder: %w", err)
	}
	defer root.Close() //nolint:errcheck // what counts was synced
	if err := newKey(root); err != nil {
		return "", fmt.Errorf("making the key of tickets %s: %w", filepath.Join(dir, keyFile), err)
	}
	if key, err = readKey(root); err != nil {
		return "", hybridcore.Usagef("the key of tickets %s: %v", filepath.Join(dir, keyFile), err)
	}
	b.app.Redactor.Add(redact.Secret{Name: policy.KeyVariable, Value: key})
	return key, nil
}

// newKey makes a key when there is none. Of two bots that start at once one makes
// it: a file that is not there whole is not there.
func newKey(root *os.Root) error {
	if _, err := root.Lstat(keyFile); !errors.Is(err, fs.ErrNotExist) {
		return err //nolint:wrapcheck // by the caller
	}
	var value [32]byte
	_, _ = rand.Read(value[:]) // crypto/rand.Read never fails
	temporary := safefile.TempName()
	err := safefile.New(root, temporary, []byte(base64.StdEncoding.EncodeToString(value[:])+"\n"), 0o600)
	if err != nil {
		return err
	}
	if err = root.Link(temporary, keyFile); errors.Is(err, fs.ErrExist) {
		err = nil // by another bot
	}
	return errors.Join(err, root.Remove(temporary))
}

// readKey reads a key that its owner alone can read.
func readKey(root *os.Root) (string, error) {
	info, err := root.Lstat(keyFile)
	switch {
	case err != nil:
		return "", err //nolint:wrapcheck // by the caller
	case !info.Mode().IsRegular() || info.Mode().Perm()&0o077 != 0 || info.Size() > bytesOfKey:
		return "", errors.New("it must be a file that its owner alone can read (chmod 600); without it a new one is made")
	}
	text, err := root.ReadFile(keyFile)
	if err != nil {
		return "", err //nolint:wrapcheck // by the caller
	}
	if _, err := policy.ParseKeys(string(text)); err != nil {
		return "", errors.New("it holds no key; without it a new one is made")
	}
	return strings.TrimSpace(string(text)), nil
}
