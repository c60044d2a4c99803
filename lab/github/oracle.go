// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:46:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-githubs-own-description
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"bytes"
	_ "embed" // the description
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

// description is GitHub's, cut by tools/openapi.
//
//go:embed testdata/api.github.com.json
var description []byte

// oracle knows what GitHub's description allows.
type oracle struct {
	doc *openapi3.T
}

// newOracle loads the description, once.
//
//nolint:gochecknoglobals // a function
var newOracle = sync.OnceValues(func() (*oracle, error) {
	doc, err := openapi3.NewLoader().LoadFromData(description)
	if err != nil {
		return nil, fmt.Errorf("loading GitHub's OpenAPI description: %w", err)
	}
	return &oracle{doc: doc}, nil
})

// route finds the operation of a call, and the parameters in its path. Of two
// paths that fit, the one with a word where the other has a parameter wins.
func (o *oracle) route(method, path string) (*routers.Route, map[string]string) {
	var best *routers.Route
	var found map[string]string
	for pattern, item := range o.doc.Paths.Map() {
		op := item.GetOperation(method)
		if op == nil {
			continue
		}
		params, ok := match(pattern, path)
		if ok && (best == nil || len(params) < len(found)) {
			best, found = &routers.Route{Spec: o.doc, Path: pattern, PathItem: item, Method: method, Operation: op}, params
		}
	}
	return best, found
}

// match compares a path with a pattern as in /repos/{owner}.
func match(pattern, path string) (map[string]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(path, "/")
	deep := strings.HasSuffix(pattern, "/git/ref/{ref}") || strings.HasSuffix(pattern, "/contents/{path}")
	if last := len(want) - 1; deep && len(got) > len(want) {
		got = append(got[:last:last], strings.Join(got[last:], "/")) // it may have slashes
	}
	if len(want) != len(got) {
		return nil, false
	}
	params := map[string]string{}
	for i, part := range want {
		switch {
		case strings.HasPrefix(part, "{") && got[i] != "":
			params[strings.Trim(part, "{}")] = got[i]
		case part != got[i]:
			return nil, false
		}
	}
	return params, true
}

// request checks a call.
func (o *oracle) request(r *http.Request, body []byte, route *routers.Route,
	params map[string]string,
) (*openapi3filter.RequestValidationInput, error) {
	checked := r.Clone(r.Context())
	checked.Body = io.NopCloser(bytes.NewReader(body))
	input := &openapi3filter.RequestValidationInput{
		Request: checked, PathParams: params, Route: route,
		Options: &openapi3filter.Options{
			IncludeResponseStatus: true, RejectWhenRequestBodyNotSpecified: true, SkipSettingDefaults: true,
			AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		},
	}
	for name := range r.URL.Query() {
		if route.Operation.Parameters.GetByInAndName("query", name) == nil {
			return nil, fmt.Errorf("%s is not a parameter of this operation", name)
		}
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return nil, fmt.Errorf("not as GitHub describes it: %w", err)
	}
	return input, nil
}

// answer checks the body of an answer.
func (o *oracle) answer(to *openapi3filter.RequestValidationInput, status int, body []byte) error {
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: to, Status: status, Header: http.Header{"Content-Type": {"application/json"}},
		Options: to.Options,
	}
	if err := openapi3filter.ValidateResponse(to.Request.Context(), input.SetBodyBytes(body)); err != nil {
		return fmt.Errorf("not as GitHub describes it: %w", err)
	}
	return nil
}

// sample makes the smallest object of a schema, and then sets what is given.
func (o *oracle) sample(schema string, set Object) Object {
	made := members(o.doc.Components.Schemas[schema].Value)
	maps.Copy(made, set)
	return made
}

// fill makes the smallest value of a schema.
func fill(s *openapi3.Schema) any {
	switch {
	case s.Nullable:
		return nil
	case len(s.Enum) > 0:
		return s.Enum[0]
	case len(s.AllOf) > 0:
		return fill(s.AllOf[0].Value)
	case len(s.AnyOf) > 0:
		return fill(s.AnyOf[0].Value)
	case len(s.OneOf) > 0:
		return fill(s.OneOf[0].Value)
	case s.Type.Is("string"):
		return text(s.Format)
	case s.Type.Is("integer"), s.Type.Is("number"):
		return 1
	case s.Type.Is("boolean"):
		return false
	case s.Type.Is("array"):
		return []any{}
	}
	return members(s)
}

// members are the required properties of an object.
func members(s *openapi3.Schema) Object {
	made := Object{}
	for _, name := range slices.Sorted(slices.Values(s.Required)) {
		if s.Properties[name] != nil {
			made[name] = fill(s.Properties[name].Value)
		}
	}
	return made
}

// text is a string of a format.
func text(format string) string {
	switch format {
	case "uri":
		return "https://github.example/"
	case "date-time":
		return "2026-01-02T03:04:05Z"
	default:
		return "x"
	}
}
