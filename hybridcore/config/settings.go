// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/config/spec.md#requirement-the-project-file
// Diagram: openspec/specs/config/diagram.md#the-project-file

package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// setting is one attribute of a block: its type, and what takes its value and
// says what is wrong with it.
type setting struct {
	want cty.Type
	set  func(cty.Value) error
}

// decoder collects the problems of one project file.
type decoder struct {
	file     *hclfile.File
	findings []hybridcore.Finding
}

// duration reads a duration within bounds.
func duration(least, most time.Duration, example string, into *time.Duration) setting {
	return setting{cty.String, func(v cty.Value) error {
		d, err := time.ParseDuration(v.AsString())
		if err != nil || d < least || d > most {
			return fmt.Errorf("%q is not a duration from %s to %s, for example %q", v.AsString(), least, most, example)
		}
		*into = d
		return nil
	}}
}

// body reads a block that has no blocks.
func (d *decoder) body(block *hclsyntax.Block, settings map[string]setting, required ...string) {
	names := slices.Sorted(maps.Keys(settings))
	for _, inner := range block.Body.Blocks {
		d.add(inner.TypeRange, fmt.Sprintf("unknown block %q in %s%s", inner.Type, block.Type,
			text.DidYouMean(inner.Type, names)), "settings here: "+strings.Join(names, ", "))
	}
	d.settings(block, settings, required...)
}

// settings reads the settings of a block; unknown, mistyped and missing ones
// become findings.
func (d *decoder) settings(block *hclsyntax.Block, settings map[string]setting, required ...string) {
	names := slices.Sorted(maps.Keys(settings))
	for _, attr := range hclfile.SortedAttributes(block.Body) {
		known, ok := settings[attr.Name]
		if !ok {
			d.add(attr.NameRange, fmt.Sprintf("unknown setting %q in %s%s", attr.Name, block.Type,
				text.DidYouMean(attr.Name, names)), "settings here: "+strings.Join(names, ", "))
			continue
		}
		literal, findings := d.file.Literal(attr)
		d.findings = append(d.findings, findings...)
		if len(findings) > 0 {
			continue
		}
		value, err := strict(literal.Value, known.want)
		if err == nil {
			err = known.set(value)
		}
		if err != nil {
			d.add(attr.Expr.Range(), fmt.Sprintf("%s: %v", attr.Name, err), "")
		}
	}
	for _, name := range required {
		if _, ok := block.Body.Attributes[name]; !ok {
			d.add(block.TypeRange, fmt.Sprintf("%s needs the setting %q", block.Type, name), "")
		}
	}
}

// strict converts lists, but no value of one kind into another: "true" is not
// a bool in a project file.
func strict(value cty.Value, want cty.Type) (cty.Value, error) {
	if value.IsNull() {
		return cty.NilVal, fmt.Errorf("a %s is needed, not null", want.FriendlyName())
	}
	if want.IsPrimitiveType() && !value.Type().Equals(want) {
		return cty.NilVal, fmt.Errorf("a %s is needed, not a %s", want.FriendlyName(), value.Type().FriendlyName())
	}
	converted, _, err := hclfile.Convert(value, want)
	if err != nil {
		return cty.NilVal, fmt.Errorf("a %s is needed: %w", want.FriendlyName(), err)
	}
	return converted, nil
}

func (d *decoder) labels(block *hclsyntax.Block, want int) bool {
	if len(block.Labels) == want {
		return true
	}
	message := fmt.Sprintf("the block %s takes no name", block.Type)
	if want == 1 {
		message = fmt.Sprintf("the block %s needs one name: %s \"lab\" { ... }", block.Type, block.Type)
	}
	d.add(block.TypeRange, message, "")
	return false
}

func (d *decoder) add(at hcl.Range, message, hint string) {
	d.findings = append(d.findings, d.file.Finding(hybridcore.KindSchema, at, message, hint))
}

