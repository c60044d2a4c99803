// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:26Z
// Spec: openspec/specs/state/spec.md#requirement-strict-reading
// Diagram: openspec/specs/state/diagram.md#objects

package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// formatVersion is the version of every object that this program writes, and
// the newest that it reads.
const formatVersion = 1

// newerError says that a file's format is newer than formatVersion.
type newerError struct{ version int64 }

func (e *newerError) Error() string {
	return fmt.Sprintf("it has format version %d and was written by a newer packer-hybrid; this one reads up to "+
		"version %d", e.version, formatVersion)
}

// codec makes the encoding canonical: sorted keys, no null for what is empty,
// durations as nanoseconds.
func codec() json.Options {
	return json.JoinOptions(
		json.Deterministic(true),
		json.RejectUnknownMembers(true),
		jsonv1.FormatDurationAsNano(true),
		jsonv1.OmitEmptyWithLegacySemantics(true),
	)
}

// encode is the canonical form of a value. Text that is no UTF-8 is made so.
func encode(value any) ([]byte, error) {
	data, err := json.Marshal(value, codec(), jsontext.AllowInvalidUTF8(true))
	if err != nil {
		return nil, fmt.Errorf("encoding: %w", err)
	}
	return data, nil
}

// checksum is the hex sha256.
func checksum(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// decode reads a value in the form that encode gives it. It refuses unknown,
// repeated and differently cased names, null, invalid UTF-8 and trailing data.
// The error's text is the cause, with the line.
func decode(data []byte, into any) error {
	if err := checkText(data); err != nil {
		return err
	}
	if err := checkTokens(data); err != nil {
		return err
	}
	if err := json.Unmarshal(data, into, codec()); err != nil {
		return describe(data, err)
	}
	return nil
}

// checkText finds the causes that are not about JSON.
func checkText(data []byte) error {
	switch {
	case len(data) == 0:
		return FormError("it is empty")
	case len(bytes.Trim(data, "\x00")) == 0:
		return FormError("it holds nothing but zero bytes")
	}
	for _, marker := range []string{"<<<<<<<", ">>>>>>>"} {
		at := bytes.Index(data, []byte("\n"+marker)) + 1 // no JSON text holds a raw line break within a string
		if at > 0 || bytes.HasPrefix(data, []byte(marker)) {
			return FormError(fmt.Sprintf("line %d is a conflict marker of a merge", lineAt(data, int64(at))))
		}
	}
	return nil
}

// checkTokens walks the whole text once: syntax, repeated names, null.
func checkTokens(data []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		token, err := dec.ReadToken()
		if errors.Is(err, io.EOF) && dec.StackDepth() == 0 {
			return nil
		}
		if err != nil {
			return describe(data, err)
		}
		if token.Kind() == jsontext.KindNull {
			return FormError(fmt.Sprintf("line %d: %s is null", lineAt(data, dec.InputOffset()), pointer(dec.StackPointer())))
		}
	}
}

// describe turns the decoder's error into a cause with its line.
func describe(data []byte, err error) error {
	var syntactic *jsontext.SyntacticError
	var semantic *json.SemanticError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return FormError(fmt.Sprintf("it is cut short after byte %d", len(data)))
	case errors.As(err, &syntactic):
		line, at := lineAt(data, syntactic.ByteOffset), pointer(syntactic.JSONPointer)
		if errors.Is(err, jsontext.ErrDuplicateName) {
			return FormError(fmt.Sprintf("line %d: %s is there twice", line, at))
		}
		return FormError(fmt.Sprintf("line %d: %s: %v", line, at, syntactic.Err))
	case errors.As(err, &semantic):
		line, at := lineAt(data, semantic.ByteOffset), pointer(semantic.JSONPointer)
		if errors.Is(err, json.ErrUnknownName) {
			return FormError(fmt.Sprintf("line %d: %s is not a name of this format", line, at))
		}
		if semantic.Err != nil {
			return FormError(fmt.Sprintf("line %d: %s: %v", line, at, semantic.Err))
		}
		return FormError(fmt.Sprintf("line %d: %s has the wrong type", line, at))
	}
	return fmt.Errorf("decoding: %w", err)
}

// pointer shows a JSON pointer, cut to a length and without control characters.
func pointer(p jsontext.Pointer) string {
	if p == "" {
		return "the top level"
	}
	return fmt.Sprintf("%.200q", string(p))
}

// lineAt is the 1-based line of a byte offset.
func lineAt(data []byte, offset int64) int {
	return bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n")) + 1
}

// IsNewer says whether what is wrong with an object is that a newer packer-hybrid put it.
func IsNewer(cause error) bool {
	_, newer := errors.AsType[*newerError](cause)
	return newer
}

// checkVersion reads only the format version, so that a newer file is called
// newer whatever else is in it.
func checkVersion(data []byte) error {
	var head struct {
		FormatVersion int64 `json:"format_version"`
	}
	if json.Unmarshal(data, &head) == nil && head.FormatVersion > formatVersion {
		return &newerError{head.FormatVersion}
	}
	return nil
}
