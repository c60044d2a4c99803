// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package template

import (
	"errors"
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// maxWork bounds the size of an evaluated template in characters, and the steps to get there: the 4 MB that
// Azure allows a template.
const maxWork = 4 << 20

// scope is what the expressions of one deployment can refer to. Names are lower case.
type scope struct {
	place      arm.ID // of the deployment
	location   string // of its resource group
	parameters map[string]any
	variables  map[string]any // not evaluated
	busy       map[string]bool
	work       int
}

// errTooLarge ends an evaluation that grows without bounds.
var errTooLarge = fmt.Errorf("the evaluated template is larger than %d characters", maxWork)

// spend accounts for some work.
func (s *scope) spend(n int) error {
	if s.work += n; s.work > maxWork {
		return errTooLarge
	}
	return nil
}

// Value evaluates a value of a template: every string in it that is an expression.
func (s *scope) value(v any) (any, error) {
	if err := s.spend(1); err != nil {
		return nil, err
	}
	switch v := v.(type) {
	case string:
		return s.text(v)
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			var err error
			if out[i], err = s.value(one); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			got, err := s.value(one)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			out[name] = got
		}
		return out, nil
	}
	return v, nil
}

// text evaluates a string. "[[" stands for a "[" that begins no expression.
func (s *scope) text(v string) (any, error) {
	if err := s.spend(len(v)); err != nil {
		return nil, err
	}
	if strings.HasPrefix(v, "[[") {
		return v[1:], nil
	}
	if !strings.HasPrefix(v, "[") || !strings.HasSuffix(v, "]") {
		return v, nil
	}
	n, err := parseExpression(v[1 : len(v)-1])
	if err != nil {
		return nil, fmt.Errorf("the expression %q does not parse: %w", arm.Clip(v), err)
	}
	got, err := s.eval(n)
	if err != nil {
		return nil, fmt.Errorf("evaluating %q: %w", arm.Clip(v), err)
	}
	return got, nil
}

// Eval evaluates a parsed expression.
func (s *scope) eval(n *node) (any, error) {
	switch {
	case n.call != "":
		args := make([]any, len(n.args))
		for i, arg := range n.args {
			var err error
			if args[i], err = s.eval(arg); err != nil {
				return nil, err
			}
		}
		return s.call(n.call, args)
	case n.of != nil:
		of, err := s.eval(n.of)
		if err != nil {
			return nil, err
		}
		key, err := s.eval(n.key)
		if err != nil {
			return nil, err
		}
		return access(of, key)
	}
	return n.literal, nil
}

// access reads a property of an object or an element of an array.
func access(of, key any) (any, error) {
	switch of := of.(type) {
	case map[string]any:
		name, ok := key.(string)
		if !ok {
			return nil, fmt.Errorf("a property name must be a string, not %v", key)
		}
		for have, v := range of {
			if strings.EqualFold(have, name) {
				return v, nil
			}
		}
		return nil, fmt.Errorf("there is no property %q", name)
	case []any:
		if i, ok := key.(int); ok && i >= 0 && i < len(of) {
			return of[i], nil
		}
		return nil, fmt.Errorf("the array of %d has no element %v", len(of), key)
	}
	return nil, fmt.Errorf("%v is neither an object nor an array", key)
}

// functions are the functions of the template language that the simulator has: those of the plugin's
// templates and their nearest relatives.
var functions = map[string]func(*scope, []any) (any, error){
	"parameters":    (*scope).parameter,
	"resourcegroup": (*scope).resourceGroup,
	"subscription":  (*scope).subscription,
	"concat":        (*scope).concat,
	"resourceid":    (*scope).resourceID,
	"empty":         (*scope).empty,
	"not":           (*scope).not,
	"equals":        (*scope).equals,
	"tolower":       (*scope).toLower,
}

// call calls a function of the template language.
func (s *scope) call(name string, args []any) (any, error) {
	lower := strings.ToLower(name)
	if lower == "variables" {
		return s.variable(args) // not in the table, which would then refer to itself
	}
	f, known := functions[lower]
	if !known {
		return nil, fmt.Errorf("the lab does not have the template function %q", name)
	}
	got, err := f(s, args)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if text, ok := got.(string); ok {
		return got, s.spend(len(text))
	}
	return got, nil
}

// one returns the only argument, which must be a string.
func one(args []any) (string, error) {
	if len(args) == 1 {
		if text, ok := args[0].(string); ok {
			return text, nil
		}
	}
	return "", errors.New("expected one string")
}