func name(what string, into *string) setting {
	return setting{cty.String, func(v cty.Value) error {
		*into = v.AsString()
		return hybridcore.CheckName(what, *into)
	}}
}

func parallel(into *int) setting { return count(maxParallel, into) }

// list reads a list of strings, each made a value by parse, without repeats.
func list[T comparable](what string, into *[]T, parse func(string) (T, error)) setting {
	return setting{cty.List(cty.String), func(v cty.Value) error {
		*into = []T{}
		for _, element := range v.Elements() {
			if element.IsNull() {
				return fmt.Errorf("null is no %s", what)
			}
			one, err := parse(element.AsString())
			if err != nil {
				return err
			}
			if slices.Contains(*into, one) {
				return fmt.Errorf("%.40q is listed twice", element.AsString())
			}
			*into = append(*into, one)
		}
		return nil
	}}
}

// commands are lines of the shared grammar.
func commands(into *[]string) setting {
	return list("command", into, func(line string) (string, error) {
		_, err := command.Parse(line)
		return line, err
	})
}

// maxLabels bounds the labels of one platform: a runner must have all of them.
const maxLabels = 8

var labelRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 ._:/-]{0,63}$`)

// runners are lists of labels by platform.
func runners(v cty.Value, into *map[hybridcore.Platform][]string) error {
	*into = map[hybridcore.Platform][]string{}
	for name, list := range v.AsValueMap() {
		platform, err := hybridcore.ParsePlatform(name)
		if err != nil {
			return err
		}
		if list.IsNull() || list.LengthInt() == 0 || list.LengthInt() > maxLabels {
			return fmt.Errorf("%s needs 1 to %d labels", name, maxLabels)
		}
		for _, label := range list.AsValueSlice() {
			if label.IsNull() || !labelRule.MatchString(label.AsString()) {
				return fmt.Errorf("a label of %s is not 1 to 64 of letters, digits, ' ', '.', '_', ':', '/' and '-'", name)
			}
			(*into)[platform] = append((*into)[platform], label.AsString())
		}
	}
	return nil
}

// checked reads a list of strings that check accepts, of which there is one.
func checked(what string, into *[]string, check func(string) error) setting {
	all := list(what, into, func(text string) (string, error) { return text, check(text) })
	return setting{all.want, func(v cty.Value) error {
		if v.LengthInt() == 0 {
			return fmt.Errorf("the list is empty")
		}
		return all.set(v)
	}}
}

func ids(rule *regexp.Regexp, what string, into *[]string) setting {
	return checked(what, into, func(text string) error {
		if !rule.MatchString(text) {
			return fmt.Errorf("%.40q is not the identifier of a %s", text, what)
		}
		return nil
	})
}

func names(what string, into *[]string) setting {
	return checked(what, into, func(text string) error {
		if text == Any {
			return nil
		}
		return hybridcore.CheckName(what, text)
	})
}

func among(what string, known []string, into *[]string) setting {
	return checked(what, into, func(said string) error {
		if said != Any && !slices.Contains(known, said) {
			return fmt.Errorf("unknown %s %.40q%s; known: %s", what, said, text.DidYouMean(said, known),
				strings.Join(known, ", "))
		}
		return nil
	})
}

func count(most int, into *int) setting {
	return setting{cty.Number, func(v cty.Value) error {
		n, accuracy := v.AsBigFloat().Int64()
		if accuracy != 0 || n < 1 || n > int64(most) {
			return fmt.Errorf("a whole number from 1 to %d is needed", most)
		}
		*into = int(n)
		return nil
	}}
}

func number(into *int64) setting {
	return setting{cty.Number, func(v cty.Value) error {
		n, accuracy := v.AsBigFloat().Int64()
		if accuracy != 0 || n < 1 {
			return fmt.Errorf("the number of a user is needed, from 1")
		}
		*into = n
		return nil
	}}
}
