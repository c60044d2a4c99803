// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:28:00Z
// Spec: openspec/specs/waivers/spec.md#requirement-one-form
// Diagram: openspec/specs/waivers/diagram.md#one-waiver

package waivers

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func TestRead(t *testing.T) {
	t.Parallel()
	block := Propose(Leak, "a ${b}.env", "hunter2", "DB_PASSWORD")
	if strings.Contains(block, "hunter2") || block == Propose(Leak, "a ${b}.env", "hunter2", "OTHER") {
		t.Error(block)
	}
	good := strings.Replace(block, `expires = "`+Ask, `expires = "2027-01-31`, 1)
	good = strings.ReplaceAll(good, Ask, "said")
	found := Template([]hybridcore.Finding{{
		Kind: hybridcore.KindSchema, Rule: "version-pin", File: "templates/x.pkr.hcl", Line: 3, Message: "any ${x}",
		Blocking: true,
	}})
	found = strings.ReplaceAll(strings.Replace(found, `expires = "`+Ask, `expires = "2027-01-31`, 1), Ask, "said")
	edited := strings.Replace(strings.Replace(found, `"finding"`, `"drift"`, 1), "rule    = \"version-pin\"",
		"rule = \"drift-edited\"\n  accepts = \"a: 1\"", 1)
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
		{"of a finding", found, 1, ""},
		{"of drift", strings.Replace(found, `"finding"`, `"drift"`, 1), 1, ""},
		{"of an edit", edited, 1, ""},
		{"of any edit", strings.Replace(edited, "accepts = \"a: 1\"", "", 1), 0, "has no accepts"},
		{"of a finding with what it accepts", strings.Replace(edited, `"drift"`, `"finding"`, 1), 0, `unknown setting "accepts"`},
		{"of a finding by hash", strings.Replace(found, "rule ", "hash ", 1), 0, `unknown setting "hash"`},
		{"of a leak by rule", strings.Replace(good, "hash ", "rule ", 1), 0, `unknown setting "rule"`},
		{"of a finding without a rule", strings.Replace(found, "rule    = \"version-pin\"", "", 1), 0, "has no rule"},
		{"of a guard", strings.Replace(found, "version-pin", "policy-call", 1), 0, "policy-call cannot be waived: it guards"},
		{"of waivers", strings.Replace(found, "version-pin", "waiver-stale", 1), 0, "waiver-stale cannot be waived"},
	} {
		set, findings := Read(fstest.MapFS{FileName: {Data: []byte(c.content)}})
		if len(set) != c.waivers || c.message != "" &&
			(len(findings) == 0 || !strings.Contains(findings[0].Message, c.message)) ||
			c.waivers > 0 && len(findings) > 0 {
			t.Errorf("%s: %v, %v", c.name, set, findings)
		}
		for _, f := range findings {
			if !f.Blocking || f.File != FileName {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
	h := &Hashes{Until: time.Now().Add(time.Minute)}
	set, _ := Read(fstest.MapFS{FileName: {Data: []byte(good)}})
	if len(set.Of(h, Leak, "a ${b}.env", "hunter2")) != 1 || len(set.Of(h, Leak, "b.env", "hunter2")) != 0 ||
		len(set.Of(h, Leak, "a ${b}.env", "hunter3")) != 0 || h.Late {
		t.Errorf("%+v", set)
	}
	if last := time.Date(2027, 1, 31, 23, 59, 0, 0, time.UTC); !set[0].Holds(last) || set[0].Holds(last.Add(time.Minute)) {
		t.Error("a waiver holds to the end of its day")
	}
}

// TestTemplate proposes waivers for what can be waived, once each, and says of the rest why it cannot be.
func TestTemplate(t *testing.T) {
	t.Parallel()
	var all []hybridcore.Finding
	for i := range 2 * MaxProposed {
		all = append(all, hybridcore.Finding{
			Kind: Drift, Rule: "drift-edited", Subject: fmt.Sprintf("lab/image-%d@proxmox", i), Message: "x\n} waiver",
			Blocking: true,
		})
	}
	all = append([]hybridcore.Finding{
		{Kind: Leak, Rule: "plain-secret", File: "a", Blocking: true},
		{Kind: "policy", Rule: "policy-path", File: "b", Blocking: true},
		{Kind: hybridcore.KindSchema, Rule: "unused", File: "c"},
		{Kind: "sources", File: "d", Blocking: true},
		all[0],
	}, all...)
	said := Template(all)
	for text, times := range map[string]int{
		"waiver \"drift\" {": MaxProposed - 3, "Cannot be waived": 2, "Its finding ends with": 1,
		"53 more are left out": 1, "\n} waiver": 0,
	} {
		if n := strings.Count(said, text); n != times {
			t.Errorf("%d times %q:\n%s", n, text, said)
		}
	}
	if said := Template(nil); !strings.Contains(said, "Nothing blocks") {
		t.Error(said)
	}
}

// TestAccepts proposes waivers of what may be there, and holds each of them to every other one.
func TestAccepts(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("disk: 1 GiB, ", 50)
	first := hybridcore.Finding{Kind: Drift, Rule: "drift-edited", Subject: "lab/a@azure", Blocking: true}
	digest := first
	digest.Got = long
	gots := []string{
		"", "memory: 512 MiB", "memory: 64 MiB", "cd: ", long, long + "x", "a: ${x} \"%{y}\"\nb", "ends with \\", "sha256:00",
		Accepts(digest), Ask, "\u202e", "\xff", strings.Repeat("é", 100),
	}
	for _, got := range gots {
		f := first
		f.Got = got
		block := strings.Replace(Template([]hybridcore.Finding{f}), `expires = "`+Ask, `expires = "2999-01-31`, 1)
		block = strings.ReplaceAll(block, `"`+Ask+`"`, `"said"`)
		set, findings := Read(fstest.MapFS{FileName: {Data: []byte(block)}})
		if got == "" { // it does not say what is there: nothing can be accepted
			if len(set) != 0 || len(findings) != 1 {
				t.Errorf("nothing: %v, %v", set, findings)
			}
			continue
		}
		if len(set) != 1 || len(findings) != 0 {
			t.Fatalf("%q: %v\n%s", got, findings, block)
		}
		for _, other := range gots {
			f.Got = other
			if covered := len(set.About(f)) == 1; covered != (got == other) || (set.Otherwise(f) == 0) == covered {
				t.Errorf("a waiver of %q covers %q: %v", got, other, covered)
			}
		}
	}
}
