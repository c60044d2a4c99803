// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:57:20Z
// Spec: openspec/specs/ci/spec.md#requirement-githubs-file-and-log-commands
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package github

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sethvargo/go-githubactions"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// Limits of a GitHub Actions step. The runner shows ten annotations of a level
// and drops the rest; it refuses summaries above 1 MiB, and outputs of a job
// above 1 MiB.
const (
	maxSummary     = 1 << 20
	maxOutput      = 1 << 20
	maxAnnotations = 10

	maxMessage = 4 << 10 // bytes of one annotation
	// minMask is the shortest secret that is masked: a shorter one would black
	// out half the log, and is no secret.
	minMask = 6
)

// Actions writes for the runner of GitHub Actions: to the files that it names
// in the environment, and to the log, which it reads.
type Actions struct {
	Getenv func(string) string
	Log    io.Writer // standard output of the step, redacted
	Root   string    // the project's folder in the repository, slash-separated; empty for its top

	token func() string // random text; nil for 130 bits of crypto/rand
}

var (
	outputName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,99}$`)
	// envName holds names that no other program reads: a value from a build must
	// never become LD_PRELOAD or PATH of the next step.
	envName = regexp.MustCompile(`^PACKER_HYBRID_[A-Z0-9_]{1,80}$`)
)

// Output sets an output of the step.
func (a Actions) Output(name, value string) error {
	if !outputName.MatchString(name) {
		return fmt.Errorf("the output %.80q has no name that GitHub takes", name)
	}
	return a.set("GITHUB_OUTPUT", name, value)
}

// Env sets an environment variable of the steps that follow. Its name begins
// with PACKER_HYBRID_.
func (a Actions) Env(name, value string) error {
	if !envName.MatchString(name) {
		return fmt.Errorf("the variable %.80q is not one of ours: their names begin with PACKER_HYBRID_", name)
	}
	return a.set("GITHUB_ENV", name, value)
}

// set writes NAME<<DELIMITER, the value and the delimiter. Only who knows the
// delimiter in advance can end the value early, and it is made here.
func (a Actions) set(file, name, value string) error {
	delimiter := "packer_hybrid_" + a.random()
	switch {
	case len(value) > maxOutput:
		return fmt.Errorf("%s has %d bytes; GitHub takes %d", name, len(value), maxOutput)
	case strings.ContainsRune(value, 0):
		return fmt.Errorf("%s holds a NUL, which GitHub's runner cannot pass on", name)
	case strings.Contains(value, delimiter):
		return fmt.Errorf("%s holds the delimiter that ends it", name)
	}
	return a.append(file, name+"<<"+delimiter+"\n"+value+"\n"+delimiter+"\n")
}

// Summary adds Markdown to the summary of the step. What exceeds the limit
// with what is there already is an error, and nothing is added.
func (a Actions) Summary(markdown string) error {
	info, err := os.Stat(a.Getenv("GITHUB_STEP_SUMMARY"))
	if err != nil {
		return fmt.Errorf("writing GITHUB_STEP_SUMMARY: %w", err)
	}
	if size := info.Size() + int64(len(markdown)) + 1; size > maxSummary {
		return fmt.Errorf("the step summary would have %d bytes; GitHub takes %d", size, maxSummary)
	}
	return a.append("GITHUB_STEP_SUMMARY", markdown+"\n")
}

// append writes to a file that the runner made. It is never created here:
// where it is missing, nobody would read it.
func (a Actions) append(name, text string) error {
	file := a.Getenv(name)
	if file == "" {
		return fmt.Errorf("%s is not set: GitHub's runner sets it", name)
	}
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// Mask has the runner mask a secret, and each of its lines, in the log from
// here on. Parts of fewer than six bytes are left: see the redactor's warning.
// raw is the standard output itself: the redactor would take the secret out of
// the command, too.
func Mask(raw io.Writer, secret string) error {
	parts := strings.Split(secret, "\n")
	if len(parts) > 1 {
		parts = append(parts, secret)
	}
	for _, part := range parts {
		if part = strings.TrimSpace(part); len(part) < minMask {
			continue
		}
		if err := (Actions{Log: raw}).issue("add-mask", nil, part); err != nil {
			return err
		}
	}
	return nil
}

// Open begins a folded group of the log. Groups do not nest.
func (a Actions) Open(_, title string) error { return a.issue("group", nil, ci.Shown(title)) }

// Close ends the group.
func (a Actions) Close(string) error { return a.issue("endgroup", nil, "") }

// Annotate shows findings at their lines, the worst first, and says in the log
// how many the runner has no room for.
func (a Actions) Annotate(findings []hybridcore.Finding) error {
	for _, level := range []struct {
		severity hybridcore.Severity
		command  string
	}{{hybridcore.Error, "error"}, {hybridcore.Warning, "warning"}, {hybridcore.Info, "notice"}} {
		of := slices.DeleteFunc(slices.Clone(findings),
			func(f hybridcore.Finding) bool { return f.Severity != level.severity })
		for _, f := range of[:min(len(of), maxAnnotations)] {
			if err := a.issue(level.command, a.place(f), message(f)); err != nil {
				return err
			}
		}
		if more := len(of) - maxAnnotations; more > 0 {
			if _, err := fmt.Fprintf(a.Log, "%d more findings of the level %s have no annotation; the report has all\n", more,
				level.severity); err != nil {
				return fmt.Errorf("writing the log: %w", err)
			}
		}
	}
	return nil
}

func (a Actions) place(f hybridcore.Finding) githubactions.CommandProperties {
	properties := githubactions.CommandProperties{"title": ci.Shown("packer-hybrid: " + f.Kind + " " + f.Subject)}
	if f.File != "" {
		properties["file"] = ci.Shown(path.Join(a.Root, f.File))
		if f.Line > 0 {
			properties["line"] = strconv.Itoa(f.Line)
		}
		if f.Column > 0 {
			properties["col"] = strconv.Itoa(f.Column)
		}
	}
	return properties
}

// message is a finding's text for an annotation, without its place.
func message(f hybridcore.Finding) string {
	said := f.Message
	if f.Hint != "" {
		said += "\n" + f.Hint
	}
	return text.JobLog(strings.ToValidUTF8(said[:min(len(said), maxMessage)], ""))
}

// Foreign returns a writer for what a builder prints, in which the runner obeys
// nothing. Close ends it; until then no other command of this step works.
func (a Actions) Foreign() (io.WriteCloser, error) {
	token := a.random()
	if err := a.issue("stop-commands", nil, token); err != nil {
		return nil, err
	}
	return &foreign{Lines: ci.NewLines(a.Log), end: func() error { return a.issue(token, nil, "") }}, nil
}

// foreign is a stretch of the log between stop-commands and its token.
type foreign struct {
	*ci.Lines
	end func() error
}

func (f *foreign) Close() error { return errors.Join(f.Lines.Close(), f.end()) }

// issue writes one command, escaped by go-githubactions.
func (a Actions) issue(name string, properties githubactions.CommandProperties, text string) error {
	command := githubactions.Command{Name: name, Message: text, Properties: properties}
	if _, err := io.WriteString(a.Log, command.String()+"\n"); err != nil {
		return fmt.Errorf("writing a command of GitHub's runner: %w", err)
	}
	return nil
}

func (a Actions) random() string {
	if a.token != nil {
		return a.token()
	}
	return rand.Text()
}
