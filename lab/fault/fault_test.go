// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:12:33Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-text-form
// Diagram: openspec/specs/lab-faults/diagram.md#path-of-a-call

package fault_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := fault.Parse(`
		# a comment, then a blank line

		POST /nodes/*/qemu nth=2 status=500 reason="no space left" delay=2s
		delete /nodes/**/ID drop after nth=2-4
		* "/a b" delay=1m
		PUT /x nth=3- status=429
		POST /nodes/*/qemu task delay=70s reason=timeout
		GET /y status=429 header="Retry-After: 60"
		GET /z cut
	`)
	if err != nil {
		t.Fatal(err)
	}
	want := []fault.Rule{
		{
			Method: "POST", Path: "/nodes/*/qemu", Nth: fault.Range{From: 2, To: 2}, Status: 500, Reason: "no space left",
			Delay: 2 * time.Second,
		},
		{Method: "DELETE", Path: "/nodes/**/ID", Nth: fault.Range{From: 2, To: 4}, Drop: true, After: true},
		{Method: "*", Path: "/a b", Delay: time.Minute},
		{Method: "PUT", Path: "/x", Nth: fault.Range{From: 3}, Status: 429},
		{Method: "POST", Path: "/nodes/*/qemu", Task: true, Delay: 70 * time.Second, Reason: "timeout"},
		{Method: "GET", Path: "/y", Status: 429, Header: "Retry-After: 60"},
		{Method: "GET", Path: "/z", Cut: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"GET":                                "want METHOD PATH",
		"GET /x":                             "it does nothing",
		"GET x status=500":                   "does not begin with /",
		"GET /x status=99":                   "column 8: status \"99\" is not a number from 200 to 599",
		"GET /x status=500 status=501":       "given twice",
		"GET /x status=500 drop":             "exclude each other",
		"GET /x delay=2":                     "not a duration",
		"GET /x delay=2h":                    "not a duration",
		"GET /x delay=-2s":                   "not a duration",
		"GET /x delay=1s after":              "after needs",
		"GET /x drop nth=0":                  "counted from 1",
		"GET /x drop nth=3-2":                "counted from 1",
		"GET /x drop nth=":                   "counted from 1",
		"GET /[ drop":                        "malformed pattern",
		"GET \t/x drop often":                "column 14: unknown word",
		"GET /x task status=500 reason=x":    "task goes with",
		"GET /x status=500 reason=\"a\\nb\"": "control characters",
		"GET /x status=500 reason=\"a":       "quote does not end",
		"G3T /x drop":                        "not a word",
		"GET /x cut status=500":              "cut goes with",
		"GET /x drop header=\"A: b\"":        "header= needs",
		"GET /x status=500 header=A":         "not NAME: VALUE",
	} {
		if _, err := fault.Parse("\n" + text); err == nil || !strings.Contains(err.Error(), want) ||
			!strings.Contains(err.Error(), "line 2") {
			t.Errorf("%s: got error %v, want line 2 and %q", text, err, want)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, pattern string
		call, path      string
		want            bool
	}{
		{"GET", "/nodes/*/qemu", "GET", "/nodes/pve1/qemu", true},
		{"GET", "/nodes/*/qemu", "GET", "/nodes/pve1/qemu/", true},
		{"GET", "/nodes/*/qemu", "POST", "/nodes/pve1/qemu", false},
		{"*", "/nodes/*/qemu", "POST", "/nodes/pve1/qemu", true},
		{"GET", "/nodes/*/qemu", "GET", "/nodes/pve1/qemu/100", false},
		{"GET", "/nodes/*/qemu", "GET", "/nodes/qemu", false},
		{"GET", "/nodes/**", "GET", "/nodes/pve1/qemu/100", true},
		{"GET", "/nodes/**/config", "GET", "/nodes/a/config/b/config", true},
		{"GET", "/**/b/**/d", "GET", "/a/b/c/b/d", true},
		{"GET", "/**/b/**/d", "GET", "/a/b/c/b/e", false},
		{"GET", "/**", "GET", "/", true},
		{"GET", "/nodes/*/tasks/*:qmstop:*/status", "GET", "/nodes/n/tasks/UPID:n:1:2:3:qmstop:100:u:/status", true},
		{"PUT", "/subscriptions/*/resourceGroups/*", "PUT", "/subscriptions/1/resourcegroups/X", true},
	} {
		rule := fault.Rule{Method: c.method, Path: c.pattern}
		if got := rule.Match(c.call, c.path); got != c.want {
			t.Errorf("%s %s about %s %s: %v, want %v", c.method, c.pattern, c.call, c.path, got, c.want)
		}
	}
}

// FuzzParse checks that whatever is read as a rule is written so that it reads back as the same.
func FuzzParse(f *testing.F) {
	f.Add("POST /nodes/*/qemu nth=2 status=500 reason=\"x y\" delay=2s")
	f.Add("* /** drop after nth=3-\nGET \"/a b\" task reason=x")
	f.Fuzz(func(t *testing.T, text string) {
		rules, err := fault.Parse(text)
		if err != nil {
			return
		}
		for _, rule := range rules {
			again, err := fault.Parse(rule.String())
			if err != nil {
				t.Fatalf("%q: %v", rule, err)
			}
			if diff := cmp.Diff([]fault.Rule{rule}, again); diff != "" {
				t.Fatalf("%q (-want +got):\n%s", rule, diff)
			}
			rule.Match("GET", text)
		}
	})
}
