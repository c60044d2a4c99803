// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:41Z
// Spec: openspec/specs/static-validation/spec.md#requirement-findings-name-a-rule
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package finding

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// most is how many findings one answer lists.
const most = 200

// List collects findings, each once and up to a limit. Its zero value is empty.
type List struct {
	seen map[hybridcore.Finding]bool
	all  []hybridcore.Finding
}

// Refuse adds a blocking finding; the rule gives its kind.
func (l *List) Refuse(file *hclfile.File, rule string, at hcl.Range, message, hint string) {
	if l.Full() {
		return
	}
	f := file.Finding(kindOf(rule), at, message, hint)
	f.Rule = rule
	l.Add(f)
}

// Warn adds a finding that does not block.
func (l *List) Warn(file *hclfile.File, rule string, at hcl.Range, message, hint string) {
	if l.Full() {
		return
	}
	f := file.Finding(hybridcore.KindSchema, at, message, hint)
	f.Rule, f.Severity, f.Blocking = rule, hybridcore.Warning, false
	l.Add(f)
}

// Diagnostics adds the first complaint of an evaluation: the others are mostly
// its echo.
func (l *List) Diagnostics(file *hclfile.File, rule string, diags hcl.Diagnostics) {
	if all := file.Diagnostics(diags); len(all) > 0 {
		f := all[0]
		if name := panicked(diags); name != "" {
			f.Message, f.Hint = fmt.Sprintf("%s() has no result for these arguments", name), "give it others: Packer fails here"
		}
		f.Kind, f.Rule = hybridcore.KindSchema, rule
		l.Add(f)
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

// Take adds all of some findings.
func (l *List) Take(findings []hybridcore.Finding) {
	for _, f := range findings {
		l.Add(f)
	}
}

// Add adds a finding that is not there yet, up to the limit.
func (l *List) Add(f hybridcore.Finding) {
	if l.seen[f] || l.Full() {
		return
	}
	if l.seen == nil {
		l.seen = map[hybridcore.Finding]bool{}
	}
	l.seen[f] = true
	if len(l.all) == most {
		f = hybridcore.Finding{
			Kind: hybridcore.KindSchema, Severity: hybridcore.Error, Blocking: true,
			Message: fmt.Sprintf("more than %d findings; the rest is not listed", most),
			Hint:    "fix the first ones and run again",
		}
	}
	l.all = append(l.all, f)
}

// Full says whether nothing more is listed: what is only said need not be looked up.
func (l *List) Full() bool { return len(l.all) > most }

// All are the findings in the order in which they were made.
func (l *List) All() []hybridcore.Finding { return l.all }

// Sorted returns the findings by place, each once.
func (l *List) Sorted() []hybridcore.Finding {
	slices.SortStableFunc(l.all, func(a, b hybridcore.Finding) int {
		if by := strings.Compare(a.File, b.File); by != 0 {
			return by
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		if a.Column != b.Column {
			return a.Column - b.Column
		}
		return strings.Compare(a.Rule+a.Message, b.Rule+b.Message)
	})
	return l.all
}

// Near is a suggestion in a message: ` (did you mean "x"?)`, or nothing. A name
// that has all the letters in another case is the nearest of all.
func Near(name string, candidates []string) string {
	for _, candidate := range candidates {
		if strings.EqualFold(name, candidate) {
			return fmt.Sprintf(" (did you mean %q?)", candidate)
		}
	}
	return text.DidYouMean(name, candidates)
}

// Suggested is the name in a suggestion, or an empty text.
func Suggested(near string) string {
	_, quoted, _ := strings.Cut(near, `"`)
	found, _, _ := strings.Cut(quoted, `"`)
	return found
}
