// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:27Z
// Spec: openspec/specs/repository/spec.md#requirement-a-verdict-on-every-test
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

// Command testsum reads the events of `go test -json` and prints what a person
// wants to know: a line for each package, the output of what failed, a summary.
// A skipped test and a run without tests are failures: both look like success
// to go test.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

func main() {
	os.Exit(summarise(os.Stdin, os.Stdout))
}

// event is what one line of go test -json says (see go doc test2json).
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// summary is what is known of the run so far.
type summary struct {
	out      io.Writer
	packages map[string]*pkg
	passed   int // top-level tests, examples and fuzz targets
	failed   int
	skipped  []string // tests and subtests
	broken   []string // packages that failed
}

// pkg is one package with the output of its tests; a passed test's is dropped.
type pkg struct {
	own   []string            // output of no test: the verdict, or a panic
	tests map[string][]string // by test
}

// summarise reads events to the end and returns the exit code: 0 when tests
// ran and all of them passed, 1 otherwise. A line that is no event is printed.
func summarise(in io.Reader, out io.Writer) int {
	s := summary{out: out, packages: map[string]*pkg{}}
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadString('\n')
		var e event
		switch {
		case line == "":
		case json.Unmarshal([]byte(line), &e) != nil:
			s.print(line)
		default:
			s.take(e)
		}
		if err != nil {
			break
		}
	}
	return s.verdict()
}

func (s *summary) print(lines ...string) {
	for _, line := range lines {
		_, _ = io.WriteString(s.out, line) // nothing can be done when the terminal is gone
	}
}

func (s *summary) take(e event) {
	p := s.packages[e.Package]
	if p == nil {
		p = &pkg{tests: map[string][]string{}}
		s.packages[e.Package] = p
	}
	switch e.Action {
	case "build-output":
		s.print(e.Output)
	case "output":
		if frame(e.Output) {
			return
		}
		if e.Test == "" {
			p.own = append(p.own, e.Output)
		} else {
			p.tests[e.Test] = append(p.tests[e.Test], e.Output)
		}
	case "pass", "fail", "skip":
		if e.Test != "" {
			s.endTest(p, e)
		} else {
			s.endPackage(p, e)
		}
	}
}

// frame says whether a line only tells that a test starts, waits or goes on.
func frame(line string) bool {
	return strings.HasPrefix(line, "=== RUN ") || strings.HasPrefix(line, "=== PAUSE ") ||
		strings.HasPrefix(line, "=== CONT ")
}

// endTest counts a test. A subtest's output is kept for its parent's failure.
func (s *summary) endTest(p *pkg, e event) {
	top := !strings.Contains(e.Test, "/")
	switch {
	case e.Action == "skip":
		s.skipped = append(s.skipped, e.Package+" "+e.Test)
	case e.Action == "pass" && top:
		s.passed++
	case e.Action == "fail" && top:
		s.failed++
	}
	if e.Action == "fail" {
		s.print(p.tests[e.Test]...)
	}
	delete(p.tests, e.Test)
}

// endPackage prints the package's verdict, and for a failed one all that its
// tests said which never ended.
func (s *summary) endPackage(p *pkg, e event) {
	if e.Action == "fail" {
		s.broken = append(s.broken, e.Package)
		for _, name := range slices.Sorted(maps.Keys(p.tests)) {
			s.print(p.tests[name]...)
		}
		s.print(p.own...)
	} else {
		s.print(slices.DeleteFunc(p.own, func(line string) bool { return !strings.Contains(line, e.Package) })...)
	}
	delete(s.packages, e.Package)
}

func (s *summary) verdict() int {
	for _, name := range s.skipped {
		s.print("skipped: " + name + "\n")
	}
	for _, name := range slices.Sorted(maps.Keys(s.packages)) {
		if name != "" && s.packages[name].own != nil {
			s.broken = append(s.broken, name)
			s.print("no verdict: " + name + "\n")
		}
	}
	for _, name := range s.broken {
		s.print("failed: " + name + "\n")
	}
	s.print(fmt.Sprintf("packages failed: %d\ntests: %d passed, %d failed, %d skipped\n", len(s.broken), s.passed,
		s.failed, len(s.skipped)))
	if s.passed == 0 || s.failed > 0 || len(s.skipped) > 0 || len(s.broken) > 0 {
		return 1
	}
	return 0
}
