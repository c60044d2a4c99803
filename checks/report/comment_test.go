// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:07:11Z
// Spec: openspec/specs/plan/spec.md#requirement-a-plan-as-a-comment
// Diagram: openspec/specs/plan/diagram.md#two-trees

package report

import (
	"bytes"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/checkstest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// hostilePlan has foreign text in every field that is rendered.
func hostilePlan(text string, targets int) hybridcore.Plan {
	plan := hybridcore.Plan{
		Request: hybridcore.Request{Action: hybridcore.ActionPlan, Env: text, Listing: hybridcore.Listing{All: true}},
		Base:    &hybridcore.Base{Revision: text, Commit: text},
		Removed: []hybridcore.Removed{{Image: text, Platform: hybridcore.Azure, RunID: text, Text: text}},
		Moved: []hybridcore.Reason{{
			Kind: "upstream", Subject: text, Was: text, Now: text, File: text, Line: 1,
			Text: text,
		}},
		Unsupported: []hybridcore.Unsupported{
			{Image: text, Platform: hybridcore.Azure, Reason: text, File: text, Line: 1},
		},
		Findings: []hybridcore.Finding{{
			Kind: text, Message: text, Hint: text, File: text, Line: 3, Source: text,
			Severity: hybridcore.Warning,
		}},
	}
	for range targets {
		target := hybridcore.Target{Image: hybridcore.Image{Name: text}, Platform: hybridcore.VSphere, Env: text}
		plan.Targets = append(plan.Targets,
			hybridcore.PlannedTarget{
				Target: target, Decision: hybridcore.Unchanged,
				Reasons: []hybridcore.Reason{{Kind: "unchanged", Subject: text, Text: text}},
			},
			hybridcore.PlannedTarget{
				Target: target, Decision: hybridcore.Build,
				Current: &hybridcore.Current{RunID: text, Inventory: &hybridcore.Inventory{Packages: 2}},
				Reasons: []hybridcore.Reason{
					{Kind: "file", Subject: text, Part: text, Was: text, Now: text, File: text, Text: text},
					{
						Kind: "variable", Subject: text, Was: text, Now: text, Layer: text, WasLayer: text + "x", File: text, Line: 2,
						Text: text,
					},
					{Kind: "renamed", Subject: text, Was: text, Now: text, Text: text},
					{Kind: "never-built", Text: text},
				},
			})
	}
	return plan
}

var (
	at                = checkstest.At()
	fleet, comparison = checkstest.Fleet, checkstest.Comparison
	many, hostile     = checkstest.Findings, checkstest.Hostile
)

var (
	codeSpan = regexp.MustCompile("`[^`\n]*`|<code>[^<\n]*</code>")
	lineHead = regexp.MustCompile("^(## (✅|⛔|⚠️) Drift of |Since when is |## ((✅|❌|⛔|⏹️|⏳) Images|Image plan) for |The change takes the environment |nothing moves in |<code>|`|</?pre>$|│ |–( after 1s.)?$|\\d+ more[ ;]|This change comes from |The run ended |Why: |" + `\*\*|- |  - |\| |\|[ |-]+$|<details><summary>((❌|⛔|⏹️|✅|⚠️) ([X–] [a-z]+: [X–]|Parity of [X–]: [a-z0-9 ,]+)|What changed: ([a-z]* ?[X–][a-zA-Z X–:,→]*|\d+ causes, and what they rebuild)|Results of \d+ images?|(And )?\d+ [a-z0-9 :,]+)</summary>$|</details>$|\d+ lines do not fit|$)`)
	tags     = regexp.MustCompile(`</?(details|summary|pre|b)>`)
	entity   = regexp.MustCompile(`&#\d+;`)
)

// checkMarkdown fails when foreign text became markup.
func checkMarkdown(t *testing.T, out string) {
	t.Helper()
	if n := units(out); n > maxMarkdown {
		t.Errorf("%d UTF-16 units, at most %d are allowed", n, maxMarkdown)
	}
	if strings.Count(out, "<details>") != strings.Count(out, "</details>") {
		t.Error("a section is not closed")
	}
	for _, r := range out {
		if r != '\n' && (unicode.IsControl(r) || text.Sanitize(string(r)) == "") {
			t.Errorf("the control or formatting character %U", r)
		}
	}
	for line := range strings.Lines(out) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "│ ") {
			line = entity.ReplaceAllString(line, "")
		}
		head := line
		if strings.HasPrefix(line, "<details>") {
			head = strings.NewReplacer("<b>", "", "</b>", "").Replace(codeSpan.ReplaceAllString(line, "X"))
		}
		if !lineHead.MatchString(head) {
			t.Errorf("a line begins with foreign text: %q", line)
		}
		bare := tags.ReplaceAllString(codeSpan.ReplaceAllString(line, "X"), "")
		if strings.ContainsAny(bare, "`<>@&#[]!\\") && !strings.HasPrefix(bare, "## ") && !strings.Contains(line, "lines do not fit") {
			t.Errorf("markup outside of a code span: %q in %q", bare, line)
		}
		if strings.HasPrefix(line, "|") && strings.Contains(line, "<code>") && strings.Count(line, "|") != strings.Count(bare, "|") {
			t.Errorf("a code span holds the end of a cell: %q", line)
		}
		for _, span := range codeSpan.FindAllString(line, -1) {
			if strings.HasPrefix(span, "`") && (strings.ContainsAny(span, `|<>\`) || regexp.MustCompile(`(^|[^A-Za-z0-9])@`).MatchString(span)) {
				t.Errorf("a mention or markup in %q", span)
			}
		}
	}
}

func TestPlanMarkdownIsInert(t *testing.T) {
	t.Parallel()
	for _, text := range hostile {
		for _, n := range []int{0, 1, 300} {
			var out bytes.Buffer
			if err := WritePlan(&out, hostilePlan(text, n)); err != nil {
				t.Fatal(err)
			}
			checkMarkdown(t, out.String())
		}
	}
}

func TestPlanMarkdownSaysWhatIsLeftOut(t *testing.T) {
	t.Parallel()
	plan := hostilePlan("x", 1)
	for i := range 2000 {
		target := plan.Targets[1]
		target.Target.Image.Name = strings.Repeat("i", 50) + string(rune('a'+i%26))
		plan.Targets = append(plan.Targets, target)
	}
	var out bytes.Buffer
	if err := WritePlan(&out, plan); err != nil {
		t.Fatal(err)
	}
	checkMarkdown(t, out.String())
	if !regexp.MustCompile("\n\\d+ lines do not fit here; `--output json` has all.\n$").MatchString(out.String()) {
		t.Errorf("it ends with %q", out.String()[out.Len()-200:])
	}
}

func FuzzPlanMarkdown(f *testing.F) {
	for _, text := range hostile {
		f.Add(text, uint8(2))
	}
	f.Fuzz(func(t *testing.T, text string, targets uint8) {
		plan := hostilePlan(text, int(targets))
		var out bytes.Buffer
		if err := WritePlan(&out, plan); err != nil {
			t.Fatal(err)
		}
		checkMarkdown(t, out.String())
		out.Reset()
		plan.Findings = nil // they show the source's own line breaks
		if err := checks.WritePlan(&out, checks.Style{}, plan); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if strings.ContainsAny(line, "\x1b\u202e\u2066\r\u0085") || strings.Contains(line, "##[") {
				t.Errorf("a line of the console holds a command: %q", line)
			}
		}
	})
}
