// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:43:10Z
// Spec: openspec/specs/lab-github/spec.md#requirement-githubs-own-description
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

// Command openapi cuts GitHub's OpenAPI description down to the operations
// that packer-hybrid calls, with the schemas that these use and without prose.
// The whole one takes 4 s and 170 MB to load, and is in the npm package
// @octokit/openapi. At the top of the tree:
//
//	npm pack @octokit/openapi@23.0.2
//	tar xzf octokit-openapi-23.0.2.tgz package/generated/api.github.com.json
//	go run ./tools/openapi < package/generated/api.github.com.json > lab/github/testdata/api.github.com.json
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// operations are kept: path → methods.
var operations = map[string][]string{
	"/app/installations/{installation_id}/access_tokens":                     {"post"},
	"/repos/{owner}/{repo}/check-runs":                                       {"post"},
	"/repos/{owner}/{repo}/check-runs/{check_run_id}":                        {"get", "patch"},
	"/repos/{owner}/{repo}/commits/{ref}/check-runs":                         {"get"},
	"/repos/{owner}/{repo}/issues":                                           {"get", "post"},
	"/repos/{owner}/{repo}/issues/{issue_number}":                            {"get", "patch"},
	"/repos/{owner}/{repo}/issues/{issue_number}/comments":                   {"get", "post"},
	"/repos/{owner}/{repo}/issues/comments/{comment_id}":                     {"get", "patch", "delete"},
	"/repos/{owner}/{repo}/pulls/{pull_number}":                              {"get"},
	"/repos/{owner}/{repo}/pulls/{pull_number}/reviews":                      {"get"},
	"/repos/{owner}/{repo}/commits/{commit_sha}/pulls":                       {"get"},
	"/repos/{owner}/{repo}/collaborators/{username}/permission":              {"get"},
	"/repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches":       {"post"},
	"/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs":             {"get"},
	"/repos/{owner}/{repo}/actions/runs/{run_id}":                            {"get"},
	"/repos/{owner}/{repo}/actions/runs/{run_id}/cancel":                     {"post"},
	"/repos/{owner}/{repo}/actions/runs/{run_id}/jobs":                       {"get"},
	"/repos/{owner}/{repo}/actions/runs/{run_id}/artifacts":                  {"get"},
	"/repos/{owner}/{repo}/actions/artifacts/{artifact_id}/{archive_format}": {"get"},
	"/repos/{owner}/{repo}/git/ref/{ref}":                                    {"get"},
	"/repos/{owner}/{repo}":                                                  {"get"},
	"/repos/{owner}/{repo}/contents/{path}":                                  {"get"},
	"/repos/{owner}/{repo}/actions/workflows/{workflow_id}":                  {"get"},
}

// prose are the keys that no validation needs.
var prose = map[string]bool{
	"description": true, "summary": true, "example": true, "examples": true, "externalDocs": true, "tags": true,
	"x-github": true, "x-githubCloudOnly": true, "x-github-breaking-changes": true, "x-octokit": true, "deprecated": true,
}

func main() {
	if err := prune(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}

// prune reads a description and writes what is left of it.
func prune(r io.Reader, w io.Writer) error {
	var whole map[string]any
	if err := json.NewDecoder(r).Decode(&whole); err != nil {
		return fmt.Errorf("reading the description: %w", err)
	}
	paths, kept := map[string]any{}, map[string]any{}
	all, _ := whole["paths"].(map[string]any)
	for path, methods := range operations {
		item, _ := all[path].(map[string]any)
		left := map[string]any{}
		for _, method := range methods {
			if item[method] == nil {
				return fmt.Errorf("the description has no %s %s", method, path)
			}
			left[method] = strip(item[method], false)
		}
		paths[path] = left
	}
	if err := follow(whole, kept, paths); err != nil {
		return err
	}
	info, _ := whole["info"].(map[string]any)
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	err := enc.Encode(map[string]any{
		"openapi": whole["openapi"], "paths": paths, "components": kept,
		"info": map[string]any{"title": info["title"], "version": info["version"], "license": info["license"]},
	})
	if err != nil {
		return fmt.Errorf("writing the description: %w", err)
	}
	return nil
}

// strip returns a node without prose. In properties a key is a name and stays.
func strip(node any, names bool) any {
	switch n := node.(type) {
	case map[string]any:
		out := map[string]any{}
		for key, value := range n {
			if !names && prose[key] {
				continue
			}
			out[key] = strip(value, key == "properties" && !names)
		}
		if _, isResponse := n["content"]; isResponse && !names && out["schema"] == nil {
			out["description"] = "" // responses must have one
		}
		return out
	case []any:
		out := make([]any, len(n))
		for i, value := range n {
			out[i] = strip(value, false)
		}
		return out
	default:
		return node
	}
}

// follow copies what a node refers to into kept, and what that refers to.
func follow(whole, kept map[string]any, node any) error {
	switch n := node.(type) {
	case map[string]any:
		if ref, ok := n["$ref"].(string); ok {
			return keep(whole, kept, ref)
		}
		for _, value := range n {
			if err := follow(whole, kept, value); err != nil {
				return err
			}
		}
	case []any:
		for _, value := range n {
			if err := follow(whole, kept, value); err != nil {
				return err
			}
		}
	}
	return nil
}

// keep copies one component, as in #/components/schemas/issue.
func keep(whole, kept map[string]any, ref string) error {
	parts := strings.Split(strings.TrimPrefix(ref, "#/components/"), "/")
	if len(parts) != 2 {
		return fmt.Errorf("%s is no reference to a component", ref)
	}
	components, _ := whole["components"].(map[string]any)
	kind, _ := components[parts[0]].(map[string]any)
	if kind[parts[1]] == nil {
		return fmt.Errorf("%s is not there", ref)
	}
	to, _ := kept[parts[0]].(map[string]any)
	if to == nil {
		to = map[string]any{}
		kept[parts[0]] = to
	}
	if to[parts[1]] != nil || parts[0] == "examples" {
		return nil
	}
	to[parts[1]] = strip(kind[parts[1]], false)
	return follow(whole, kept, to[parts[1]])
}
