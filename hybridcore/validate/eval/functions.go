// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:00:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import (
	"encoding/base64"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// spec is a function of Packer 1.15 (hcl2template/functions.go).
type spec struct {
	fn function.Function
	// reads says, for a policy, what the function reaches beyond its arguments.
	reads string
}

// functions are all functions that an expression may call. What depends on the
// machine, a clock, chance or a service gives an unknown value here.
var functions = map[string]spec{
	"abs": {fn: stdlib.AbsoluteFunc}, "abspath": {fn: pathFunc(Clean)}, "alltrue": opaque(cty.Bool),
	"anytrue":                opaque(cty.Bool),
	"aws_secretsmanager":     reader(cty.String, "secrets of AWS Secrets Manager"),
	"aws_secretsmanager_raw": reader(cty.String, "secrets of AWS Secrets Manager"),
	"basename":               {fn: pathFunc(path.Base)}, "base64decode": {fn: base64decode()},
	"base64encode": opaque(cty.String),
	"base64gzip":   opaque(cty.String), "bcrypt": opaque(cty.String), "can": {fn: tryfunc.CanFunc},
	"ceil":  {fn: stdlib.CeilFunc},
	"chomp": {fn: stdlib.ChompFunc}, "chunklist": {fn: stdlib.ChunklistFunc}, "cidrhost": opaque(cty.String),
	"cidrnetmask": opaque(cty.String),
	"cidrsubnet":  opaque(cty.String), "cidrsubnets": opaque(cty.List(cty.String)), "coalesce": {fn: stdlib.CoalesceFunc},
	"coalescelist": {fn: stdlib.CoalesceListFunc}, "compact": {fn: stdlib.CompactFunc}, "concat": {fn: stdlib.ConcatFunc},
	"consul_key": reader(cty.String, "keys of Consul"), "contains": {fn: stdlib.ContainsFunc},
	"convert":   {fn: typeexpr.ConvertFunc},
	"csvdecode": {fn: stdlib.CSVDecodeFunc}, "dirname": {fn: pathFunc(path.Dir)}, "distinct": {fn: distinct()},
	"element": {fn: stdlib.ElementFunc}, "endswith": {fn: textTest(strings.HasSuffix)},
	"flatten": {fn: stdlib.FlattenFunc},
	"file":    opaque(cty.String), "filebase64": opaque(cty.String), "fileexists": opaque(cty.Bool),
	"fileset": opaque(cty.Set(cty.String)),
	"floor":   {fn: stdlib.FloorFunc}, "format": {fn: narrow(stdlib.FormatFunc, cty.String)},
	"formatdate": {fn: stdlib.FormatDateFunc},
	"formatlist": {fn: narrow(stdlib.FormatListFunc, cty.DynamicPseudoType)}, "indent": {fn: indent()},
	"index": opaque(cty.Number),
	"join":  {fn: stdlib.JoinFunc}, "jsondecode": {fn: stdlib.JSONDecodeFunc}, "jsonencode": {fn: stdlib.JSONEncodeFunc},
	"keys": {fn: stdlib.KeysFunc}, "legacy_isotime": opaque(cty.String), "legacy_strftime": opaque(cty.String),
	"length": {fn: length()},
	"log":    {fn: stdlib.LogFunc}, "lookup": {fn: stdlib.LookupFunc}, "lower": {fn: stdlib.LowerFunc},
	"max": {fn: stdlib.MaxFunc},
	"md5": opaque(cty.String), "merge": {fn: stdlib.MergeFunc}, "min": {fn: stdlib.MinFunc},
	"parseint":   {fn: stdlib.ParseIntFunc},
	"pathexpand": reader(cty.String, "the home directory"), "pow": {fn: stdlib.PowFunc}, "range": {fn: stdlib.RangeFunc},
	"reverse": {fn: stdlib.ReverseListFunc}, "replace": {fn: stdlib.ReplaceFunc}, "regex": {fn: stdlib.RegexFunc},
	"regexall": {fn: stdlib.RegexAllFunc}, "regex_replace": {fn: stdlib.RegexReplaceFunc},
	"rsadecrypt":      reader(cty.String, "what no one can see in the tree"),
	"setintersection": {fn: stdlib.SetIntersectionFunc}, "setproduct": {fn: stdlib.SetProductFunc},
	"setunion": {fn: stdlib.SetUnionFunc},
	"sha1":     opaque(cty.String), "sha256": opaque(cty.String), "sha512": opaque(cty.String),
	"signum": {fn: stdlib.SignumFunc},
	"slice":  {fn: stdlib.SliceFunc}, "sort": {fn: stdlib.SortFunc}, "split": {fn: stdlib.SplitFunc},
	"startswith":  {fn: textTest(strings.HasPrefix)},
	"strcontains": {fn: textTest(strings.Contains)}, "strrev": {fn: stdlib.ReverseFunc}, "substr": {fn: stdlib.SubstrFunc},
	"sum":          opaque(cty.Number),
	"templatefile": opaque(cty.String), "textdecodebase64": reader(cty.String, "what no one can see in the tree"),
	"textencodebase64": opaque(cty.String), "timestamp": opaque(cty.String),
	"timeadd": {fn: stdlib.TimeAddFunc}, "title": {fn: stdlib.TitleFunc}, "trim": {fn: stdlib.TrimFunc},
	"trimprefix": {fn: stdlib.TrimPrefixFunc},
	"trimspace":  {fn: stdlib.TrimSpaceFunc}, "trimsuffix": {fn: stdlib.TrimSuffixFunc}, "try": {fn: tryfunc.TryFunc},
	"upper":     {fn: stdlib.UpperFunc},
	"urlencode": opaque(cty.String), "uuidv4": opaque(cty.String), "uuidv5": opaque(cty.String),
	"values": {fn: stdlib.ValuesFunc},
	"vault":  reader(cty.String, "secrets of Vault"), "yamldecode": opaque(cty.DynamicPseudoType),
	"yamlencode": opaque(cty.String), "zipmap": {fn: stdlib.ZipmapFunc},
}

