// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:43:16Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-cty-funcs/filesystem"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

func hasPrefix(a, b string) bool { return strings.HasPrefix(a, b) }
func hasSuffix(a, b string) bool { return strings.HasSuffix(a, b) }
func contains(a, b string) bool  { return strings.Contains(a, b) }

// textTest is a function of two texts that gives a bool.
func textTest(test func(a, b string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(test(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

func pathFunc(f func(string) string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(f(args[0].AsString())), nil
		},
	})
}

// fixed is a function that always gives one text.
func fixed(text string) function.Function {
	return function.New(&function.Spec{
		Type: function.StaticReturnType(cty.String),
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return cty.StringVal(text), nil },
	})
}

// lengthFunc counts characters of texts too, unlike that of the library.
func lengthFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true,
			AllowUnknown: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) {
			of := args[0].Type()
			if of == cty.String || of == cty.DynamicPseudoType || of.IsTupleType() || of.IsObjectType() ||
				of.IsCollectionType() {
				return cty.Number, nil
			}
			return cty.Number, errors.New("argument must be a string, a collection type, or a structural type")
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			of := args[0].Type()
			switch {
			case of == cty.DynamicPseudoType:
				return cty.UnknownVal(cty.Number), nil
			case of == cty.String:
				return stdlib.Strlen(args[0])
			case of.IsTupleType():
				return cty.NumberIntVal(int64(of.Length())), nil
			case of.IsObjectType():
				return cty.NumberIntVal(int64(len(of.AttributeTypes()))), nil
			default:
				return args[0].Length(), nil
			}
		},
	})
}

// indexFunc finds the place of a value in a list.
func indexFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{
			{Name: "list", Type: cty.DynamicPseudoType},
			{Name: "value", Type: cty.DynamicPseudoType},
		},
		Type: function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if of := args[0].Type(); !of.IsListType() && !of.IsTupleType() {
				return cty.NilVal, errors.New("argument must be a list or tuple")
			}
			for it := args[0].ElementIterator(); it.Next(); {
				at, element := it.Element()
				same, err := stdlib.Equal(element, args[1])
				switch {
				case err != nil:
					return cty.NilVal, err //nolint:wrapcheck // the function's own words
				case !same.IsKnown():
					return cty.UnknownVal(cty.Number), nil
				case same.True():
					return at, nil
				}
			}
			return cty.NilVal, errors.New("item not found")
		},
	})
}

// truthFunc is alltrue, or anytrue.
func truthFunc(all bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.Bool)}}, Type: function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			unknown := false
			for it := args[0].ElementIterator(); it.Next(); {
				_, element := it.Element()
				switch {
				case !element.IsKnown() && all:
					return cty.UnknownVal(cty.Bool), nil
				case !element.IsKnown():
					unknown = true
				case element.IsNull():
					if all {
						return cty.False, nil
					}
				case element.True() != all:
					return cty.BoolVal(!all), nil
				}
			}
			if unknown {
				return cty.UnknownVal(cty.Bool), nil
			}
			return cty.BoolVal(all), nil
		},
	})
}

// sumFunc adds numbers, and texts that are numbers.
func sumFunc() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.DynamicPseudoType}},
		Type:   function.StaticReturnType(cty.Number),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			of := args[0].Type()
			if !of.IsListType() && !of.IsSetType() && !of.IsTupleType() || args[0].LengthInt() == 0 {
				return cty.NilVal, function.NewArgErrorf(0, "argument must be a list, set or tuple of numbers, and not empty")
			}
			if !args[0].IsWhollyKnown() {
				return cty.UnknownVal(cty.Number), nil
			}
			sum := cty.Zero
			for it := args[0].ElementIterator(); it.Next(); {
				_, element := it.Element()
				number, err := convert.Convert(element, cty.Number)
				if err != nil || number.IsNull() {
					return cty.NilVal, function.NewArgErrorf(0, "argument must be list, set, or tuple of number values")
				}
				sum = sum.Add(number)
			}
			return sum, nil
		},
	})
}

// templateFile renders a file with the values that it is given and no others.
// It may not call itself.
func templateFile(dir string, functions map[string]function.Function) function.Function {
	params := []function.Parameter{{Name: "path", Type: cty.String}, {Name: "vars", Type: cty.DynamicPseudoType}}
	render := func(args []cty.Value) (cty.Value, error) {
		text, err := filesystem.File(dir, args[0])
		if err != nil {
			return cty.DynamicVal, err //nolint:wrapcheck // the function's own words
		}
		expr, diags := hclsyntax.ParseTemplate([]byte(text.AsString()), args[0].AsString(), hcl.InitialPos)
		if diags.HasErrors() {
			return cty.DynamicVal, diags //nolint:wrapcheck // the function's own words
		}
		if of := args[1].Type(); !of.IsMapType() && !of.IsObjectType() {
			return cty.DynamicVal, function.NewArgErrorf(1, "invalid vars value: must be a map")
		}
		ctx := &hcl.EvalContext{Variables: args[1].AsValueMap(), Functions: map[string]function.Function{}}
		for name := range ctx.Variables {
			if !hclsyntax.ValidIdentifier(name) {
				return cty.DynamicVal, function.NewArgErrorf(1, "invalid template variable name %q", name)
			}
		}
		for _, ref := range expr.Variables() {
			if _, ok := ctx.Variables[ref.RootName()]; !ok {
				return cty.DynamicVal, function.NewArgErrorf(1, "vars map does not contain key %q, referenced at %s",
					ref.RootName(), ref.SourceRange())
			}
		}
		maps.Copy(ctx.Functions, functions)
		ctx.Functions["templatefile"] = function.New(&function.Spec{
			Params: params,
			Type: func([]cty.Value) (cty.Type, error) {
				return cty.NilType, fmt.Errorf("templatefile cannot call templatefile")
			},
		})
		value, diags := expr.Value(ctx)
		if diags.HasErrors() {
			return cty.DynamicVal, diags //nolint:wrapcheck // the function's own words
		}
		return value, nil
	}
	render = remembering(render)
	return function.New(&function.Spec{
		Params: params,
		Type: func(args []cty.Value) (cty.Type, error) {
			if !args[0].IsKnown() || !args[1].IsKnown() {
				return cty.DynamicPseudoType, nil
			}
			value, err := render(args)
			return value.Type(), err
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) { return render(args) },
	})
}

// remembering gives the last value again to the same arguments: a call asks for
// its type twice and then for its value.
func remembering(render func([]cty.Value) (cty.Value, error)) func([]cty.Value) (cty.Value, error) {
	var last struct {
		sync.Mutex
		args  []cty.Value
		value cty.Value
	}
	return func(args []cty.Value) (cty.Value, error) {
		last.Lock()
		defer last.Unlock()
		if last.args != nil && last.args[0].RawEquals(args[0]) && last.args[1].RawEquals(args[1]) {
			return last.value, nil
		}
		value, err := render(args)
		if err == nil {
			last.args, last.value = slices.Clone(args), value
		}
		return value, err
	}
}
