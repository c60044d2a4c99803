// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:28Z
// Spec: openspec/specs/repository/spec.md#requirement-continuous-integration
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package tools_test

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCI(t *testing.T) {
	t.Parallel()
	const ran, ci = "\t@echo 'tests: 12 passed, 0 failed, 0 skipped'\n", "test-ci:\n\t@echo 'tests: 3 passed, 0 " +
		"failed, 0 skipped'\n"
	const lint = "lint:\n\t@test \"$$CI\" = true && echo linted\n"
	for _, c := range []struct {
		name, makefile string
		code           int
		says, last     string
	}{
		{
			"green", "test:\n" + ran + ci + lint, 0, "\ntest-ci: 3 passed, 0 failed, 0 skipped\nlinted\n",
			"15 passed, 0 failed, 0 skipped",
		},
		{
			"no test was executed", "test:\n\t@echo 'tests: 0 passed, 0 failed, 0 skipped'\n" + ci + lint, 1,
			"make test ended well but no test", "0 passed, 0 failed, 0 skipped",
		},
		{
			"nothing was said", "test:\n" + ran + "test-ci:\n\t@true\n" + lint, 1, "make test-ci ended well but no test",
			"12 passed, 0 failed, 0 skipped",
		},
		{
			"a test failed", "test:\n\t@echo 'tests: 12 passed, 1 failed, 2 skipped'; exit 1\n" + ci + lint, 2, "Error 1",
			"12 passed, 1 failed, 2 skipped",
		},
		{
			"a pipeline failed", "test:\n" + ran + "test-ci:\n\t@echo 'tests: 1 passed, 2 failed, 0 skipped'; exit 1\n" + lint,
			2, "Error 1", "13 passed, 2 failed, 0 skipped",
		},
		{"lint failed", "test:\n" + ran + ci + "lint:\n\t@exit 1\n", 2, "Error 1", "15 passed, 0 failed, 0 skipped"},
		{"a test waits for input", "test:\n\t@cat\n" + ran + ci + "lint:\n\t@cat\n", 0, "", "15 passed, 0 failed, 0 skipped"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, ".ci/run")
			s.write("Makefile", c.makefile)
			o := s.run(".ci/run")
			if o.code != c.code || !strings.Contains(o.out+o.errors, c.says) || c.code != 0 &&
				strings.Contains(o.out, "linted") {
				t.Errorf("exit code %d, want %d\n%s%s", o.code, c.code, o.out, o.errors)
			}
			if last := "tests: " + c.last + "\n"; !strings.HasSuffix(o.out, "\n"+last) && o.out != last ||
				strings.Count("\n"+o.out, "\ntests: ") != 1 {
				t.Errorf("the output does not end with the one line %q:\n%s", last, o.out)
			}
		})
	}
}

// TestLint stands in for the linters: all run although one fails, and no spec
// at all is a failure.
func TestLint(t *testing.T) {
	t.Parallel()
	const ok, bad = "#!/bin/bash\nexit 0\n", "#!/bin/bash\necho \"a.go:1: wrong\"\nexit 1\n"
	const specs = "#!/bin/bash\necho 'Totals: 3 passed, 0 failed (3 items)'\n"
	for _, c := range []struct {
		name                     string
		golangci, prettier, spec string
		code                     int
		out, errors              string
	}{
		{"clean", ok, ok, specs, 0, "lint: openspec ok", ""},
		{"two fail", bad, bad, specs, 1, "a.go:1: wrong", "lint: failed: golangci-lint format prettier"},
		{
			"the module of the stand-ins fails", "#!/bin/bash\n[ \"${PWD##*/}\" != plugins ]\n", ok, specs, 1,
			"lint: prettier ok", "lint: failed: golangci-lint format",
		},
		{
			"no specs", ok, ok, "#!/bin/bash\necho 'No items found to validate.'\n", 1, "no spec was validated",
			"lint: failed: openspec",
		},
		{
			"none of no specs", ok, ok, "#!/bin/bash\necho 'Totals: 0 passed, 0 failed (0 items)'\n", 1, "no spec was validated",
			"lint: failed: openspec",
		},
		{
			"a bad spec", ok, ok, "#!/bin/bash\necho 'Totals: 2 passed, 1 failed'\nexit 1\n", 1, "1 failed",
			"lint: failed: openspec",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSandbox(t, "tools/lint")
			s.write("cache/bin/golangci-lint", c.golangci)
			s.write("cache/bin/prettier", c.prettier)
			s.write("cache/bin/openspec", c.spec)
			s.write("plugins/main.go", "package main\n")
			s.write("stubs/shellcheck", "#!/bin/bash\necho \"$*\" >>\"$STUB_LOG\"\n")
			if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", s.dir).CombinedOutput(); err != nil {
				t.Fatalf("git init: %v: %s", err, out)
			}
			o := s.run("tools/lint")
			s.expect(o, c.code, c.errors)
			if !strings.Contains(o.out, c.out) {
				t.Errorf("no %q in:\n%s", c.out, o.out)
			}
			if got := s.read("log"); !strings.Contains(got, "tools/lint") || strings.Contains(got, "go.mod") {
				t.Errorf("shellcheck was given %q", got)
			}
		})
	}
}

