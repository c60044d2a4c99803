// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:49:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-findings-name-a-rule
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
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
	RulePolicyCall    = "policy-function"    // see Policy
	RulePolicyData    = "policy-data-source"
	RulePolicyPlugin  = "policy-plugin"
	RulePolicyRun     = "policy-local-command"
	RulePolicyPath    = "policy-path"
	RulePolicyURL     = "policy-url"
	RulePolicyPart    = "policy-component"
	RulePolicyReach   = "policy-reach"
	RulePolicySetting = "policy-setting"
)

func tooLarge(path string, limit int64) hybridcore.Finding {
	return hybridcore.Finding{
		Kind: hybridcore.KindSyntax, Subject: path, File: path, Severity: hybridcore.Error, Blocking: true,
		Message: fmt.Sprintf("the file is larger than %d KiB", limit>>10),
		Hint:    "split it, or remove what does not belong there",
	}
}

// refuse adds a blocking finding; the rule gives its kind.
func (c *checker) refuse(file *hclfile.File, rule string, at hcl.Range, message, hint string) {
	if len(c.findings) > maxFindings {
		return
	}
	f := file.Finding(kindOf(rule), at, message, hint)
	f.Rule = rule
	c.finding(f)
}

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

// warn adds a finding that does not block.
func (c *checker) warn(file *hclfile.File, rule string, at hcl.Range, message, hint string) {
	if len(c.findings) > maxFindings {
		return
	}
	f := file.Finding(hybridcore.KindSchema, at, message, hint)
	f.Rule, f.Severity, f.Blocking = rule, hybridcore.Warning, false
	c.finding(f)
}

// diagnostics adds the first complaint of an evaluation: the others are mostly
// its echo.
func (c *checker) diagnostics(file *hclfile.File, rule string, diags hcl.Diagnostics) {
	if all := file.Diagnostics(diags); len(all) > 0 {
		f := all[0]
		if name := panicked(diags); name != "" {
			f.Message, f.Hint = fmt.Sprintf("%s() has no result for these arguments", name), "give it others: Packer fails here"
		}
		f.Kind, f.Rule = hybridcore.KindSchema, rule
		c.finding(f)
	}
}

// panicked is the function that gave no error of its own, as log(-1, 2) does.
func panicked(diags hcl.Diagnostics) string {
	for _, diag := range diags {
		call, ok := hcl.DiagnosticExtra[hclsyntax.FunctionCallDiagExtra](diag)
		if !ok || call.FunctionCallError() == nil {
			continue
		}
		if _, is := errors.AsType[function.PanicError](call.FunctionCallError()); is {
			return call.CalledFunctionName()
		}
	}
	return ""
}

func (c *checker) take(findings []hybridcore.Finding) {
	for _, f := range findings {
		c.finding(f)
	}
}

// finding adds a finding that is not there yet, up to the limit.
func (c *checker) finding(f hybridcore.Finding) {
	if c.seen[f] || len(c.findings) > maxFindings {
		return
	}
	c.seen[f] = true
	if len(c.findings) == maxFindings {
		f = hybridcore.Finding{
			Kind: hybridcore.KindSchema, Severity: hybridcore.Error, Blocking: true,
			Message: fmt.Sprintf("more than %d findings; the rest is not listed", maxFindings),
			Hint:    "fix the first ones and run again",
		}
	}
	c.findings = append(c.findings, f)
}

// near is a suggestion in a message: ` (did you mean "x"?)`, or nothing. A name
// that has all the letters in another case is the nearest of all.
func near(name string, candidates []string) string {
	for _, candidate := range candidates {
		if strings.EqualFold(name, candidate) {
			return fmt.Sprintf(" (did you mean %q?)", candidate)
		}
	}
	return hybridcore.DidYouMean(name, candidates)
}

// nearest is the name that near suggests, or an empty text.
func nearest(name string, candidates []string) string {
	_, quoted, _ := strings.Cut(near(name, candidates), `"`)
	found, _, _ := strings.Cut(quoted, `"`)
	return found
}
