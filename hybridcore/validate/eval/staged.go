// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:42Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"path"
	"strings"
	"unicode/utf8"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

// stagedFunctions are those that read files: here, only what is staged.
func (s Stage) functions() map[string]function.Function {
	all := make(map[string]function.Function, len(functions))
	for name, spec := range functions {
		all[name] = spec.fn
	}
	text := func(result func(content []byte) cty.Value, of cty.Type) function.Function {
		return function.New(&function.Spec{
			Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(of),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				content, ok := s.Content(args[0].AsString())
				if !ok {
					return cty.UnknownVal(of), nil // reported with the paths
				}
				return result(content), nil
			},
		})
	}
	all["file"] = text(func(content []byte) cty.Value {
		if len(content) > maxExpression || !utf8.Valid(content) {
			return cty.UnknownVal(cty.String)
		}
		return cty.StringVal(string(content))
	}, cty.String)
	all["fileexists"] = function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			_, ok := s.Content(args[0].AsString())
			return cty.BoolVal(ok), nil
		},
	})
	all["fileset"] = s.fileset()
	return all
}

// fileset lists staged files by pattern; ** crosses folders.
func (s Stage) fileset() function.Function {
	result := cty.Set(cty.String)
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}, {Name: "pattern", Type: cty.String}},
		Type:   function.StaticReturnType(result),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			dir, pattern := Clean(args[0].AsString()), args[1].AsString()
			if strings.Contains(pattern, "**") {
				return cty.UnknownVal(result), nil
			}
			var found []cty.Value
			for staged := range s.paths {
				below := staged
				if dir != "." {
					var inside bool
					if below, inside = strings.CutPrefix(staged, dir+"/"); !inside {
						continue
					}
				}
				if match, err := path.Match(pattern, below); err == nil && match {
					found = append(found, cty.StringVal(below))
				}
			}
			if len(found) == 0 {
				return cty.SetValEmpty(cty.String), nil
			}
			return cty.SetVal(found), nil
		},
	})
}
