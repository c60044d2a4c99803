// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:46:30Z
// Spec: openspec/specs/static-validation/spec.md#requirement-files-that-a-template-names
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package validate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/eval"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/module"
)

// calls checks the files that functions read, wherever the target's templates
// call them with a path that is known.
func (c paths) calls() {
	for _, file := range c.module.Files {
		module.Expressions(file, func(expr hclsyntax.Expression, known module.Iterators) {
			for _, call := range c.facts.Of(expr).Calls {
				switch {
				case !slices.Contains(eval.Readers, call.Name) || len(call.Args) == 0:
				case !call.ExpandFinal:
					c.callPath(file, call, known, c.facts.Of(expr).Loops)
					c.pattern(file, call, known)
				case c.untrusted:
					c.found.Refuse(file, finding.RulePolicyPath, call.NameRange,
						"the path of "+call.Name+"() is in a list that is expanded",
						"write the arguments out")
				}
			}
		})
	}
}

func (c paths) callPath(
	file *hclfile.File, call *hclsyntax.FunctionCallExpr, known module.Iterators, loops map[string]bool,
) {
	value := cty.DynamicVal
	arg := call.Args[0]
	if c.closed(arg, known) {
		if got, ok := c.scope.Value(file, arg, c.scope.Context); ok {
			value = got
		}
	} else if prefix, ok := c.prefix(arg, loops); ok && eval.Outside(prefix) {
		value = cty.StringVal(prefix)
	} else if ok {
		return // it stays below a folder of the stage: fileset gave the rest
	}
	c.reach(use{
		file: file, expr: arg, value: value, role: reads, what: "the path of " + call.Name + "()",
		optional: slices.Contains([]string{"abspath", "fileexists", "fileset"}, call.Name),
	})
}

// pattern refuses a pattern of fileset that may leave its folder: Packer follows
// .. in it. That holds for a tree whose author is not trusted.
func (c paths) pattern(file *hclfile.File, call *hclsyntax.FunctionCallExpr, known module.Iterators) {
	if !c.untrusted || call.Name != "fileset" || len(call.Args) < 2 {
		return
	}
	arg, text := call.Args[1], ""
	if c.closed(arg, known) {
		value, _ := c.scope.Value(file, arg, c.scope.Context)
		text = eval.StringOf(value)
	}
	if text == "" || leaves(text) {
		c.found.Refuse(file, finding.RulePolicyPath, arg.Range(),
			fmt.Sprintf("the pattern of fileset() is %.120q: it is not known, or may leave its folder", text),
			`write it out without .., a \ and a / at its beginning`)
	}
}

// leaves says whether a pattern can lead out of its folder. Alternatives of only
// dots may be put together to .. and count as such.
func leaves(pattern string) bool {
	parts := strings.FieldsFunc(pattern, func(r rune) bool { return strings.ContainsRune("/{,}", r) })
	return eval.Outside(pattern) || strings.Contains(pattern, `\`) || slices.ContainsFunc(parts, func(part string) bool {
		return strings.Trim(part, ".") == "" && (part != "." || strings.Contains(pattern, "{"))
	})
}

// closed says whether an expression refers only to values of the module: not to
// the variable of a loop around it.
func (c paths) closed(expr hclsyntax.Expression, known module.Iterators) bool {
	for _, ref := range c.facts.Of(expr).Traversals {
		if !slices.Contains(module.Roots, ref.RootName()) || known[ref.RootName()] {
			return false
		}
	}
	return true
}

// prefix is the known beginning of a path that ends with the variable of a
// loop, when what follows cannot leave it: a name that fileset found.
func (c paths) prefix(expr hclsyntax.Expression, loops map[string]bool) (string, bool) {
	template, ok := expr.(*hclsyntax.TemplateExpr)
	if !ok {
		return "", false
	}
	text := ""
	for i, part := range template.Parts {
		if !c.closed(part, nil) {
			name, isName := module.Plain(part)
			return text, i == len(template.Parts)-1 && strings.HasSuffix(text, "/") && isName && loops[name.RootName()]
		}
		value := c.scope.Cheap(part)
		if !value.IsKnown() || value.Type() != cty.String {
			return "", false
		}
		text += value.AsString()
	}
	return text, false
}
