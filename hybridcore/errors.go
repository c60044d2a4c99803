// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-typed-errors
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"errors"
	"fmt"
	"strings"
)

// Exit codes of every verb. They are part of the interface: scripts and CI
// branch on them.
const (
	ExitOK        = 0   // done
	ExitFailed    = 1   // a target failed
	ExitUsage     = 2   // wrong arguments or configuration
	ExitBlocked   = 3   // drift, policy, missing tool or leak; nothing was built
	ExitChanges   = 4   // changes are pending (plan --detailed-exitcode)
	ExitCancelled = 130 // cancelled by a signal
)

// UsageError says that the request itself is wrong: arguments, configuration
// or templates that the user must change. Exit code 2.
type UsageError struct {
	Msg string
}

func (e *UsageError) Error() string { return e.Msg }

// Usagef builds a UsageError.
func Usagef(format string, args ...any) error {
	return &UsageError{Msg: fmt.Sprintf(format, args...)}
}

// BlockedError says that the request is right but must not go on: a missing or
// outdated tool, a lock held by somebody else, drift, policy, a leaked secret.
// Exit code 3.
type BlockedError struct {
	Msg string
	Err error // the cause, may be nil
}

func (e *BlockedError) Error() string {
	if e.Err == nil {
		return e.Msg
	}
	return e.Msg + ": " + e.Err.Error()
}

func (e *BlockedError) Unwrap() error { return e.Err }

// Blockedf builds a BlockedError without a cause.
func Blockedf(format string, args ...any) error {
	return &BlockedError{Msg: fmt.Sprintf(format, args...)}
}

// FindingsError carries findings that end a request. Exit code 2 when every
// blocking finding is about the input's form (syntax, schema), 3 otherwise.
type FindingsError struct {
	Findings []Finding
}

func (e *FindingsError) Error() string {
	lines := make([]string, 0, len(e.Findings))
	for _, f := range e.Findings {
		lines = append(lines, f.String())
	}
	return strings.Join(lines, "\n")
}

// Exit is an error that ends with a code after everything was said.
type Exit int

// Error implements error.
func (e Exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// ExitCode maps an error to the exit code of the table above; an error of no
// typed kind is a failure.
func ExitCode(err error) int {
	var usage *UsageError
	var blocked *BlockedError
	var findings *FindingsError
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &blocked):
		return ExitBlocked
	case errors.As(err, &usage):
		return ExitUsage
	case errors.As(err, &findings):
		if Blocked(findings.Findings) == BlockedByForm {
			return ExitUsage
		}
		return ExitBlocked
	default:
		return ExitFailed
	}
}
