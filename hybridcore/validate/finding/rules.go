// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-findings-name-a-rule
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

// Package finding names the rules of static validation and collects what breaks them.
package finding

import (
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Rules. A rule keeps its name for good: waivers and documentation refer to it.
const (
	RuleFormat        = "format"             // not as fmt writes it
	RuleHidden        = "hidden-text"        // invisible or direction-changing characters
	RuleYAML          = "yaml"               // an Ansible file that is no bounded YAML
	RuleTemplate      = "template-text"      // a templatefile source that cannot be rendered
	RuleBlock         = "unknown-block"      // a block that does not belong there
	RuleAttribute     = "unknown-attribute"  // a setting that does not belong there
	RuleNesting       = "wrong-nesting"      // a block as attribute, or the other way round, or too often
	RuleType          = "wrong-type"         // a value of a wrong type
	RuleExpression    = "expression"         // an expression that cannot be evaluated
	RuleValidation    = "variable-condition" // a value that the variable's own validation refuses
	RuleReference     = "undeclared"         // a reference to nothing
	RuleFunction      = "unknown-function"   // a function that Packer does not have
	RuleDuplicate     = "duplicate"          // two declarations of one name
	RuleUnused        = "unused"             // a declaration that nothing uses
	RuleCycle         = "local-cycle"        // locals that need each other
	RuleSource        = "unknown-source"     // a build of a source that does not exist
	RuleComponent     = "unknown-component"  // a builder, provisioner, post-processor or data source nobody provides
	RulePin           = "version-pin"        // a missing or loose version
	RuleRequired      = "missing-setting"    // a setting that Prepare demands
	RuleVarFile       = "undeclared-value"   // a variable file sets what nobody declares
	RuleSensitive     = "secret-not-marked"  // a secret by its name without sensitive = true
	RuleSecret        = "plain-secret"       // a secret in plain text
	RuleInsecure      = "insecure-in-prod"   // TLS verification off in production
	RuleName          = "name"               // a name against the naming rules
	RuleFile          = "missing-file"       // a file that is not staged
	RuleValue         = "invalid-value"      // a value that Prepare refuses
	RuleWork          = "too-much-work"      // expressions beyond the work limit
	RulePolicyCall    = "policy-function"    // what somebody who is not trusted may not do
	RulePolicyData    = "policy-data-source"
	RulePolicyPlugin  = "policy-plugin"
	RulePolicyRun     = "policy-local-command"
	RulePolicyPath    = "policy-path"
	RulePolicyURL     = "policy-url"
	RulePolicyPart    = "policy-component"
	RulePolicyReach   = "policy-reach"
	RulePolicySetting = "policy-setting"
)

// Kinds of findings beyond those of hybridcore. A finding of these kinds that
// blocks is a broken rule, not a broken form.
const (
	KindPolicy = "policy" // allowed by Packer, not allowed here
	KindLeak   = "leak"   // a secret where everybody can read it
)

// kindOf is the kind of a rule: most are about the form of the input.
func kindOf(rule string) string {
	switch {
	case strings.HasPrefix(rule, "policy-"), rule == RuleInsecure:
		return KindPolicy
	case rule == RuleSecret:
		return KindLeak
	case rule == RuleVarFile, rule == RuleValidation:
		return hybridcore.KindVariable
	default:
		return hybridcore.KindSchema
	}
}