func (s *scope) parameter(args []any) (any, error) {
	name, err := one(args)
	if err != nil {
		return nil, err
	}
	v, known := s.parameters[strings.ToLower(name)]
	if !known {
		return nil, fmt.Errorf("the template parameter %q is not found", name)
	}
	return v, nil
}

// variable evaluates a variable each time that it is used, so that the work of a template that refers to
// itself over and over is counted.
func (s *scope) variable(args []any) (any, error) {
	name, err := one(args)
	if err != nil {
		return nil, fmt.Errorf("variables: %w", err)
	}
	lower := strings.ToLower(name)
	v, known := s.variables[lower]
	if !known {
		return nil, fmt.Errorf("the template variable %q is not found", name)
	}
	if s.busy[lower] {
		return nil, fmt.Errorf("the template variable %q refers to itself", name)
	}
	s.busy[lower] = true
	defer delete(s.busy, lower)
	return s.value(v)
}

func (s *scope) resourceGroup(args []any) (any, error) {
	if len(args) != 0 {
		return nil, errors.New("expected no argument")
	}
	id := "/subscriptions/" + s.place.Subscription + "/resourceGroups/" + s.place.Group
	return map[string]any{"id": id, "name": s.place.Group, "location": s.location}, nil
}

func (s *scope) subscription(args []any) (any, error) {
	if len(args) != 0 {
		return nil, errors.New("expected no argument")
	}
	return map[string]any{"id": "/subscriptions/" + s.place.Subscription, "subscriptionId": s.place.Subscription}, nil
}

func (s *scope) concat(args []any) (any, error) {
	if len(args) > 0 {
		if _, ok := args[0].([]any); ok {
			return s.join(args)
		}
	}
	var out strings.Builder
	for _, arg := range args {
		switch arg := arg.(type) {
		case string, int, float64, bool:
			fmt.Fprint(&out, arg)
		default:
			return nil, fmt.Errorf("cannot put together a string and %T", arg)
		}
		if out.Len() > maxWork {
			return nil, errTooLarge
		}
	}
	return out.String(), nil
}

// join puts arrays together.
func (s *scope) join(args []any) (any, error) {
	var out []any
	for _, arg := range args {
		list, ok := arg.([]any)
		if !ok {
			return nil, fmt.Errorf("cannot put together an array and %T", arg)
		}
		if err := s.spend(len(list)); err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// resourceID is resourceId([subscription], [resource group], type, name...).
func (s *scope) resourceID(args []any) (any, error) {
	texts := make([]string, len(args))
	at := -1
	for i, arg := range args {
		text, ok := arg.(string)
		if !ok {
			return nil, fmt.Errorf("argument %d is not a string", i+1)
		}
		if texts[i] = text; at < 0 && strings.Contains(text, "/") {
			at = i
		}
	}
	if at < 0 || at > 2 {
		return nil, errors.New("no argument is a resource type")
	}
	t := arm.ID{
		Subscription: s.place.Subscription, Group: s.place.Group, Type: strings.Trim(texts[at], "/"),
		Names: texts[at+1:],
	}
	if at >= 1 {
		t.Group = texts[at-1]
	}
	if at == 2 {
		t.Subscription = texts[0]
	}
	if !t.Complete() {
		return nil, fmt.Errorf("%s needs another number of names than %d", t.Type, len(t.Names))
	}
	return t.String(), nil
}

func (s *scope) empty(args []any) (any, error) {
	if len(args) != 1 {
		return nil, errors.New("expected one argument")
	}
	switch v := args[0].(type) {
	case nil:
		return true, nil
	case string:
		return v == "", nil
	case []any:
		return len(v) == 0, nil
	case map[string]any:
		return len(v) == 0, nil
	}
	return nil, fmt.Errorf("%T cannot be empty", args[0])
}

func (s *scope) not(args []any) (any, error) {
	if len(args) == 1 {
		if v, ok := args[0].(bool); ok {
			return !v, nil
		}
	}
	return nil, errors.New("expected one boolean")
}

func (s *scope) equals(args []any) (any, error) {
	if len(args) != 2 {
		return nil, errors.New("expected two arguments")
	}
	return fmt.Sprint(args[0]) == fmt.Sprint(args[1]), nil
}

func (s *scope) toLower(args []any) (any, error) {
	text, err := one(args)
	return strings.ToLower(text), err
}
