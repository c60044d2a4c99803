// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-checks-of-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#parts

package standin

import (
	"fmt"

	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
)

// Problems collects what is wrong with a configuration. The zero value has none.
type Problems struct {
	Warnings []string
	errs     *packersdk.MultiError
}

// Add adds a problem.
func (p *Problems) Add(format string, args ...any) { p.All(fmt.Errorf(format, args...)) }

// When adds a problem if it is one.
func (p *Problems) When(wrong bool, format string, args ...any) {
	if wrong {
		p.Add(format, args...)
	}
}

// All adds problems.
func (p *Problems) All(errs ...error) {
	if len(errs) > 0 {
		p.errs = packersdk.MultiErrorAppend(p.errs, errs...)
	}
}

// Warn adds what is no error.
func (p *Problems) Warn(format string, args ...any) {
	p.Warnings = append(p.Warnings, fmt.Sprintf(format, args...))
}

// Err is all problems, or nil when there is none.
func (p *Problems) Err() error {
	if p.errs == nil || len(p.errs.Errors) == 0 {
		return nil
	}
	return p.errs
}

// Refuse is the error about a setting that the real plugin heeds and the stand-in cannot.
func (p Plugin) Refuse(setting string) error {
	return fmt.Errorf("the lab's stand-in for the plugin %s cannot honour %q: remove it, or use the real plugin", p.Source,
		setting)
}
