// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:43:16Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template

import (
	"maps"
	"path/filepath"
	"time"

	"github.com/hashicorp/go-cty-funcs/cidr"
	"github.com/hashicorp/go-cty-funcs/collection"
	"github.com/hashicorp/go-cty-funcs/crypto"
	"github.com/hashicorp/go-cty-funcs/encoding"
	"github.com/hashicorp/go-cty-funcs/filesystem"
	"github.com/hashicorp/go-cty-funcs/uuid"
	"github.com/hashicorp/hcl/v2/ext/tryfunc"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
	ctyyaml "github.com/zclconf/go-cty-yaml"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// pure are the functions that Packer takes from libraries and that look at
// their arguments alone.
var pure = map[string]function.Function{
	"abs": stdlib.AbsoluteFunc, "basename": filesystem.BasenameFunc, "base64decode": encoding.Base64DecodeFunc,
	"base64encode": encoding.Base64EncodeFunc, "bcrypt": crypto.BcryptFunc, "can": tryfunc.CanFunc,
	"ceil":  stdlib.CeilFunc,
	"chomp": stdlib.ChompFunc, "chunklist": stdlib.ChunklistFunc, "cidrhost": cidr.HostFunc,
	"cidrnetmask": cidr.NetmaskFunc,
	"cidrsubnet":  cidr.SubnetFunc, "cidrsubnets": cidr.SubnetsFunc, "coalesce": collection.CoalesceFunc,
	"coalescelist": stdlib.CoalesceListFunc, "compact": stdlib.CompactFunc, "concat": stdlib.ConcatFunc,
	"contains": stdlib.ContainsFunc, "convert": typeexpr.ConvertFunc, "csvdecode": stdlib.CSVDecodeFunc,
	"dirname": filesystem.DirnameFunc, "distinct": stdlib.DistinctFunc, "element": stdlib.ElementFunc,
	"flatten": stdlib.FlattenFunc,
	"floor":   stdlib.FloorFunc, "format": stdlib.FormatFunc, "formatdate": stdlib.FormatDateFunc,
	"formatlist": stdlib.FormatListFunc,
	"indent":     stdlib.IndentFunc, "join": stdlib.JoinFunc, "jsondecode": stdlib.JSONDecodeFunc,
	"jsonencode": stdlib.JSONEncodeFunc,
	"keys":       stdlib.KeysFunc, "log": stdlib.LogFunc, "lookup": stdlib.LookupFunc, "lower": stdlib.LowerFunc,
	"max": stdlib.MaxFunc,
	"md5": crypto.Md5Func, "merge": stdlib.MergeFunc, "min": stdlib.MinFunc, "parseint": stdlib.ParseIntFunc,
	"pathexpand": filesystem.PathExpandFunc, "pow": stdlib.PowFunc, "range": stdlib.RangeFunc,
	"reverse": stdlib.ReverseListFunc,
	"replace": stdlib.ReplaceFunc, "regex": stdlib.RegexFunc, "regexall": stdlib.RegexAllFunc,
	"regex_replace": stdlib.RegexReplaceFunc,
	"rsadecrypt":    crypto.RsaDecryptFunc, "setintersection": stdlib.SetIntersectionFunc,
	"setproduct": stdlib.SetProductFunc,
	"setunion":   stdlib.SetUnionFunc, "sha1": crypto.Sha1Func, "sha256": crypto.Sha256Func, "sha512": crypto.Sha512Func,
	"signum": stdlib.SignumFunc, "slice": stdlib.SliceFunc, "sort": stdlib.SortFunc, "split": stdlib.SplitFunc,
	"strrev": stdlib.ReverseFunc, "substr": stdlib.SubstrFunc, "timeadd": stdlib.TimeAddFunc, "title": stdlib.TitleFunc,
	"trim": stdlib.TrimFunc, "trimprefix": stdlib.TrimPrefixFunc, "trimspace": stdlib.TrimSpaceFunc,
	"trimsuffix": stdlib.TrimSuffixFunc,
	"try":        tryfunc.TryFunc, "upper": stdlib.UpperFunc, "urlencode": encoding.URLEncodeFunc, "uuidv4": uuid.V4Func,
	"uuidv5": uuid.V5Func,
	"values": stdlib.ValuesFunc, "yamldecode": ctyyaml.YAMLDecodeFunc, "yamlencode": ctyyaml.YAMLEncodeFunc,
	"zipmap": stdlib.ZipmapFunc,
	"index":  indexFunc(), "length": lengthFunc(), "alltrue": truthFunc(true), "anytrue": truthFunc(false),
	"sum":        sumFunc(),
	"startswith": textTest(hasPrefix), "endswith": textTest(hasSuffix), "strcontains": textTest(contains),
}

// notHere are functions of Packer that ask services or are rare enough to be
// left to Packer itself: a template that calls one is not judged.
var notHere = map[string]cty.Type{
	"aws_secretsmanager": cty.String, "aws_secretsmanager_raw": cty.String, "consul_key": cty.String, "vault": cty.String,
	"base64gzip": cty.String, "legacy_isotime": cty.String, "legacy_strftime": cty.String, "textdecodebase64": cty.String,
	"textencodebase64": cty.String,
}

// newFunctions are the functions of one template: paths are relative to its
// stage, as Packer's are to its working directory.
func (t *Template) newFunctions() map[string]function.Function {
	dir := t.opts.Dir
	all := map[string]function.Function{
		"abspath": pathFunc(func(p string) string {
			if filepath.IsAbs(p) {
				return filepath.ToSlash(filepath.Clean(p))
			}
			return filepath.ToSlash(filepath.Join(dir, p))
		}),
		"file": filesystem.MakeFileFunc(dir, false), "filebase64": filesystem.MakeFileFunc(dir, true),
		"fileexists": filesystem.MakeFileExistsFunc(dir), "fileset": filesystem.MakeFileSetFunc(dir),
	}
	maps.Copy(all, pure)
	for name, of := range notHere {
		all[name] = t.refused(name, of)
	}
	all["timestamp"] = fixed(time.Now().UTC().Format(time.RFC3339)) // one time for the whole template
	all["templatefile"] = templateFile(dir, all)
	return all
}

// refused is a function that is said, not answered.
func (t *Template) refused(name string, of cty.Type) function.Function {
	return function.New(&function.Spec{
		VarParam: &function.Parameter{
			Name: "arguments", Type: cty.DynamicPseudoType, AllowUnknown: true,
			AllowDynamicType: true, AllowNull: true,
		},
		Type: func([]cty.Value) (cty.Type, error) {
			t.doubt("a call of " + name + "()")
			return of, nil
		},
		Impl: func([]cty.Value, cty.Type) (cty.Value, error) { return cty.UnknownVal(of), nil },
	})
}
