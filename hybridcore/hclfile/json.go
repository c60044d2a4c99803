// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:59:01Z
// Spec: openspec/specs/hclfile/spec.md#requirement-literals-only
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/zclconf/go-cty/cty"
)

// CanonicalJSON encodes a wholly known value: keys sorted, no white space,
// numbers exact in plain decimal notation, characters above ASCII as they are.
// Equal values give equal text. It fails for values that JSON has no form for.
func CanonicalJSON(value cty.Value) (string, error) {
	var b strings.Builder
	if err := appendJSON(&b, value); err != nil {
		return "", err
	}
	return b.String(), nil
}

func appendJSON(b *strings.Builder, value cty.Value) error {
	switch {
	case !value.IsKnown():
		return errors.New("the value is not known")
	case value.IsNull():
		b.WriteString("null")
	case value.Type() == cty.Bool:
		fmt.Fprint(b, value.True())
	case value.Type() == cty.Number:
		number, err := decimal(value.AsBigFloat())
		if err != nil {
			return err
		}
		b.WriteString(number)
	case value.Type() == cty.String:
		return appendString(b, value.AsString())
	case value.CanIterateElements():
		return appendElements(b, value)
	default:
		return fmt.Errorf("a value of type %s has no JSON form", value.Type().FriendlyName())
	}
	return nil
}

func appendElements(b *strings.Builder, value cty.Value) error {
	keyed := value.Type().IsObjectType() || value.Type().IsMapType()
	open, shut := byte('['), byte(']')
	if keyed {
		open, shut = '{', '}'
	}
	b.WriteByte(open)
	first := true
	for key, element := range value.Elements() { // maps and objects in the order of their keys
		if !first {
			b.WriteByte(',')
		}
		first = false
		if keyed {
			if err := appendString(b, key.AsString()); err != nil {
				return err
			}
			b.WriteByte(':')
		}
		if err := appendJSON(b, element); err != nil {
			return err
		}
	}
	b.WriteByte(shut)
	return nil
}

func appendString(b *strings.Builder, text string) error {
	encoder := json.NewEncoder(trimNewline{b})
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(text); err != nil {
		return fmt.Errorf("encoding a string: %w", err)
	}
	return nil
}

// trimNewline drops the line break that json.Encoder ends a value with. The
// encoder writes each value with one call.
type trimNewline struct{ b *strings.Builder }

func (t trimNewline) Write(p []byte) (int, error) {
	t.b.WriteString(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// decimal prints a number exactly. Zero has no sign.
func decimal(number *big.Float) (string, error) {
	switch {
	case number.IsInf():
		return "", errors.New("the number is too large")
	case number.Sign() == 0:
		return "0", nil
	case number.MantExp(nil) > 4*maxExponent || number.MantExp(nil) < -4*maxExponent:
		return "", errors.New("the number is too large or too small")
	default:
		return number.Text('f', -1), nil
	}
}
