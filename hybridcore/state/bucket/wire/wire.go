// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:07:13Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

// Package wire lets another process keep the objects of a state: HTTP/2 over one
// stream, so that calls run at once and end when their callers give up. The program at
// the other end is of the same version.
package wire

import (
	"errors"
	"io/fs"
	"net/http"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Name is the program at the other end.
const Name = "packer-hybrid-bucket"

// form is the version of what is said; both ends must have the same.
const form = "2"

// newest is the method of the call that asks when the newest lease was stored.
const newest = "NEWEST"

// Headers of requests and answers.
const (
	formHeader = "Packer-Hybrid-Form"
	kindHeader = "Packer-Hybrid-Kind"
)

// Kinds of errors that callers tell from others.
const (
	exists  = "exists"
	missing = "missing"
	odd     = "form"
	usage   = "usage"
	blocked = "blocked"
	other   = "other"
	older   = "version"
)

// maxSaid bounds the text of an error.
const maxSaid = 4 << 10

// kind is what an error is.
func kind(err error) string {
	_, isForm := errors.AsType[state.FormError](err)
	_, isUsage := errors.AsType[*hybridcore.UsageError](err)
	_, isBlocked := errors.AsType[*hybridcore.BlockedError](err)
	switch {
	case errors.Is(err, fs.ErrExist):
		return exists
	case errors.Is(err, fs.ErrNotExist):
		return missing
	case isForm:
		return odd
	case isUsage:
		return usage
	case isBlocked:
		return blocked
	}
	return other
}

// called is an error of a kind, as the other end has said it.
func called(kind, text string) error {
	switch kind {
	case exists:
		return said{text, fs.ErrExist}
	case missing:
		return said{text, fs.ErrNotExist}
	case odd:
		return state.FormError(text)
	case usage:
		return &hybridcore.UsageError{Msg: text}
	case blocked:
		return &hybridcore.BlockedError{Msg: text}
	case older:
		return hybridcore.Blockedf("%s is of another version than packer-hybrid: `make build` makes both, and the container "+
			"image has both", Name)
	}
	return errors.New(text)
}

// said is an error in the words of the other end.
type said struct {
	text string
	is   error
}

// Error implements error.
func (s said) Error() string { return s.text }

// Unwrap is what it is.
func (s said) Unwrap() error { return s.is }

// protocols is HTTP/2 alone, without TLS: nobody else has the stream.
func protocols() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}
