// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:40:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-nothing-ignored-in-silence
// Diagram: openspec/specs/stand-ins/diagram.md#parts

package standin

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/hashicorp/packer-plugin-sdk/template/config"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"
	"github.com/mitchellh/mapstructure"
	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"
)

// Decode reads a builder's configuration into the struct that target points to, and renders its templates except
// those of the attributes in raw. What the struct has no field for is an error when it is set: the real plugin
// would heed it.
func (p Plugin) Decode(target any, ctx *interpolate.Context, configs []any, raw ...string) error {
	configs = slices.Clone(configs)
	for i, c := range configs {
		value, ok := c.(cty.Value)
		if !ok {
			continue
		}
		set, err := given(value, unset)
		if err != nil {
			return err
		}
		unknown, err := unused(set, target)
		if err != nil {
			return err
		}
		var problems Problems
		for _, name := range unknown {
			problems.All(p.Refuse(name))
		}
		if err := problems.Err(); err != nil {
			return err
		}
		if configs[i], err = withFalse(set, value, target); err != nil {
			return err
		}
	}
	opts := &config.DecodeOpts{
		Interpolate: true, InterpolateContext: ctx, InterpolateFilter: &interpolate.RenderFilter{Exclude: raw},
	}
	if err := config.Decode(target, opts, configs...); err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	return nil
}

// given is what a configuration sets, without the values that drop names.
func given(value cty.Value, drop func(any) bool) (map[string]any, error) {
	data, err := ctyjson.SimpleJSONValue{Value: value}.MarshalJSON()
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	var all map[string]any
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	without(all, drop)
	return all, nil
}

// without removes entries from a configuration at every depth.
func without(value any, drop func(any) bool) {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if drop(inner) {
				delete(v, name)
				continue
			}
			without(inner, drop)
		}
	case []any:
		for _, inner := range v {
			without(inner, drop)
		}
	}
}

// unused are the names in a configuration that the target's type has no field for.
func unused(set map[string]any, target any) ([]string, error) {
	var metadata mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: reflect.New(reflect.TypeOf(target).Elem()).Interface(), Metadata: &metadata, WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(config.DefaultDecodeHookFuncs...),
	})
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	if err := decoder.Decode(set); err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	slices.Sort(metadata.Unused)
	return slices.DeleteFunc(metadata.Unused, func(name string) bool { return strings.HasPrefix(name, "packer_") }), nil
}

// withFalse adds the attributes that are set to false, which some tell from not being set.
func withFalse(set map[string]any, value cty.Value, target any) (map[string]any, error) {
	all, err := given(value, empty)
	if err != nil {
		return nil, err
	}
	unknown, err := unused(all, target)
	if err != nil {
		return nil, err
	}
	for name, v := range all {
		if v == false && !slices.Contains(unknown, name) {
			set[name] = v
		}
	}
	return set, nil
}

// empty says whether a value is what Packer sends for attributes and blocks that a template does not have.
func empty(value any) bool {
	v := reflect.ValueOf(value)
	return !v.IsValid() || (v.Kind() == reflect.Map || v.Kind() == reflect.Slice) && v.Len() == 0
}

// unset says whether a value asks for nothing.
func unset(value any) bool { return empty(value) || reflect.ValueOf(value).IsZero() }
