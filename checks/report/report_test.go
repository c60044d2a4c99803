// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:11:00Z
// Spec: openspec/specs/reports/spec.md#requirement-report-of-a-run-as-a-comment
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// scenarios are the reports that the golden files hold.
func scenarios() map[string]Report {
	report := func(pending int, change func(*Report)) Report {
		plan, rec := fleet(pending)
		r := Report{Plan: plan, Record: &rec, Full: "the artifact `packer-hybrid-report` of this job"}
		if change != nil {
			change(&r)
		}
		return r
	}
	fail := func(r *Report) {
		res := &r.Record.Results[1]
		res.Status, res.Artifact, res.Inventory = hybridcore.Failed, nil, nil
		res.Failure = &hybridcore.Failure{
			Step: "Provisioning with Ansible...", File: "ansible/roles/base/tasks/debian.yml",
			Message: "exit status 2: `package` was not found",
			Tail:    []string{"TASK [base : install]", "fatal: [default]: FAILED! => {\"msg\": \"No package matching 'vim' | <b>found</b>\"}", "```", "/ok-to-test @everyone"},
		}
		r.Record.Status = hybridcore.Overall(r.Record.Results)
	}
	return map[string]Report{
		"unchanged": report(0, nil),
		"one":       report(1, nil),
		"all":       report(45, nil),
		"failure":   report(3, fail),
		"cancel": report(4, func(r *Report) {
			r.Record.Results[0].Status, r.Record.Results[1].Status = hybridcore.Built, hybridcore.Cancelled
			r.Record.Results[1].Artifact, r.Record.Results[1].Inventory = nil, nil
			r.Record.Results = append(r.Record.Results[:2], r.Record.Results[4:]...)
			r.Record.Status = hybridcore.Cancelled
		}),
		"fork": report(2, func(r *Report) {
			r.Record, r.Untrusted, r.Prefix = nil, true, "images"
			r.Plan.Request.Action = hybridcore.ActionPlan
			r.Plan.Base = &hybridcore.Base{Revision: "origin/main", Commit: strings.Repeat("cd", 20)}
			r.Plan.Findings = many(2)
		}),
		"parity": report(3, func(r *Report) {
			r.Record.Parity, r.Record.Status = []hybridcore.Parity{comparison(true)}, hybridcore.BlockedStatus
			r.Changes = []hybridcore.Changes{
				{Image: "image-00", Platform: "proxmox", Changes: []hybridcore.Change{{Category: "packages", Key: "openssl", Was: "3.0.13 (amd64)", Now: "3.0.15 (amd64)"}}},
				{Image: "image-00", Platform: "vsphere", Changes: []hybridcore.Change{{Category: "packages", Key: "openssl", Was: "3.0.13 (amd64)", Now: "3.0.15 (amd64)"}, {Category: "units", Key: "ssh.service", Was: "enabled"}}},
			}
		}),
		"findings": report(3, func(r *Report) {
			fail(r)
			r.Plan.Findings = many(3000)
			r.Record.Parity = []hybridcore.Parity{comparison(false)}
		}),
		"running": report(2, func(r *Report) { r.Record = nil }),
		"environments": report(2, func(r *Report) {
			r.Record, r.Plan.Request.Action, r.Plan.Request.Env = nil, hybridcore.ActionPlan, "lab"
			r.Plan.Base = &hybridcore.Base{Revision: "origin/main", Commit: strings.Repeat("cd", 20)}
			beside := func(env string, pending int, findings ...hybridcore.Finding) Report {
				plan, _ := fleet(pending)
				plan.Request.Action, plan.Request.Env, plan.Base, plan.Findings = hybridcore.ActionPlan, env, r.Plan.Base, findings
				return Report{Plan: plan, Full: r.Full, Quiet: true}
			}
			r.Beside = []Report{beside("staging", 0), beside("prod", 3), {Full: r.Full, Plan: hybridcore.Plan{
				Request: hybridcore.Request{Action: hybridcore.ActionPlan, Env: "site"}, Findings: many(1)[:1],
			}}}
			r.Beside[2].Plan.Findings[0].Severity, r.Beside[2].Plan.Findings[0].Blocking = hybridcore.Error, true
			r.Gone = []string{"former"}
		}),
		"drift": {Drift: drifted(), Full: "the artifact `packer-hybrid-report` of this job"},
	}
}

