// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:41Z
// Spec: openspec/specs/ci/spec.md#requirement-githubs-file-and-log-commands
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package ci

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
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
		"has 1048577 bytes":              a.Output("plan", strings.Repeat("x", MaxOutput+1)),
		"the step summary would have":    a.Summary(strings.Repeat("x", MaxSummary)),
		"GITHUB_OUTPUT is not set":       unset.Output("plan", "x"),
		"writing GITHUB_OUTPUT: open":    gone.Output("plan", "x"),
		"writing GITHUB_STEP_SUMMARY":    gone.Summary("x"),
		"no space left on device":        full.Output("plan", "x"),
		"writing a command of GitHub's":  Actions{Log: broken{}}.Group("x"),
		"writing foreign lines: is gone": NewLines(broken{}).writeLine("x\n"),
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

func (l *Lines) writeLine(text string) error {
	_, err := io.WriteString(l, text)
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
	for range MaxAnnotations + 2 {
		findings = append(findings, hybridcore.Finding{Severity: hybridcore.Warning, Kind: "k", Message: "m"})
	}
	err := errors.Join(Mask(log, "hunter22\nshort\nanother secret"), Mask(log, "single-line"),
		a.Group("build\r::error::x"), a.EndGroup(), a.Annotate(findings))
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
` + strings.Repeat("::warning title=packer-hybrid%3A k::m\n", MaxAnnotations) + `2 more findings of the level warning have no annotation; the report has all
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

// obeyed says whether GitHub's runner would take a line for a command, by the
// rules of ActionCommand.cs, or GitLab's viewer for a section.
func obeyed(line string) bool {
	return strings.HasPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::") || strings.Contains(line, "##[") ||
		strings.ContainsAny(line, "\r\x1b") || strings.Contains(line, "section_start:") ||
		strings.Contains(line, "section_end:")
}

func TestForeignLines(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"::error file=a,line=1::x":               ": :error file=a,line=1::x\n",
		" \t\u00a0\u2003::error::x":              " \t\u00a0\u2003: :error::x\n",
		"\u0085::error::x":                       ": :error::x\n",
		"\u200b::error::x":                       ": :error::x\n",
		"a\r::stop-commands::x":                  "a\n: :stop-commands::x\n",
		"a\r\nb\n":                               "a\nb\n",
		"\x1b[31m::error::x":                     ": :error::x\n",
		"#\x1b[0m#[error]x":                      "## [error]x\n",
		"##\u200b[error]x ###[b]":                "## [error]x ### [b]\n",
		":\x00:error::x":                         ": :error::x\n",
		"\x1b[0Ksection_start:0:x\r\x1b[0Kowned": "section_start :0:x\nowned\n",
		"section_end:0:x":                        "section_end :0:x\n",
		strings.Repeat("a", maxLine+5) + "\nb":   strings.Repeat("a", maxLine) + "\naaaaa\nb\n",
		"std::vector a::b # [x]":                 "std::vector a::b # [x]\n",
		"":                                       "",
		"\n\n":                                   "\n\n",
		strings.Repeat("a", maxLine-2) + "##[error]x":  strings.Repeat("a", maxLine-2) + "##\n[error]x\n",
		strings.Repeat("a", maxLine) + "::error::x":    strings.Repeat("a", maxLine) + "\n: :error::x\n",
		"\u202egnp.exe\u2066 \xff ]8;;http://evil\x07": "gnp.exe \ufffd ]8;;http://evil\n",
	} {
		for _, size := range []int{len(text) + 1, 1, 3} {
			var out bytes.Buffer
			lines := NewLines(&out)
			for rest := text; rest != ""; {
				n := min(size, len(rest))
				if _, err := io.WriteString(lines, rest[:n]); err != nil {
					t.Fatal(err)
				}
				rest = rest[n:]
			}
			if err := lines.Close(); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != want {
				t.Errorf("%.60q in pieces of %d:\ngot  %.120q\nwant %.120q", text, size, got, want)
			}
		}
	}
}

func FuzzInert(f *testing.F) {
	for _, text := range []string{
		"a\r::b", "#\x1b[#[x", " \u0085::x", "section_\u200bstart:", "::::", "####[[",
		"sectionsection_start:_start:",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Inert(text)
		for line := range strings.SplitSeq(got, "\n") {
			if obeyed(line) {
				t.Errorf("%q became %q, of which a line is obeyed", text, got)
			}
		}
		if again := Inert(got); again != got {
			t.Errorf("%q became %q, and then %q", text, got, again)
		}
	})
}

func TestGitLabFiles(t *testing.T) {
	t.Parallel()
	text, err := Dotenv(map[string]string{"PACKER_HYBRID_STATUS": "built", "PACKER_HYBRID_RUN": "r 1"})
	if err != nil || text != "PACKER_HYBRID_RUN=r 1\nPACKER_HYBRID_STATUS=built\n" {
		t.Errorf("%q, error %v", text, err)
	}
	many := map[string]string{}
	for i := range MaxDotenvVariables + 1 {
		many[fmt.Sprintf("PACKER_HYBRID_%d", i)] = "x"
	}
	for says, variables := range map[string]map[string]string{
		"control character": {"PACKER_HYBRID_X": "a\nLD_PRELOAD=/tmp/x.so"},
		"a quote":           {"PACKER_HYBRID_X": "$CI_JOB_TOKEN"},
		"a blank":           {"PACKER_HYBRID_X": " a"},
		"not one of ours":   {"PATH": "/tmp"},
		"GitLab takes 5120": {"PACKER_HYBRID_X": strings.Repeat("x", MaxDotenv)},
		"GitLab takes 20":   many,
	} {
		if text, err := Dotenv(variables); err == nil || !strings.Contains(err.Error(), says) || text != "" {
			t.Errorf("%q: %q, error %v", says, text, err)
		}
	}
	var log bytes.Buffer
	at := time.Unix(1795400000, 0)
	if err := errors.Join(SectionStart(&log, "build debian-12@vsphere", "Build\r\x1b[0Kx", at),
		SectionEnd(&log, "build debian-12@vsphere", at.Add(time.Second))); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[0Ksection_start:1795400000:build_debian-12_vsphere[collapsed=true]\r\x1b[0KBuild x\n" +
		"\x1b[0Ksection_end:1795400001:build_debian-12_vsphere\r\x1b[0K\n"
	if diff := cmp.Diff(want, log.String()); diff != "" {
		t.Error(diff)
	}
	if err := SectionEnd(broken{}, "x", at); err == nil {
		t.Error("a log that is gone is no error")
	}
}
