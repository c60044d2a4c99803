// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:03:50Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package arm

// Dig walks into nested objects; nil when there is nothing.
func Dig(v any, path ...string) any {
	for _, name := range path {
		object, ok := v.(map[string]any)
		if !ok {
			return nil
		}
		v = object[name]
	}
	return v
}

// Text is a string within nested objects.
func Text(v any, path ...string) string {
	s, _ := Dig(v, path...).(string)
	return s
}

// List is an array within nested objects.
func List(v any, path ...string) []any {
	s, _ := Dig(v, path...).([]any)
	return s
}

// Object is an object within nested objects, made on the way when it is missing.
func Object(v map[string]any, path ...string) map[string]any {
	for _, name := range path {
		next, ok := v[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			v[name] = next
		}
		v = next
	}
	return v
}

// CopyOf copies a value of JSON, so that it can be sent without the lock.
func CopyOf(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, one := range v {
			out[name] = CopyOf(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, one := range v {
			out[i] = CopyOf(one)
		}
		return out
	}
	return v
}

// Merge writes what is in from over what is in into.
func Merge(into, from map[string]any) {
	for name, value := range from {
		next, isObject := value.(map[string]any)
		have, hadObject := into[name].(map[string]any)
		if isObject && hadObject {
			Merge(have, next)
			continue
		}
		into[name] = value
	}
}
