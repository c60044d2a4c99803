// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:36:00Z
// Spec: openspec/specs/reports/spec.md#requirement-foreign-text-is-inert
// Diagram: openspec/specs/reports/diagram.md#values-to-text

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/formats"
	"github.com/packer-hybrid/packer-hybrid/checks/live"
	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// hostile are values as titles, branches, files, commit messages and the
// output of builders may hold them, by what they try.
var hostile = map[string]string{
	"command":            "::error file=a,line=1::x",
	"command after NBSP": "\u00a0\u0085 ::set-output name=a::b",
	"old command":        "text ##[add-matcher]/tmp/m",
	"lone return":        "x\r::stop-commands::y\r\n::add-mask::e",
	"line break":         "a\n/ok-to-test\n@dependabot merge\n::set-env name=LD_PRELOAD::/x",
	"section of GitLab":  "section_start:0:x\r\x1b[0Ksection_end:0:x\r\x1b[0K",
	"terminal":           "\x1b[31mred\x1b]0;title\a\x1b[2J\u009b1m",
	"direction":          "a\u202etxt.exe\u2066\u200b\ufeff",
	"not UTF-8":          "\xff\xfe\xc3(",
	"NUL":                "a\x00b",
	"table":              "a | b\n| --- | --- |",
	"code span":          "`a` ``b`` \\`",
	"fence":              "```\n~~~~\n</pre>\n```",
	"HTML":               "<img src=x onerror=alert(1)></details></code><script>alert(1)</script>",
	"comment of HTML":    "<!-- packer-hybrid:report run=9.9 -->",
	"CDATA":              "]]></failure>&lt;b&gt;&#64;x",
	"link":               "[x](https://evil.example) https://evil.example www.evil.example",
	"image":              "![x](https://evil.example/x.png)",
	"mention":            "@everyone @org/team mail@evil.example",
	"reference":          "Fixes #1, GH-1, o/r#1, 0123456789abcdef0123456789abcdef01234567",
	"quick action":       "/merge",
	"markup":             "# head\n- [ ] task\n> quote\n***",
	"formula":            "$`x^2`$ $$y$$ :tada:",
	"shell":              "$(touch pwn); `id` && ${IFS} 'a' \"b\" ..\\..\\x",
	"dotenv":             "x\nLD_PRELOAD=/x\n$PATH",
	"heredoc":            "_GitHubActionsFileCommandDelimeter_\nNODE_OPTIONS=--require=/x",
	"delimiter":          "packer_hybrid_known\nNODE_OPTIONS<<E\n-x\nE",
	"long":               strings.Repeat("é😀", 5_000),
}

// forged are values of types that are no text: what a report does depends on them.
var forged = map[reflect.Type]string{
	reflect.TypeFor[hybridcore.Status](): string(hybridcore.Failed), reflect.TypeFor[hybridcore.Decision](): string(hybridcore.Build),
	reflect.TypeFor[hybridcore.Severity](): string(hybridcore.Error), reflect.TypeFor[hybridcore.Platform](): string(hybridcore.Azure),
	reflect.TypeFor[hybridcore.Action](): string(hybridcore.ActionBuild), reflect.TypeFor[hybridcore.ParityPolicy](): string(hybridcore.ParityBlock),
}

// fill puts a text into every field of a value, so that no field that is
// added later is forgotten here. A type that holds itself is filled a few times.
func fill(v reflect.Value, text string) { fillTo(v, text, 6) }

func fillTo(v reflect.Value, text string, depth int) {
	if depth == 0 {
		return
	}
	switch v.Kind() {
	case reflect.String:
		if known, ok := forged[v.Type()]; ok {
			text = known
		}
		v.SetString(text)
	case reflect.Int, reflect.Int64:
		v.SetInt(3)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fillTo(v.Elem(), text, depth-1)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fillTo(v.Index(i), text, depth-1)
		}
	case reflect.Map:
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fillTo(key, text, depth-1)
		fillTo(value, text, depth-1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(key, value)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(time.Date(2026, 11, 23, 5, 0, 0, 0, time.UTC)))
			return
		}
		for _, field := range v.Fields() {
			if field.CanSet() {
				fillTo(field, text, depth)
			}
		}
	}
}