// drifted is what the stages said of a project that was tampered with: the runner's own test writes it.
func drifted() *hybridcore.DriftReport {
	data, err := os.ReadFile(filepath.Join("testdata", "drift.json"))
	if err != nil {
		panic(err)
	}
	var found hybridcore.DriftReport
	if err := json.Unmarshal(data, &found); err != nil {
		panic(err)
	}
	return &found
}

func TestReportGolden(t *testing.T) {
	for name, r := range scenarios() {
		t.Run(name, func(t *testing.T) {
			text := r.markdown()
			checkMarkdown(t, text)
			goldentest.Compare(t, name+".md", text)
			all := Checks(r, at.Add(13*time.Minute))
			checkChecks(t, all)
			if all[0].Summary != text {
				t.Error("the summary of the run's check is not the comment")
			}
			all[0].Summary = "(the comment)"
			for i := range all {
				if n := len(all[i].Annotations); n > 3 {
					all[i].Annotations = append(all[i].Annotations[:2:2], Annotation{Message: fmt.Sprintf("and %d more", n-2)})
				}
			}
			if len(all) > 6 {
				all = append(all[:5:5], Check{Key: fmt.Sprintf("and %d more", len(all)-5)})
			}
			var out bytes.Buffer
			enc := json.NewEncoder(&out)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			if err := enc.Encode(all); err != nil {
				t.Fatal(err)
			}
			goldentest.Compare(t, name+".checks.json", out.String())
		})
	}
}

// checkChecks fails when GitHub would refuse a check, or a name is there twice.
func checkChecks(t *testing.T, all []Check) {
	t.Helper()
	names := map[string]bool{}
	for _, c := range all {
		switch {
		case names[c.Name], c.Name == "", len([]rune(c.Name)) > 200:
			t.Errorf("the name %q is there twice, or is no name", c.Name)
		case c.Title == "" || c.Summary == "" || units(c.Summary) > 65_535 || units(c.Text) > 65_535 || units(c.Title) > 255:
			t.Errorf("%s: title, summary or text is missing or too long", c.Name)
		case (c.Status == CheckCompleted) != (c.Conclusion != "") || (c.Status == CheckCompleted) == c.Completed.IsZero() || c.Started.IsZero():
			t.Errorf("%s: %s with conclusion %q, from %s to %s", c.Name, c.Status, c.Conclusion, c.Started, c.Completed)
		case len(c.Annotations) > MaxAnnotations:
			t.Errorf("%s: %d annotations", c.Name, len(c.Annotations))
		}
		names[c.Name] = true
		for _, a := range c.Annotations {
			if a.Line < 1 || a.Message == "" || a.Path == "" || strings.HasPrefix(a.Path, "/") || strings.HasPrefix(a.Path, "..") {
				t.Errorf("%s: the annotation %+v", c.Name, a)
			}
		}
	}
}

