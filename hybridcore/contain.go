// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:23:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package hybridcore

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// PanicError is a panic in something that others do not depend on.
type PanicError struct {
	Value string
	Stack string // of the goroutine; it belongs into a log that is redacted
}

// Error implements error.
func (e *PanicError) Error() string {
	return fmt.Sprintf("a fault of packer-hybrid, please report it: panic: %.200s", e.Value)
}

// Stack are the attributes of a log line with the stack of a panic; none for another error.
func Stack(err error) []any {
	if panicked, ok := errors.AsType[*PanicError](err); ok {
		return []any{"stack", panicked.Stack}
	}
	return nil
}

// maxStack bounds a stack in a log: the top is what tells the fault.
const maxStack = 8 << 10

// Contain calls do, and makes a PanicError of a panic in it. It stands at the edge
// of what only reports or only looks, so that a fault there ends neither a build
// nor the bot; nothing that decides is hidden by it, since the caller has an error.
func Contain(do func() error) (err error) {
	defer func() {
		if value := recover(); value != nil {
			stack := debug.Stack()
			err = &PanicError{Value: fmt.Sprint(value), Stack: string(stack[:min(len(stack), maxStack)])}
		}
	}()
	return do()
}