// Readers are the functions whose first argument is a file.
var Readers = []string{"abspath", "file", "filebase64", "fileexists", "fileset", "templatefile"}

// Functions are the names of all functions, sorted.
func Functions() []string { return slices.Sorted(maps.Keys(functions)) }

// Reads says what a function reaches beyond its arguments, or nothing.
func Reads(name string) string { return functions[name].reads }

// anything takes any arguments.
func anything() *function.Parameter {
	return &function.Parameter{
		Name: "arguments", Type: cty.DynamicPseudoType, AllowUnknown: true, AllowDynamicType: true,
		AllowNull: true,
	}
}

// opaque is a function whose result is not computed here.
func opaque(result cty.Type) spec {
	return spec{fn: function.New(&function.Spec{
		VarParam: anything(), Type: function.StaticReturnType(result),
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return cty.UnknownVal(result), nil },
	})}
}

func reader(result cty.Type, what string) spec {
	s := opaque(result)
	s.reads = what
	return s
}

func pathFunc(f func(string) string) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "path", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.StringVal(f(args[0].AsString())), nil
		},
	})
}

// maxDistinct is how many values are compared with each other that are no texts.
const maxDistinct = 60

// distinct is that of cty, which takes 5 µs to compare two objects.
func distinct() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "list", Type: cty.List(cty.DynamicPseudoType)}},
		Type:   func(args []cty.Value) (cty.Type, error) { return args[0].Type(), nil },
		Impl: func(args []cty.Value, of cty.Type) (cty.Value, error) {
			if of.ElementType() != cty.String && args[0].LengthInt() > maxDistinct {
				return cty.UnknownVal(of), nil
			}
			value, err := stdlib.Distinct(args[0])
			return value, err //nolint:wrapcheck // it is the function's own error
		},
	})
}

// base64decode gives what is text; Packer refuses all else.
func base64decode() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}}, Type: function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			text, err := base64.StdEncoding.DecodeString(args[0].AsString())
			if err != nil || !utf8.Valid(text) {
				return cty.UnknownVal(cty.String), nil //nolint:nilerr // Packer says it when it evaluates
			}
			return cty.StringVal(string(text)), nil
		},
	})
}

func textTest(f func(a, b string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(f(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// length takes strings too, unlike that of cty.
func length() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{
			Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true,
			AllowUnknown: true,
		}},
		Type: func(args []cty.Value) (cty.Type, error) {
			of := args[0].Type()
			if of == cty.String || of.IsTupleType() || of.IsObjectType() || of.IsListType() || of.IsMapType() ||
				of.IsSetType() || of == cty.DynamicPseudoType {
				return cty.Number, nil
			}
			return cty.Number, function.NewArgErrorf(0, "the argument must be a string, a collection, or a structural type")
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			switch of := args[0].Type(); {
			case !args[0].IsKnown() || of == cty.DynamicPseudoType:
				return cty.UnknownVal(cty.Number), nil
			case of == cty.String:
				return cty.NumberIntVal(int64(utf8.RuneCountInString(args[0].AsString()))), nil
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

// wide matches a verb of format that pads to a thousand characters or more, or
// to a width that is an argument.
var wide = regexp.MustCompile(`%[^a-zA-Z%]*([0-9]{4,}|\*)`)

// narrow keeps format from padding to gigabytes.
func narrow(f function.Function, result cty.Type) function.Function {
	return function.New(&function.Spec{
		Params:   []function.Parameter{{Name: "format", Type: cty.String, AllowUnknown: true}},
		VarParam: anything(), Type: function.StaticReturnType(result),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if !args[0].IsKnown() || wide.MatchString(args[0].AsString()) {
				return cty.UnknownVal(result), nil
			}
			value, err := f.Call(args)
			return value, err //nolint:wrapcheck // it is the function's own error
		},
	})
}

// maxIndent is the widest indentation that is computed.
const maxIndent = 200

// indent is bounded as narrow is.
func indent() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "spaces", Type: cty.Number}, {Name: "text", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			if args[0].GreaterThan(cty.NumberIntVal(maxIndent)).True() {
				return cty.UnknownVal(cty.String), nil
			}
			value, err := stdlib.IndentFunc.Call(args)
			return value, err //nolint:wrapcheck // it is the function's own error
		},
	})
}

// maxWidth is the largest width in a format that is computed.
const maxWidth = 999
