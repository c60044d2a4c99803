// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:00:46Z
// Spec: openspec/specs/state/spec.md#requirement-values-for-another-process
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"fmt"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// MaxSealed bounds a value that one process hands to another, in bytes.
const MaxSealed = 16 << 20

// sealed is a value on its way to another process.
type sealed[T any] struct {
	FormatVersion int    `json:"format_version"`
	Kind          string `json:"kind"`
	SHA256        string `json:"sha256"` // of kind and content in their canonical form
	Content       T      `json:"content"`
}

// Seal encodes a value of a kind with its checksum, which it returns too. The
// checksum tells damage and names the value; it does not tell who wrote it.
func Seal[T any](kind string, value T) (data []byte, sum string, err error) {
	if sum, err = Sum(kind, value); err != nil {
		return nil, "", err
	}
	data, err = encode(sealed[T]{FormatVersion: formatVersion, Kind: kind, SHA256: sum, Content: value})
	if err == nil && len(data) > MaxSealed {
		err = hybridcore.Blockedf("the %s has %d bytes, and other processes take at most %d: "+
			"name fewer images or platforms at once", kind, len(data), MaxSealed)
	}
	return data, sum, err
}

// Unseal reads what Seal made of a value of that kind, as strictly as the state
// is read. What is not exactly that is a BlockedError.
func Unseal[T any](kind string, data []byte) (value T, sum string, err error) {
	var s sealed[T]
	if len(data) > MaxSealed {
		return value, "", &hybridcore.BlockedError{
			Msg: "it is no " + kind,
			Err: FormError(fmt.Sprintf("it has %d bytes, and at most %d are read", len(data), MaxSealed)),
		}
	}
	if err = checkVersion(data); err == nil {
		err = decode(data, &s)
	}
	switch {
	case err != nil:
		return value, "", &hybridcore.BlockedError{Msg: "it is no " + kind, Err: err}
	case s.FormatVersion != formatVersion:
		return value, "", hybridcore.Blockedf("it is no %s: its format version is %d, which never existed", kind,
			s.FormatVersion)
	case s.Kind != kind:
		return value, "", hybridcore.Blockedf("it is a %.40q, and no %s", s.Kind, kind)
	}
	if sum, err = Sum(kind, s.Content); err != nil {
		return value, "", err
	}
	if sum != s.SHA256 {
		return value, "",
			hybridcore.Blockedf("it was changed after it was written: its content has sha256 %s, it says %.64q", sum, s.SHA256)
	}
	return s.Content, sum, nil
}

// Sum is the checksum that Seal gives a value of a kind.
func Sum[T any](kind string, value T) (string, error) {
	body, err := encode(value)
	if err != nil {
		return "", fmt.Errorf("a value for another process: %w", err)
	}
	return checksum(append([]byte(kind+"\n"), body...)), nil
}
