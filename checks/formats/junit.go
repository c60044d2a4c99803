// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:08:45Z
// Spec: openspec/specs/reports/spec.md#requirement-reports-that-gitlab-reads
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package formats

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// The elements of a JUnit report that GitLab reads.
type (
	junitSuites struct {
		XMLName xml.Name     `xml:"testsuites"`
		Suites  []junitSuite `xml:"testsuite"`
	}
	junitSuite struct {
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Errors   int         `xml:"errors,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string      `xml:"name,attr"`
		Class   string      `xml:"classname,attr"`
		Time    string      `xml:"time,attr"`
		Failure *junitCause `xml:"failure"`
		Error   *junitCause `xml:"error"`
		Skipped *junitCause `xml:"skipped"`
	}
	junitCause struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// WriteJUnit writes records as a JUnit report: one suite each, with one test
// case a target, and one for each image whose platforms were compared.
func WriteJUnit(w io.Writer, records ...hybridcore.Record) error {
	var all junitSuites
	for _, r := range records {
		all.Suites = append(all.Suites, junitOf(r))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	encoder := xml.NewEncoder(w)
	encoder.Indent("", "  ")
	if err := encoder.Encode(all); err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("writing the JUnit report: %w", err)
	}
	return nil
}

// junitOf is the suite of one record.
func junitOf(r hybridcore.Record) junitSuite {
	suite := junitSuite{
		Name:  text.InJobLog(fmt.Sprintf("packer-hybrid %s %s", r.Request.Action, r.Request.Env)),
		Tests: len(r.Results) + len(r.Parity), Time: decimal(r.Duration),
	}
	for _, res := range r.Results {
		test := junitCase{
			Name:  text.InJobLog(res.Target),
			Class: text.InJobLog(fmt.Sprintf("packer-hybrid.%s.%s", r.Request.Env, res.Platform)), Time: decimal(res.Duration),
		}
		cause := junitReason(res)
		switch res.Status {
		case hybridcore.Failed:
			test.Failure = cause
			suite.Failures++
		case hybridcore.Cancelled, hybridcore.BlockedStatus:
			test.Error = cause
			suite.Errors++
		case hybridcore.UnchangedDone:
			test.Skipped = cause
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, test)
	}
	for _, one := range r.Parity {
		test := junitCase{
			Name:  text.InJobLog("parity of " + one.Image),
			Class: text.InJobLog(fmt.Sprintf("packer-hybrid.%s.parity", r.Request.Env)), Time: decimal(0),
		}
		if one.Blocked() {
			test.Failure = &junitCause{Message: "the platforms differ where nobody expects it", Text: parityText(one)}
			suite.Failures++
		}
		suite.Cases = append(suite.Cases, test)
	}
	return suite
}

// Validation is the record of a validation inside the process, which keeps
// none: each target as valid, or each error in its place.
func Validation(plan hybridcore.Plan) hybridcore.Record {
	r := hybridcore.Record{Request: plan.Request}
	for _, f := range plan.Findings {
		if !f.Blocking && f.Severity != hybridcore.Error {
			continue
		}
		place := f.File
		switch {
		case place == "":
			place = projectFile
		case f.Line > 0:
			place = fmt.Sprintf("%s:%d", f.File, f.Line)
		}
		r.Results = append(r.Results, hybridcore.Result{
			Target: place, Platform: "validation", Status: hybridcore.Failed,
			Failure: &hybridcore.Failure{Message: f.Message, Tail: strings.Split(f.String(), "\n")},
		})
	}
	if len(r.Results) > 0 {
		return r
	}
	for _, t := range plan.Targets {
		r.Results = append(r.Results,
			hybridcore.Result{Target: t.Target.Name(), Platform: t.Target.Platform, Status: hybridcore.Validated})
	}
	return r
}

// junitReason says why a target is not a good build of this run: in a sentence,
// and at length.
func junitReason(res hybridcore.Result) *junitCause {
	cause := &junitCause{Message: string(res.Status)}
	var lines []string
	if f := res.Failure; f != nil {
		cause.Message = text.InJobLog(f.Message)
		if f.Step != "" {
			cause.Message = text.InJobLog(f.Step) + ": " + cause.Message
		}
		if f.File != "" {
			lines = append(lines, "in "+text.InJobLog(f.File))
		}
		lines = append(lines, f.Tail...)
	}
	for _, f := range res.Findings {
		lines = append(lines, f.String())
	}
	for _, note := range res.Notes {
		if why, ok := strings.CutPrefix(note, "unchanged: "); ok {
			cause.Message = text.InJobLog(why)
		} else {
			lines = append(lines, note)
		}
	}
	cause.Text = text.Sanitize(strings.Join(lines, "\n"))
	return cause
}

// parityText is the comparison of one image as the console prints it.
func parityText(one hybridcore.Parity) string {
	var b strings.Builder
	_ = checks.WriteParity(&b, checks.Style{}, hybridcore.ParityReport{Parity: []hybridcore.Parity{one}}) // to memory
	return text.Sanitize(b.String())
}

// decimal is a duration in seconds.
func decimal(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
