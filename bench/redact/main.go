// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:06Z
// Spec: openspec/specs/logs/spec.md#requirement-redaction-keeps-up-with-the-fastest-log
// Diagram: openspec/specs/logs/diagram.md#redactor

// Command redact measures the redacting writer against grep.
//
// Both sides are processes that read the same log-like file from the page cache, started in turn in each round:
//
//   - grep -F -c -f: which lines hold one of 100 plain values. -c makes grep read to the end; with its output on
//
// /dev/null it
//
//	  would stop at the first match. It finds plain values only, prints no line and replaces nothing, so it does less
//	than we
//	  do. The faster of LC_ALL=C and the default locale is taken.
//	- this program's worker: the redactor over the same 100 values, in every spelling and with the rules for credentials
//	of
//	  known shape, writing the redacted text in chunks of 64 KiB to a sink that counts.
//
// Every run is checked: grep counts the lines that were planted, our output holds as many markers and, before the
// rounds,
// none of the values.
//
// Goal: at least 5 times as fast as grep -F -f with 100 values
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bench/internal/timing"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
)

const (
	goal    = 5.0 // times as fast as grep; see the requirement
	secrets = 100
	rounds  = 7
	limit   = 4 * time.Minute // of the whole benchmark
)

func main() {
	worker := flag.Bool("worker", false, "redact FILE with the values in VALUES and print the number of markers")
	check := flag.Bool("check", false, "with -worker: also look for values in the output")
	size := flag.Int("mb", 128, "size of the log in MiB")
	flag.Parse()
	if *worker {
		if err := work(flag.Arg(0), flag.Arg(1), *check); err != nil {
			fmt.Fprintln(os.Stderr, "redact:", err)
			os.Exit(1)
		}
		return
	}
	timing.Main("redact", limit, func(ctx context.Context, dir string) error { return compare(ctx, dir, *size) })
}

// compare writes the log, measures both sides and prints the result.
func compare(ctx context.Context, dir string, size int) (err error) {
	b := bench{log: filepath.Join(dir, "build.log"), values: filepath.Join(dir, "values")}
	if err := b.generate(size << 20); err != nil {
		return err
	}
	if b.self, err = os.Executable(); err != nil {
		return fmt.Errorf("finding this program: %w", err)
	}
	if err := b.verify(ctx); err != nil {
		return err
	}
	var ours, greps []timing.Sample
	for range rounds {
		g, err := b.grep(ctx, b.locale)
		if err != nil {
			return err
		}
		o, err := b.ours(ctx)
		if err != nil {
			return err
		}
		greps, ours = append(greps, g), append(ours, o)
	}
	g, o := timing.Median(greps), timing.Median(ours)
	mb := float64(b.bytes) / 1e6
	fmt.Printf("%d MB, %d values, %d lines with a value, %d rounds, medians\n", b.bytes/1e6, secrets, b.planted, rounds)
	fmt.Printf("grep -F -c -f (%-14s)  wall %8.1f ms  cpu %8.1f ms  %7.0f MB/s\n", b.locale, timing.MS(g.Wall),
		timing.MS(g.CPU), mb/g.Wall.Seconds())
	fmt.Printf("redacting writer                wall %8.1f ms  cpu %8.1f ms  %7.0f MB/s\n", timing.MS(o.Wall),
		timing.MS(o.CPU), mb/o.Wall.Seconds())
	ratio := g.Wall.Seconds() / o.Wall.Seconds()
	fmt.Printf("cpu ratio=%.2f\n", g.CPU.Seconds()/o.CPU.Seconds())
	return timing.Verdict("redact", ratio, goal, ratio >= goal)
}

// bench is one comparison.
type bench struct {
	log, values string // files
	self        string // this program
	locale      string // environment entry of the faster grep
	bytes       int
	planted     int // lines that hold a value
}