// hostileReport has foreign text in every field that is rendered.
func hostileReport(text string) Report {
	res := hybridcore.Result{
		Target: text, Image: text, Platform: hybridcore.Azure, Status: hybridcore.Failed, Log: text, Notes: []string{text},
		Artifact: &hybridcore.Artifact{ID: text, URIs: []hybridcore.URI{{Kind: text, Name: text, ID: text}}}, Inventory: &hybridcore.Inventory{Packages: 1},
		Failure:  &hybridcore.Failure{Step: text, File: text, Message: text, Tail: []string{text, strings.ReplaceAll(text, "`", "```"), "~~~"}},
		Findings: []hybridcore.Finding{{Kind: text, Message: text, Hint: text, File: text, Severity: hybridcore.Error}},
	}
	one := comparison(true)
	one.Image = text
	one.Pairs[0].Category = text
	one.Unexpected = append(one.Unexpected, hybridcore.Difference{Category: text, Key: text, A: "proxmox", B: "azure", InA: text, InB: text, Cause: text})
	one.Findings[0].Message = text
	rec := hybridcore.Record{
		RunID: text, Request: hybridcore.Request{Env: text}, At: at, Status: hybridcore.Failed,
		Results: []hybridcore.Result{res, {Target: text + "2", Status: hybridcore.Built, Findings: res.Findings}}, Parity: []hybridcore.Parity{one},
	}
	return Report{
		Beside: []Report{{Plan: hostilePlan(text, 2)}}, Gone: []string{text},
		Plan: hostilePlan(text, 2), Record: &rec, Untrusted: true,
		Changes: []hybridcore.Changes{{Image: text, Platform: "azure", Changes: []hybridcore.Change{{Category: text, Key: text, Was: text, Now: text}, {Category: text, Key: "k", Now: text}}}},
	}
}

func TestReportIsInert(t *testing.T) {
	t.Parallel()
	for _, said := range hostile {
		r := hostileReport(said)
		checkMarkdown(t, r.markdown())
		planned := r
		planned.Record, planned.Plan.Request.Action = nil, hybridcore.ActionPlan
		checkMarkdown(t, planned.markdown())
		for _, c := range append(Checks(r, at), Checks(planned, at)...) {
			checkMarkdown(t, c.Summary)
			if c.Title != text.Sanitize(c.Title) || strings.ContainsAny(c.Title+c.Name, "\n\r") || strings.Contains(c.Title, "##[") {
				t.Errorf("the title %q of %q", c.Title, c.Name)
			}
		}
		running := Running(hybridcore.Request{Env: said}, hybridcore.Event{At: at, Target: said, Kind: hybridcore.EventStep, Text: said, Elapsed: time.Second})
		checkMarkdown(t, running.Summary)
	}
}

// What is left out is counted: shown and left make the whole.
func TestNothingIsDroppedInSilence(t *testing.T) {
	t.Parallel()
	r := scenarios()["findings"]
	text := r.markdown()
	m := regexp.MustCompile(`\n(\d+) more findings do not fit here; all is in the artifact .packer-hybrid-report. of this job\.\n`).FindStringSubmatch(text)
	if m == nil {
		t.Fatal("it does not say how many findings are left out")
	}
	shown := strings.Count(text, "undeclared variable")
	if fmt.Sprint(3000-shown) != m[1] || shown < 30 || !strings.Contains(text, "3000 findings: 30 errors, 2970 warnings") {
		t.Errorf("%d are shown and %s left out", shown, m[1])
	}
	if strings.Count(text, "- **error**") != 30 {
		t.Error("not every error is shown before the warnings")
	}
	all := Checks(r, at)
	if len(all[0].Annotations) != MaxAnnotations || !strings.Contains(all[0].Text, "250 of 3000 findings") || all[0].Annotations[29].Level != LevelFailure {
		t.Errorf("%d annotations: %q", len(all[0].Annotations), all[0].Text)
	}
}

func TestAnnotationsStayInTheRepository(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"a.hcl": "images/a.hcl", "../x.hcl": "x.hcl", "../../x.hcl": "", "/etc/passwd": "", "": "", "a\u202eb": "",
	} {
		got, _ := Report{Prefix: "images"}.annotations([]hybridcore.Finding{{Message: "m", File: file}})
		if (want == "") != (len(got) == 0) || want != "" && got[0].Path != want {
			t.Errorf("%q: %+v, want %q", file, got, want)
		}
	}
}

func FuzzReport(f *testing.F) {
	for _, text := range hostile {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		r := hostileReport(text)
		checkMarkdown(t, r.markdown())
		r.Record = nil
		checkMarkdown(t, r.markdown())
	})
}
