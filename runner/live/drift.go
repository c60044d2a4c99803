// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:42:00Z
// Spec: openspec/specs/runner/spec.md#requirement-drift-of-what-is-live
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package live

import "github.com/packer-hybrid/packer-hybrid/hybridcore"

// KindDrift is the kind of findings about what is on the platforms.
const KindDrift = "drift"

// Rules of these findings. They never change, so that they can be waived and looked up.
const (
	RuleGone      = "drift-gone"       // nothing has its identifier
	RuleReplaced  = "drift-replaced"   // another object has its name
	RuleNotLooked = "drift-not-looked" // the platform could not be asked
)

// gone is the finding about a target of which something is not there any more.
func gone(target, rule, message string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: KindDrift, Rule: rule, Subject: target, Severity: hybridcore.Error, Blocking: true, Message: message,
		Hint: "run packer-hybrid build: it builds it again",
	}
}

// notLooked is the finding about a target at which nobody looked.
func notLooked(target, why string) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: KindDrift, Rule: RuleNotLooked, Subject: target, Severity: hybridcore.Warning,
		Message: target + " was " + why,
	}
}
