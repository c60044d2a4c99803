// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:43:41Z
// Spec: openspec/specs/static-validation/spec.md#requirement-bounded-evaluation
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package eval

import "github.com/zclconf/go-cty/cty"

// StringOf is the text of a known string, or an empty one.
func StringOf(value cty.Value) string {
	if !value.IsKnown() || value.IsNull() || value.Type() != cty.String {
		return ""
	}
	return value.AsString()
}

// StringsOf lists the strings of a list; an unknown one is empty.
func StringsOf(value cty.Value) []string {
	if !value.IsKnown() || value.IsNull() || !value.CanIterateElements() {
		return nil
	}
	var all []string
	for it := value.ElementIterator(); it.Next(); {
		_, element := it.Element()
		all = append(all, StringOf(element))
	}
	return all
}

// IsEmpty says whether Packer takes a value for none.
func IsEmpty(value cty.Value) bool {
	switch {
	case value.IsNull():
		return true
	case !value.IsKnown():
		return false
	case value.Type() == cty.String:
		return value.AsString() == ""
	case value.CanIterateElements():
		return value.LengthInt() == 0
	case value.Type() == cty.Number:
		return value.Equals(cty.Zero).True()
	default:
		return false
	}
}

// IsFalse says whether a value is known to be false.
func IsFalse(value cty.Value) bool {
	return value.IsKnown() && !value.IsNull() && value.Type() == cty.Bool && value.False()
}

// whole is a number as far as it is a small one; false for everything else.
func whole(value cty.Value) (int, bool) {
	if !value.IsKnown() || value.IsNull() || value.Type() != cty.Number {
		return 0, false
	}
	n, _ := value.AsBigFloat().Float64()
	if n < 0 || n > 1<<30 {
		return 0, false
	}
	return int(n), true
}
