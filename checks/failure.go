// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:06:00Z
// Spec: openspec/specs/cli/spec.md#requirement-exit-codes
// Diagram: openspec/specs/cli/diagram.md#one-command

package checks

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// WriteError prints an error for people, if it was not printed yet, and returns
// the exit code.
func WriteError(w io.Writer, style Style, err error) int {
	code, said := ended(w, err)
	if said {
		return code
	}
	findings := []hybridcore.Finding{{Severity: hybridcore.Error, Message: err.Error()}}
	if refused, is := errors.AsType[*hybridcore.FindingsError](err); is {
		findings = refused.Findings
	}
	_ = WriteFindings(w, style, findings) // who cannot be told has the exit code
	return code
}

// WriteErrorJSON prints an error as a document, if it was not printed yet, and
// returns the exit code.
func WriteErrorJSON(document func(render func(io.Writer) error) error, errs io.Writer, err error) int {
	code, said := ended(errs, err)
	if said {
		return code
	}
	doc := hybridcore.Answer{Error: err.Error()}
	if refused, is := errors.AsType[*hybridcore.FindingsError](err); is {
		doc.Error, doc.Findings = fmt.Sprintf("%d findings", len(refused.Findings)), refused.Findings
	}
	if failed := document(func(w io.Writer) error { return WriteJSON(w, doc) }); failed != nil {
		_, _ = fmt.Fprintln(errs, failed)
	}
	return code
}

// ended is the exit code of an error, and whether nothing more is to be said.
func ended(errs io.Writer, err error) (code int, said bool) {
	if err == nil {
		return hybridcore.ExitOK, true
	}
	if silent, is := errors.AsType[hybridcore.Exit](err); is {
		return int(silent), true
	}
	if errors.Is(err, context.Canceled) {
		_, _ = fmt.Fprintln(errs, "cancelled")
		return hybridcore.ExitCancelled, true
	}
	return hybridcore.ExitCode(err), false
}
