// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:05:35Z
// Spec: openspec/specs/plan/spec.md#requirement-published-schemas
// Diagram: openspec/specs/plan/diagram.md#two-trees

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// declared is what a package says about its types.
type declared struct {
	types  map[string]ast.Expr
	docs   map[string]string
	values map[string][]string // of typed string constants
}

// read parses the files of a folder that are no tests.
func read(dir string) (declared, error) {
	d := declared{types: map[string]ast.Expr{}, docs: map[string]string{}, values: map[string][]string{}}
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return d, fmt.Errorf("listing %s: %w", dir, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return d, fmt.Errorf("reading the types: %w", err)
		}
		for _, decl := range file.Decls {
			if group, ok := decl.(*ast.GenDecl); ok {
				d.group(group)
			}
		}
	}
	return d, nil
}

func (d declared) group(group *ast.GenDecl) {
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			d.types[spec.Name.Name] = spec.Type
			d.docs[spec.Name.Name] = text(spec.Doc, group.Doc)
		case *ast.ValueSpec:
			typ, ok := spec.Type.(*ast.Ident)
			if !ok || group.Tok != token.CONST {
				continue
			}
			for _, value := range spec.Values {
				if literal, ok := value.(*ast.BasicLit); ok && literal.Kind == token.STRING {
					if s, err := strconv.Unquote(literal.Value); err == nil {
						d.values[typ.Name] = append(d.values[typ.Name], s)
					}
				}
			}
		}
	}
}

// text is the first comment there is, on one line.
func text(comments ...*ast.CommentGroup) string {
	for _, c := range comments {
		if c != nil {
			return strings.Join(strings.Fields(c.Text()), " ")
		}
	}
	return ""
}

// walker makes the schemas of the types that are reached.
type walker struct {
	types declared
	defs  map[string]any
}

// basic are the types that JSON has a word for. A time is RFC 3339 text, a
// duration a number of nanoseconds.
var basic = map[string]map[string]any{
	"string": {"type": "string"}, "bool": {"type": "boolean"}, "int": {"type": "integer"}, "int64": {"type": "integer"},
	"uint64": {"type": "integer", "minimum": 0}, "time.Time": {"type": "string", "format": "date-time"},
	"time.Duration": {"type": "integer"},
}

// variable is written by a method of its own, which leaves secrets out.
var variable = map[string]any{
	"type": "object", "description": "One resolved input variable with its layers, lowest first. A sensitive one has " +
		"no value.",
	"properties": map[string]any{
		"name": basic["string"], "value": map[string]any{"description": "any JSON"}, "sensitive": basic["bool"],
		"layers": map[string]any{"type": []string{"array", "null"}, "items": map[string]any{"$ref": "#/$defs/Layer"}},
	},
	"required": []string{"name"}, "additionalProperties": false,
}

func (w walker) named(name string) (map[string]any, error) {
	if schema, ok := basic[name]; ok {
		return maps.Clone(schema), nil
	}
	typ, ok := w.types.types[name]
	if !ok {
		return nil, fmt.Errorf("the type %s is neither basic nor declared in %s", name, source)
	}
	ref := map[string]any{"$ref": "#/$defs/" + name}
	if _, done := w.defs[name]; done {
		return ref, nil
	}
	w.defs[name] = nil // it may hold itself
	var schema map[string]any
	var err error
	switch typ := typ.(type) {
	case *ast.StructType:
		schema, err = w.object(name, typ)
	default:
		if schema, err = w.expr(typ); err == nil && len(w.types.values[name]) > 0 {
			schema["enum"] = w.types.values[name]
		}
	}
	if err != nil {
		return nil, err
	}
	if schema["description"] == nil && w.types.docs[name] != "" {
		schema["description"] = w.types.docs[name]
	}
	w.defs[name] = schema
	return ref, nil
}

func (w walker) object(name string, typ *ast.StructType) (map[string]any, error) {
	if name == "Variable" {
		_, err := w.named("Layer")
		return variable, err
	}
	properties := map[string]any{}
	required, err := w.fields(name, typ, properties)
	if err != nil {
		return nil, err
	}
	slices.Sort(required)
	return map[string]any{
		"type": "object", "properties": properties, "required": required,
		"additionalProperties": false,
	}, nil
}

// fields adds the properties of a struct, and returns those that are required.
func (w walker) fields(name string, typ *ast.StructType, properties map[string]any) ([]string, error) {
	required := []string{}
	for _, field := range typ.Fields.List {
		if inner, ok := w.embedded(field); ok {
			more, err := w.fields(name, inner, properties)
			if err != nil {
				return nil, err
			}
			required = append(required, more...)
			continue
		}
		if field.Tag == nil || len(field.Names) != 1 {
			return nil, fmt.Errorf("a field of %s has no JSON tag, or shares its line", name)
		}
		tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("json")
		if tag == "-" {
			continue // JSON does not have it
		}
		key, options, _ := strings.Cut(tag, ",")
		schema, err := w.expr(field.Type)
		if err != nil {
			return nil, fmt.Errorf("%s.%s: %w", name, key, err)
		}
		if about := text(field.Doc, field.Comment); about != "" {
			schema["description"] = about
		}
		properties[key] = schema
		if !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero") {
			required = append(required, key)
		}
	}
	return required, nil
}

// embedded is the type of a field without a name, whose fields JSON shows as if
// they were of the struct around it.
func (w walker) embedded(field *ast.Field) (*ast.StructType, bool) {
	name, ok := field.Type.(*ast.Ident)
	if !ok || len(field.Names) > 0 || field.Tag != nil {
		return nil, false
	}
	inner, ok := w.types.types[name.Name].(*ast.StructType)
	return inner, ok
}

func (w walker) expr(expr ast.Expr) (map[string]any, error) {
	switch e := expr.(type) {
	case *ast.Ident:
		return w.named(e.Name)
	case *ast.SelectorExpr:
		if pkg, ok := e.X.(*ast.Ident); ok {
			return w.named(pkg.Name + "." + e.Sel.Name)
		}
	case *ast.StarExpr:
		return w.expr(e.X)
	case *ast.ArrayType:
		items, err := w.expr(e.Elt)
		return map[string]any{"type": []string{"array", "null"}, "items": items}, err
	case *ast.MapType:
		values, err := w.expr(e.Value)
		return map[string]any{"type": []string{"object", "null"}, "additionalProperties": values}, err
	}
	return nil, fmt.Errorf("no schema for the type %T", expr)
}