// TestLintWorkflows gives zizmor the strictest persona and no token, and fails
// when it finds something.
func TestLintWorkflows(t *testing.T) {
	t.Parallel()
	const ok = "#!/bin/bash\nexit 0\n"
	for code, zizmor := range []string{
		"#!/bin/bash\necho \"$* ${GH_TOKEN-none} ${GITHUB_TOKEN-none}\" >>\"$STUB_LOG\"\n",
		"#!/bin/bash\necho 'error[x]: a finding'\nexit 14\n",
	} {
		s := newSandbox(t, "tools/lint")
		for name, text := range map[string]string{
			"golangci-lint": ok, "prettier": ok, "actionlint": ok, "zizmor": zizmor,
			"openspec": "#!/bin/bash\necho 'Totals: 3 passed, 0 failed (3 items)'\n",
		} {
			s.write("cache/bin/"+name, text)
		}
		s.write("plugins/main.go", "package main\n")
		s.write(".github/workflows/w.yml", "on: push\n")
		s.write("stubs/shellcheck", ok)
		s.env = append(s.env, "GH_TOKEN=ghp_1", "GITHUB_TOKEN=ghp_2")
		if out, err := exec.CommandContext(t.Context(), "git", "init", "-q", s.dir).CombinedOutput(); err != nil {
			t.Fatalf("git init: %v: %s", err, out)
		}
		o := s.run("tools/lint")
		if o.code != code || !strings.Contains(o.out, []string{"lint: zizmor ok", "error[x]: a finding"}[code]) {
			t.Errorf("exit code %d\n%s%s", o.code, o.out, o.errors)
		}
		if got := s.read("log"); code == 0 &&
			(!strings.Contains(got, "--offline --persona auditor --strict-collection") ||
				!strings.Contains(got, " none none\n")) {
			t.Errorf("zizmor was given %q", got)
		}
	}
}

func TestBench(t *testing.T) {
	t.Parallel()
	s := newSandbox(t, "bench/run")
	s.path = append(s.path, goEnv(t, "GOROOT")+"/bin")
	s.env = []string{"GOFLAGS=-p=1", "GOCACHE=" + goEnv(t, "GOCACHE")}
	s.write("go.mod", "module m\n\ngo 1.26\n")
	s.write("bench/seven/main.go",
		"// Command seven ends with 4 plus its arguments.\n//\n// Goal: 7 of 7\npackage main\n\n"+
			"import \"os\"\n\nfunc main() { os.Exit(4 + len(os.Args)) }\n")
	s.write("bench/testdata/notes.md", "no Go here\n")
	if o := s.run("bench/run"); o.code != 0 || o.out != "seven        7 of 7\n" {
		t.Errorf("the list is %+v", o)
	}
	for _, name := range []string{"fsat", "../bench/seven", "testdata", ""} {
		s.expect(s.run("bench/run", name), 2, "there is no measurement '"+name+"'", "seven        7 of 7")
	}
	if o := s.run("bench/run", "seven", "a", "b"); o.code != 7 {
		t.Errorf("the exit code is %d, not the measurement's\n%s", o.code, o.errors)
	}
}

// goEnv asks the go command for one of its settings.
func goEnv(t *testing.T, name string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}