// filled is a report with the text in every field, and in reasons of every kind.
func filled(text string) report.Report {
	r := report.Report{Full: "the files of this job"}
	fill(reflect.ValueOf(&r.Plan).Elem(), text)
	r.Record = &hybridcore.Record{}
	fill(reflect.ValueOf(r.Record).Elem(), text)
	fill(reflect.ValueOf(&r.Changes).Elem(), text)
	one := r.Plan.Targets[0].Reasons[0]
	for _, kind := range []string{"file", "variable", "source", "version", "upstream", "renamed", "new", "never-built"} {
		one.Kind = kind
		r.Plan.Targets[0].Reasons = append(r.Plan.Targets[0].Reasons, one)
	}
	r.Plan.Targets[1].Decision = hybridcore.Unchanged
	return r
}

// output is one place where foreign text is shown, and who checkers it there.
type output struct {
	render func(t *testing.T, text string) string
	check  func(t *testing.T, text, benign string)
}

// written is what a function writes.
func written(t *testing.T, render func(io.Writer) error) string {
	t.Helper()
	var b bytes.Buffer
	if err := render(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// stepFile is what a function writes to one of the files of GitHub's runner.
func stepFile(t *testing.T, write func(github.Actions) error) (string, error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := write(github.Actions{Getenv: func(string) string { return file }, Log: io.Discard})
	data, readErr := os.ReadFile(file)
	return string(data), errors.Join(err, readErr)
}

// ofChecks renders one part of every check of a report.
func ofChecks(part func(report.Check) string) func(*testing.T, string) string {
	return func(_ *testing.T, text string) string {
		r := filled(text)
		all := report.Checks(r, time.Now())
		r.Record = nil
		all = append(all, report.Checks(r, time.Now())...)
		all = append(all, report.Running(r.Plan.Request, hybridcore.Event{Target: text, Text: text, At: time.Now()}))
		var b strings.Builder
		for _, c := range all {
			b.WriteString(part(c) + "\n")
		}
		return b.String()
	}
}

// outputs are all places where foreign text is shown.
func outputs() map[string]output {
	markdown := func(change func(*report.Report)) func(*testing.T, string) string {
		return func(t *testing.T, said string) string {
			t.Helper()
			r := filled(said)
			change(&r)
			return written(t, func(w io.Writer) error { return report.Write(w, r) })
		}
	}
	all := map[string]output{
		"comment of a run": {markdown(func(*report.Report) {}), checkMarkdown},
		"comment of a plan": {markdown(func(r *report.Report) {
			r.Record, r.Plan.Request.Action, r.Untrusted = nil, hybridcore.ActionPlan, true
		}), checkMarkdown},
		"answer to a comment": {func(_ *testing.T, said string) string {
			return text.CodeBlock(said)
		}, checkMarkdown},
		"step summary": {func(t *testing.T, said string) string {
			t.Helper()
			file, err := stepFile(t, func(a github.Actions) error { return a.Summary(markdown(func(*report.Report) {})(t, said)) })
			if err != nil {
				t.Fatal(err)
			}
			return file
		}, checkMarkdown},
		"names and titles of checks": {ofChecks(func(c report.Check) string { return c.Name + "\n" + c.Title }), checkPlain},
		"summaries of checks":        {ofChecks(func(c report.Check) string { return c.Summary + "\f" }), checkEach},
		"texts of checks":            {ofChecks(func(c report.Check) string { return c.Text }), checkPlain},
		"annotations of checks": {ofChecks(func(c report.Check) string {
			var b strings.Builder
			for _, a := range c.Annotations {
				b.WriteString(a.Path + "\n" + a.Title + "\n" + strings.ReplaceAll(a.Message, "\n", " ") + "\n")
			}
			return b.String()
		}), checkInert},
		"console": {func(t *testing.T, said string) string {
			t.Helper()
			return written(t, func(w io.Writer) error { return console(w, said) })
		}, checkInert},
	}
	addMachines(all)
	return all
}

// console prints everything that the console prints of values.
func console(w io.Writer, said string) error {
	r := filled(said)
	var status hybridcore.StatusReport
	fill(reflect.ValueOf(&status).Elem(), said)
	var reaped []hybridcore.Reaped
	fill(reflect.ValueOf(&reaped).Elem(), said)
	progress := live.NewConsole(w, checks.Style{}, true)
	for _, kind := range []hybridcore.EventKind{hybridcore.EventStart, hybridcore.EventStep, hybridcore.EventOutput, hybridcore.EventError, hybridcore.EventNote, hybridcore.EventDone} {
		progress.Event(hybridcore.Event{Target: text.Sanitize(said), Kind: kind, Text: text.Sanitize(said)}) // as runner sends them
	}
	progress.Close()
	return errors.Join(
		checks.WritePlan(w, checks.Style{}, r.Plan), checks.WriteRecord(w, checks.Style{}, *r.Record, said), checks.WriteInspect(w, checks.Style{}, *r.Record, said),
		checks.WriteParity(w, checks.Style{}, hybridcore.ParityReport{Parity: r.Record.Parity, Changes: r.Changes, Notes: []string{said}}),
		checks.WriteFindings(w, checks.Style{}, r.Plan.Findings), checks.WriteStatus(w, checks.Style{}, status, time.Now()), checks.WriteReaped(w, checks.Style{}, reaped, true),
	)
}

// addMachines adds what other programs read.
func addMachines(all map[string]output) {
	all["log of GitHub's runner"] = output{func(t *testing.T, text string) string {
		t.Helper()
		return written(t, func(w io.Writer) error {
			a, r := github.Actions{Log: w, Root: text}, filled(text)
			err := errors.Join(github.Mask(w, "a secret of the job"), a.Open("", text))
			foreign, open := a.Foreign()
			if open != nil {
				return open
			}
			return errors.Join(err, console(foreign, text), foreign.Close(), a.Close(""), a.Annotate(append(r.Plan.Findings, hybridcore.Finding{Message: text, Severity: hybridcore.Warning})))
		})
	}, checkRunner}
	all["log of GitLab's runner"] = output{func(t *testing.T, text string) string {
		t.Helper()
		return written(t, func(w io.Writer) error {
			log, lines := gitlab.Forge().Jobs.Log(forge.Output{Log: w}), ci.NewLines(w)
			return errors.Join(log.Open(text, text), console(lines, text), lines.Close(), log.Close(text))
		})
	}, checkSections}
	all["outputs of a step"] = output{func(t *testing.T, text string) string {
		t.Helper()
		file, err := stepFile(t, func(a github.Actions) error { return errors.Join(a.Output("plan", text), a.Output("record", "r")) })
		if err != nil && !strings.Contains(err.Error(), "NUL") {
			t.Error(err)
		}
		return file
	}, checkHeredocs}
	all["dotenv"] = output{func(_ *testing.T, text string) string {
		file, err := gitlab.Dotenv(map[string]string{"PACKER_HYBRID_PLAN": text, "PACKER_HYBRID_RECORD": "r"})
		if err != nil { // is refused, which is said; the file is not made
			return "PACKER_HYBRID_PLAN=\nPACKER_HYBRID_RECORD=r\n"
		}
		return file
	}, checkDotenv}
	findings := func(text string) []hybridcore.Finding { return filled(text).Findings() }
	all["SARIF"] = output{func(t *testing.T, text string) string {
		t.Helper()
		return written(t, func(w io.Writer) error { return formats.WriteSARIF(w, text, findings(text), "1.2.3") })
	}, checkJSON}
	all["Code Quality"] = output{func(t *testing.T, text string) string {
		t.Helper()
		return written(t, func(w io.Writer) error { return formats.WriteCodeQuality(w, text, findings(text)) })
	}, checkJSON}
	all["JSON of plan and record"] = output{func(t *testing.T, text string) string {
		t.Helper()
		r := filled(text)
		return written(t, func(w io.Writer) error {
			return checks.WriteJSON(w, hybridcore.Answer{Plan: &r.Plan, Record: r.Record})
		})
	}, checkDocument}
	all["JUnit"] = output{func(t *testing.T, text string) string {
		t.Helper()
		r := filled(text)
		return written(t, func(w io.Writer) error { return formats.WriteJUnit(w, *r.Record, formats.Validation(r.Plan)) })
	}, checkJUnit}
}

// TestForeignTextIsInert shows each hostile value in each output, and has the
// parser that reads this output check it.
func TestForeignTextIsInert(t *testing.T) {
	t.Parallel()
	for place, o := range outputs() {
		benign := o.render(t, "benign")
		if !strings.Contains(benign, "benign") && place != "dotenv" && place != "texts of checks" {
			t.Errorf("%s does not show the value at all", place)
		}
		for name, text := range hostile {
			t.Run(fmt.Sprintf("%s in %s", name, place), func(t *testing.T) {
				t.Parallel()
				o.check(t, o.render(t, text), benign)
			})
		}
	}
}
