// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:41Z
// Spec: openspec/specs/ci/spec.md#requirement-githubs-file-and-log-commands
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package github

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// step is a step of GitHub Actions with its files.
func step(t *testing.T) (Actions, *bytes.Buffer, func(name string) string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_STEP_SUMMARY"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	log := &bytes.Buffer{}
	read := func(name string) string {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	return Actions{Log: log, Getenv: func(name string) string { return filepath.Join(dir, name) }}, log, read
}

// values reads a file command as GitHub's runner does (FileCommandManager.cs):
// NAME=VALUE, or NAME<<DELIMITER and lines up to one that is the delimiter.
func values(t *testing.T, text string) map[string]string {
	t.Helper()
	all := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		name, delimiter, heredoc := strings.Cut(lines[i], "<<")
		if plain, value, ok := strings.Cut(lines[i], "="); ok && (!heredoc || len(plain) < len(name)) {
			all[plain] = value
			continue
		}
		if !heredoc {
			t.Fatalf("the runner refuses the line %q", lines[i])
		}
		var value []string
		for i++; lines[i] != delimiter; i++ {
			value = append(value, lines[i])
		}
		all[name] = strings.Join(value, "\n")
	}
	return all
}

func TestActionsFiles(t *testing.T) {
	t.Parallel()
	evil := "a\n_GitHubActionsFileCommandDelimeter_\nLD_PRELOAD=/tmp/x.so\nNODE_OPTIONS<<E\n--require=/tmp/x\nE"
	a, _, read := step(t)
	want := map[string]string{"plan": evil, "empty": "", "json": `{"a":1}`, "lines": "a\n\nb\n"}
	for name, value := range want {
		if err := a.Output(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(want, values(t, read("GITHUB_OUTPUT"))); diff != "" {
		t.Error(diff)
	}
	if err := a.Env("PACKER_HYBRID_RUN", evil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"PACKER_HYBRID_RUN": evil}, values(t, read("GITHUB_ENV"))); diff != "" {
		t.Error(diff)
	}
	if err := errors.Join(a.Summary("# One"), a.Summary("two")); err != nil ||
		read("GITHUB_STEP_SUMMARY") != "# One\ntwo\n" {
		t.Errorf("summary %q, error %v", read("GITHUB_STEP_SUMMARY"), err)
	}
}

func TestActionsRefuse(t *testing.T) {
	t.Parallel()
	a, _, read := step(t)
	known := a
	known.token = func() string { return "known" }
	unset := Actions{Getenv: func(string) string { return "" }, Log: io.Discard}
	gone := Actions{Getenv: func(string) string { return filepath.Join(t.TempDir(), "gone") }, Log: io.Discard}
	full := Actions{Getenv: func(string) string { return "/dev/full" }, Log: io.Discard}
	for says, err := range map[string]error{
		"holds the delimiter":            known.Output("plan", "x\npacker_hybrid_known\ny"),
		"has no name that GitHub takes":  a.Output("a\nb", "x"),
		"is not one of ours":             a.Env("LD_PRELOAD", "x"),
		"holds a NUL":                    a.Output("plan", "a\x00b"),
		"has 1048577 bytes":              a.Output("plan", strings.Repeat("x", maxOutput+1)),
		"the step summary would have":    a.Summary(strings.Repeat("x", maxSummary)),
		"GITHUB_OUTPUT is not set":       unset.Output("plan", "x"),
		"writing GITHUB_OUTPUT: open":    gone.Output("plan", "x"),
		"writing GITHUB_STEP_SUMMARY":    gone.Summary("x"),
		"no space left on device":        full.Output("plan", "x"),
		"writing a command of GitHub's":  Actions{Log: broken{}}.Open("", "x"),
		"writing foreign lines: is gone": written(ci.NewLines(broken{}), "x\n"),
	} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("error %v, want one with %q", err, says)
		}
	}
	if text := read("GITHUB_OUTPUT") + read("GITHUB_ENV") + read("GITHUB_STEP_SUMMARY"); text != "" {
		t.Errorf("what was refused was written: %.100q", text)
	}
}

// broken is a log whose reader is gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("is gone") }

func written(to io.Writer, text string) error {
	_, err := io.WriteString(to, text)
	return err
}

func TestActionsLog(t *testing.T) {
	t.Parallel()
	a, log, _ := step(t)
	a.Root, a.token = "images", func() string { return "TOKEN" }
	findings := []hybridcore.Finding{
		{Severity: hybridcore.Info, Kind: "drift", Message: "newer"},
		{
			Severity: hybridcore.Error, Kind: "variable", Subject: "a,b:c", File: "vars/x%,y.hcl", Line: 3, Column: 7,
			Message: "line one\r::stop-commands::x\nline two ##[error]", Hint: "set it, 100%",
		},
	}
	for range maxAnnotations + 2 {
		findings = append(findings, hybridcore.Finding{Severity: hybridcore.Warning, Kind: "k", Message: "m"})
	}
	err := errors.Join(Mask(log, "hunter22\nshort\nanother secret"), Mask(log, "single-line"),
		a.Open("", "build\r::error::x"), a.Close(""), a.Annotate(findings))
	foreign, openErr := a.Foreign()
	if err := errors.Join(err, openErr); err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(foreign, "::add-mask::e\n  ##[add-matcher]/tmp/m\nlast")
	if err := errors.Join(err, foreign.Close()); err != nil {
		t.Fatal(err)
	}
	want := `::add-mask::hunter22
::add-mask::another secret
::add-mask::hunter22%0Ashort%0Aanother secret
::add-mask::single-line
::group::build : :error::x
::endgroup::
::error col=7,file=images/vars/x%25%2Cy.hcl,line=3,title=packer-hybrid%3A variable a%2Cb%3Ac::line one%0A: :stop-commands::x%0Aline two ## [error]%0Aset it, 100%25
` + strings.Repeat("::warning title=packer-hybrid%3A k::m\n", maxAnnotations) + `2 more findings of the level warning have no annotation; the report has all
::notice title=packer-hybrid%3A drift::newer
::stop-commands::TOKEN
: :add-mask::e
  ## [add-matcher]/tmp/m
last
::TOKEN::
`
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Error(diff)
	}
}