// generate writes the log and the values, one a line.
func (b *bench) generate(size int) error {
	values := newValues(secrets)
	text, planted := newLog(size, values)
	b.bytes, b.planted = len(text), planted
	if err := os.WriteFile(b.values, []byte(strings.Join(values, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("writing values: %w", err)
	}
	if err := os.WriteFile(b.log, text, 0o600); err != nil {
		return fmt.Errorf("writing log: %w", err)
	}
	return nil
}

// verify checks that both sides do their work, and chooses grep's locale.
func (b *bench) verify(ctx context.Context) error {
	if out, _, err := b.run(ctx, nil, b.self, "-worker", "-check", b.log, b.values); err != nil {
		return err
	} else if out != strconv.Itoa(b.planted) {
		return fmt.Errorf("redacting writer left %s markers, %d values were planted", out, b.planted)
	}
	best := time.Duration(1 << 62)
	for _, locale := range []string{"LC_ALL=C", "LC_ALL=" + defaultLocale()} {
		for range 2 { // the first warms the page cache
			s, err := b.grep(ctx, locale)
			if err != nil {
				return err
			}
			if s.Wall < best {
				best, b.locale = s.Wall, locale
			}
		}
	}
	return nil
}

// defaultLocale returns the locale that grep would take, by POSIX's order of precedence.
func defaultLocale() string {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if v := os.Getenv(name); v != "" {
			return v
		}
	}
	return "POSIX"
}

// grep measures grep, and checks its answer.
func (b *bench) grep(ctx context.Context, locale string) (timing.Sample, error) {
	out, s, err := b.run(ctx, []string{locale}, "grep", "-F", "-c", "-f", b.values, b.log)
	if err == nil && out != strconv.Itoa(b.planted) {
		err = fmt.Errorf("grep counted %s lines, %d were planted", out, b.planted)
	}
	return s, err
}

// ours measures the redacting writer, and checks its answer.
func (b *bench) ours(ctx context.Context) (timing.Sample, error) {
	out, s, err := b.run(ctx, nil, b.self, "-worker", b.log, b.values)
	if err == nil && out != strconv.Itoa(b.planted) {
		err = fmt.Errorf("redacting writer left %s markers, %d values were planted", out, b.planted)
	}
	return s, err
}

// run runs a command and returns its trimmed output and what it took.
func (b *bench) run(ctx context.Context, env []string, name string, args ...string) (string, timing.Sample, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	out, s, err := timing.Output(cmd)
	return strings.TrimSpace(string(out)), s, err
}

// work is the worker: it redacts a file and prints how many markers the output has.
func work(file, values string, check bool) error {
	list, err := os.ReadFile(values)
	if err != nil {
		return fmt.Errorf("reading values: %w", err)
	}
	var registered []redact.Secret
	for i, v := range strings.Fields(string(list)) {
		registered = append(registered, redact.Secret{Name: fmt.Sprintf("S%d", i), Value: v})
	}
	redactor, warnings := redact.New(registered...)
	if len(warnings) > 0 {
		return fmt.Errorf("value not masked: %v", warnings[0])
	}
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("reading log: %w", err)
	}
	defer in.Close()
	sink := &counter{}
	if check {
		sink.forbidden = strings.Fields(string(list))
	}
	w := redactor.Writer(sink)
	if _, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{in}, make([]byte, 64<<10)); err != nil {
		return fmt.Errorf("redacting: %w", err)
	}
	if err := w.Close(); err != nil {
		return err
	}
	fmt.Println(sink.markers)
	return sink.err
}

// counter is a sink that counts markers and, if asked, looks for values.
type counter struct {
	markers   int
	forbidden []string
	err       error
}

// Write counts.
func (c *counter) Write(p []byte) (int, error) {
	c.markers += bytes.Count(p, []byte("<sensitive:"))
	for _, v := range c.forbidden {
		if bytes.Contains(p, []byte(v)) {
			c.err = errors.New("a value is in the output")
		}
	}
	return len(p), nil
}
