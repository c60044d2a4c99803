// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:38:30Z
// Spec: openspec/specs/ci/spec.md#requirement-the-verb-ci
// Diagram: openspec/specs/ci/diagram.md#the-verb

package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// payload writes an example of @octokit/webhooks-examples with some values
// changed: payload FILE EVENT [PATH=JSON...]. An @REV is the commit of that
// revision in the current directory.
func payload(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: payload FILE EVENT [PATH=JSON...]")
	}
	data, err := os.ReadFile(filepath.Join(ts.Getenv("PAYLOADS"), "api.github.com", "index.json"))
	ts.Check(err)
	var index []struct {
		Name     string
		Examples []map[string]any
	}
	ts.Check(json.Unmarshal(data, &index))
	for _, entry := range index {
		if entry.Name != args[1] || len(entry.Examples) == 0 {
			continue
		}
		event := entry.Examples[0]
		for _, change := range args[2:] {
			where, text, _ := strings.Cut(change, "=")
			if rev, ok := strings.CutPrefix(text, "@"); ok {
				text = `"` + revision(ts, rev) + `"`
			}
			var value any
			ts.Check(json.Unmarshal([]byte(text), &value))
			at, steps := event, strings.Split(where, ".")
			for _, step := range steps[:len(steps)-1] {
				next, ok := at[step].(map[string]any)
				if !ok {
					next = map[string]any{}
					at[step] = next
				}
				at = next
			}
			at[steps[len(steps)-1]] = value
		}
		out, err := json.Marshal(event)
		ts.Check(err)
		ts.Check(os.WriteFile(ts.MkAbs(args[0]), out, 0o600))
		return
	}
	ts.Fatalf("no example of %s", args[1])
}

// pin sets a variable to the commit of a revision: pin NAME REV
func pin(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: pin NAME REV")
	}
	ts.Setenv(args[0], revision(ts, args[1]))
}

func revision(ts *testscript.TestScript, rev string) string {
	ts.Check(ts.Exec("git", "rev-parse", "--verify", rev+"^{commit}"))
	return strings.TrimSpace(ts.ReadFile("stdout"))
}

// step begins a step of GitHub's runner with empty files: step EVENT PAYLOAD
func step(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: step EVENT PAYLOAD")
	}
	ts.Setenv("GITHUB_ACTIONS", "true")
	ts.Setenv("GITHUB_EVENT_NAME", args[0])
	ts.Setenv("GITHUB_EVENT_PATH", ts.MkAbs(args[1]))
	ts.Setenv("GITHUB_WORKSPACE", ts.MkAbs("."))
	for _, name := range []string{"OUTPUT", "STEP_SUMMARY"} {
		file := filepath.Join(ts.Getenv("WORK"), strings.ToLower(name))
		ts.Setenv("GITHUB_"+name, file)
		ts.Check(os.WriteFile(file, nil, 0o600))
	}
	ts.Check(os.RemoveAll(ts.MkAbs("artifacts")))
}
