// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-gitlabs-published-reference
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind is a type of a parameter.
type kind int

const (
	text kind = iota
	number
	flag
	object // names to text
	list   // of objects
	texts  // of a query: name[]=a&name[]=b
)

// field is what the documentation says of one parameter.
type field struct {
	kind     kind
	required bool
	most     int      // characters of a text; 0: the limit of all, see maxText
	of       []string // the values that there are; nil: any
}

// maxText bounds a text that has no limit of its own: GitLab's for notes.
const maxText = 1_000_000

// with joins parameters.
func with(all ...map[string]field) map[string]field {
	joined := map[string]field{}
	for _, one := range all {
		maps.Copy(joined, one)
	}
	return joined
}

// read checks what is given against what there is.
func read(r *http.Request, fields map[string]field) (Object, error) {
	given := Object{}
	for name, values := range r.URL.Query() {
		bare := strings.TrimSuffix(name, "[]")
		f, ok := fields[bare]
		switch {
		case !ok:
			return nil, fmt.Errorf("%s is not a parameter of this operation", name)
		case f.kind == texts && bare != name:
			given[bare] = values
		default:
			given[bare] = values[0]
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return nil, fmt.Errorf("the body could not be read: %w", err)
	}
	if len(body) > 0 {
		if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); kind != "application/json" {
			return nil, fmt.Errorf("a body of the type %q is none that packer-hybrid sends", kind)
		}
		var sent Object
		if err := json.Unmarshal(body, &sent); err != nil {
			return nil, fmt.Errorf("the body is no JSON object: %w", err)
		}
		for name, value := range sent {
			if _, ok := fields[name]; !ok {
				return nil, fmt.Errorf("%s is not a parameter of this operation", name)
			}
			given[name] = value
		}
	}
	for name, f := range fields {
		value, there := given[name]
		if !there {
			if f.required {
				return nil, fmt.Errorf("%s is missing", name)
			}
			continue
		}
		checked, ok := f.value(value)
		if !ok {
			return nil, fmt.Errorf("%s is invalid", name)
		}
		given[name] = checked
	}
	return given, nil
}

// value checks one value and gives it its type.
func (f field) value(value any) (any, bool) {
	switch v := value.(type) {
	case string:
		return f.fromText(v)
	case float64:
		return int64(v), f.kind == number && v == float64(int64(v))
	case bool:
		return v, f.kind == flag
	case map[string]any:
		for _, one := range v {
			if _, ok := one.(string); !ok {
				return nil, false
			}
		}
		return v, f.kind == object
	case []string:
		return v, !slices.ContainsFunc(v, func(one string) bool { return !slices.Contains(f.of, one) })
	case []any:
		all := make([]Object, len(v))
		for i, one := range v {
			o, ok := one.(Object)
			if !ok {
				return nil, false
			}
			all[i] = o
		}
		return all, f.kind == list
	default:
		return nil, false
	}
}

// fromText checks a text, also one of a query that stands for another type.
func (f field) fromText(v string) (any, bool) {
	most := f.most
	if most == 0 {
		most = maxText
	}
	switch f.kind {
	case text:
		return v, utf8.ValidString(v) && utf8.RuneCountInString(v) <= most && (!f.required || strings.TrimSpace(v) != "") &&
			(f.of == nil || slices.Contains(f.of, v))
	case number:
		n, err := strconv.ParseInt(v, 10, 64)
		return n, err == nil
	case flag:
		return v == "true", v == "true" || v == "false"
	default:
		return nil, false
	}
}
