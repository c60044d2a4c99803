// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:28:00Z
// Spec: openspec/specs/leaks/spec.md#requirement-waivers
// Diagram: openspec/specs/leaks/diagram.md#one-waiver

package waivers

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func TestRead(t *testing.T) {
	t.Parallel()
	block := Propose(Leak, "a ${b}.env", "hunter2", "DB_PASSWORD")
	if strings.Contains(block, "hunter2") || block == Propose(Leak, "a ${b}.env", "hunter2", "OTHER") {
		t.Error(block)
	}
	good := strings.Replace(block, `expires = "`+Ask, `expires = "2027-01-31`, 1)
	good = strings.ReplaceAll(good, Ask, "said")
	for _, c := range []struct {
		name, content string
		waivers       int
		message       string
	}{
		{"none", "", 0, ""},
		{"one", good, 1, ""},
		{"two", good + "\n" + good, 2, ""},
		{"unfilled", block, 0, "owner is not filled in"},
		{"of an unknown kind", strings.Replace(good, `"leak"`, `"leaks"`, 1), 0, `unknown kind of waiver "leaks" (did you mean "leak"?)`},
		{"without a kind", strings.Replace(good, `"leak"`, "", 1), 0, "a waiver has one label"},
		{"another block", "project {}\n", 0, `unknown block "project"`},
		{"outside", "owner = \"x\"\n", 0, "stands outside of a block"},
		{"no reason", strings.Replace(good, "reason ", "owners ", 1), 0, `unknown setting "owners" (did you mean "owner"?)`},
		{"no day", strings.Replace(good, "2027-01-31", "2027-02-31", 1), 0, "expires is no day"},
		{"no hash", strings.Replace(good, "sha256:", "md5:", 1), 0, "hash is none of a waiver"},
		{"a call", strings.Replace(good, `"2027-01-31"`, "timestamp()", 1), 0, "a call of the function"},
		{"a number", strings.Replace(good, `"2027-01-31"`, "2027", 1), 0, "expires is no text"},
		{"no HCL", "waiver {", 0, ""},
	} {
		set, found := Read(fstest.MapFS{FileName: {Data: []byte(c.content)}})
		if len(set) != c.waivers || c.message != "" && (len(found) == 0 || !strings.Contains(found[0].Message, c.message)) ||
			c.waivers > 0 && len(found) > 0 {
			t.Errorf("%s: %v, %v", c.name, set, found)
		}
		for _, f := range found {
			if !f.Blocking || f.File != FileName {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
	set, _ := Read(fstest.MapFS{FileName: {Data: []byte(good)}})
	if len(set.Of(Leak, "a ${b}.env", "hunter2")) != 1 || len(set.Of(Leak, "b.env", "hunter2")) != 0 ||
		len(set.Of(Leak, "a ${b}.env", "hunter3")) != 0 {
		t.Errorf("%+v", set)
	}
	if last := time.Date(2027, 1, 31, 23, 59, 0, 0, time.UTC); !set[0].Holds(last) || set[0].Holds(last.Add(time.Minute)) {
		t.Error("a waiver holds to the end of its day")
	}
}
