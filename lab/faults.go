// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:36:00Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-rules-for-a-whole-lab
// Diagram: openspec/specs/lab-faults/diagram.md#from-a-flag-to-a-platform

package lab

import (
	"errors"
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Faults are the rules by which a lab's platforms fail, in their order.
type Faults map[hybridcore.Platform][]fault.Rule

// maxFaults bounds the rules of one platform.
const maxFaults = 1000

// Parse adds rules, one a line, in the form of Add. Empty lines and comments, which begin with #, are left out.
// An error says source:line.
func (f Faults) Parse(source, text string) error {
	for number, line := range strings.Split(text, "\n") {
		if fault.Blank(line) {
			continue
		}
		if err := f.Add(line); err != nil {
			return fmt.Errorf("%s:%d: %w", source, number+1, err)
		}
	}
	return nil
}

// Add adds one rule: a platform's name, then a rule as fault.Parse reads it, as in
//
//	proxmox POST /nodes/*/qemu nth=2 status=500 reason="no space left"
//
// A call of vSphere's SOAP interface has the path /sdk/METHOD, such as /sdk/CreateVM_Task. The error of a wrong
// word says its column.
func (f Faults) Add(line string) error {
	name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	platform, err := hybridcore.ParsePlatform(name)
	if err != nil {
		return fmt.Errorf("a fault rule begins with its platform, as in: vsphere POST /sdk/CreateVM_Task status=500: %w", err)
	}
	rest := strings.Replace(line, name, strings.Repeat(" ", len(name)), 1) // columns stay what they are
	rule, err := fault.ParseRule(rest)
	if err != nil {
		return fmt.Errorf("%s: %w", platform, err)
	}
	if platform == hybridcore.VSphere && rule.Task {
		return errors.New("vsphere: task is not for vSphere, whose tasks end at once here; refuse the call that starts " +
			"one: status=500")
	}
	if len(f[platform]) == maxFaults {
		return fmt.Errorf("%s: more than %d fault rules", platform, maxFaults)
	}
	f[platform] = append(f[platform], rule)
	return nil
}

// plant gives the platforms their rules.
func (f Faults) plant(injectors map[hybridcore.Platform]*fault.Injector) {
	for platform, injector := range injectors {
		injector.Add(f[platform]...)
	}
}

// report tells which rules hit, so that a failure with another cause is not taken for the planted one.
func (f Faults) report(injectors map[hybridcore.Platform]*fault.Injector, logf func(format string, args ...any)) {
	for _, row := range hybridcore.Platforms() {
		rules := f[row.Name]
		for n, hits := range injectors[row.Name].Hits() {
			if n < len(rules) {
				logf("fault rule %s %s: hits %d", row.Name, rules[n], hits)
			}
		}
	}
}
