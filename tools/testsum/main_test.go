// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:27Z
// Spec: openspec/specs/repository/spec.md#requirement-a-verdict-on-every-test
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package main

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSummarise runs the real go test on small packages and checks the exit
// code and what is shown.
func TestSummarise(t *testing.T) {
	t.Parallel()
	const good = "package p\nimport \"testing\"\nfunc TestGood(t *testing.T) { t.Log(\"quiet\"); t.Run(\"sub\", " +
		"func(*testing.T) {}) }\n"
	test := func(body string) string {
		return "package p\nimport (\"os\"; \"testing\")\nvar _ = os.Args\n" + body + "\n"
	}
	for _, c := range []struct {
		name  string
		files map[string]string
		code  int
		want  []string
		not   string
	}{
		{
			"all pass",
			map[string]string{"a/a_test.go": good, "b/b.go": "package b\n"},
			0,
			[]string{"ok  \tm/a", "m/b\t[no test files]", "tests: 1 passed, 0 failed, 0 skipped"},
			"quiet",
		},
		{
			"one fails",
			map[string]string{
				"a/a_test.go": good,
				"b/b_test.go": test(`func TestBad(t *testing.T) { t.Run("sub", func(t *testing.T) { t.Error("loud") }) }`),
			},
			1,
			[]string{"ok  \tm/a", "loud", "--- FAIL: TestBad", "failed: m/b", "tests: 1 passed, 1 failed"},
			"quiet",
		},
		{
			"one skips",
			map[string]string{
				"a/a_test.go": good,
				"b/b_test.go": test(`func TestLazy(t *testing.T) { t.Skip("no tool") }`),
			},
			1,
			[]string{"skipped: m/b TestLazy", "1 skipped"},
			"",
		},
		{
			"one does not compile",
			map[string]string{
				"a/a_test.go": good,
				"b/b_test.go": test(`func TestBad(t *testing.T) { undefined() }`),
			},
			1,
			[]string{"undefined: undefined", "ok  \tm/a", "failed: m/b", "tests: 1 passed"},
			"",
		},
		{
			"one ends its process",
			map[string]string{
				"a/a_test.go": good,
				"b/b_test.go": test(`func TestGone(t *testing.T) { println("last words"); os.Exit(0) }`),
			},
			1,
			[]string{"last words", "failed: m/b"},
			"",
		},
		{
			"one panics",
			map[string]string{
				"a/a_test.go": good,
				"b/b_test.go": test(`func TestPanic(t *testing.T) { panic("boom") }`),
			},
			1,
			[]string{"boom", "failed: m/b", "1 failed"},
			"",
		},
		{"no tests", map[string]string{"a/a.go": "package a\n"}, 1, []string{"tests: 0 passed"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			code := summarise(bytes.NewReader(goTest(t, c.files)), &out)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in the output", want)
				}
			}
			if strings.Contains(out.String(), "=== RUN") {
				t.Error("the output has frames")
			}
			if c.not != "" && strings.Contains(out.String(), c.not) {
				t.Errorf("%q is in the output", c.not)
			}
			if t.Failed() {
				t.Log(out.String())
			}
		})
	}
}

// TestCutOff feeds a stream that ends too early: no verdict is no success.
func TestCutOff(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	in := `{"Action":"pass","Package":"m/a","Test":"TestA"}` + "\n" +
		`{"Action":"output","Package":"m/a","Output":"x\n"}` + "\n" + `{"Action":"outp`
	if code := summarise(strings.NewReader(in), &out); code != 1 || !strings.Contains(out.String(), "no verdict: m/a") {
		t.Errorf("exit code %d, output:\n%s", code, out.String())
	}
}

// goTest runs go test -json on a module of these files.
func goTest(t *testing.T, files map[string]string) []byte {
	t.Helper()
	dir := t.TempDir()
	files = maps.Clone(files)
	files["go.mod"] = "module m\n\ngo 1.26\n"
	for name, text := range files {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "test", "-json", "-vet=off", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-p=1", "GOWORK=off")
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, _ := cmd.Output() // its exit code is what the summary must not need
	if len(out) == 0 {
		t.Fatalf("go test said nothing: %s", errs.String())
	}
	return out
}
