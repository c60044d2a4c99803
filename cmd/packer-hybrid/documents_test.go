// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:54:00Z
// Spec: openspec/specs/logs/spec.md#requirement-documents-stay-documents
// Diagram: openspec/specs/logs/diagram.md#documents

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/formats"
	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// readable says why a document cannot be read.
func readable(name string, text []byte) error {
	if filepath.Ext(name) != ".xml" {
		for line := range bytes.Lines(text) {
			if strings.HasSuffix(name, ".jsonl") && !json.Valid(line) {
				return fmt.Errorf("no JSON: %s", line)
			}
		}
		if !strings.HasSuffix(name, ".jsonl") && !json.Valid(text) {
			return errors.New("no JSON")
		}
		return nil
	}
	for decoder := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// TestDocumentsCanBeRead writes each document while a secret has a value that means
// something in it, and stands in it as a number, as a text and in a text.
func TestDocumentsCanBeRead(t *testing.T) {
	t.Parallel()
	for _, secret := range []string{
		"1", "true", "null", "{", `"`, `\`, "id", "12345678", "truetrue", "nullnull", "{{{{{{{{", `""""""""`, `\\\\\\\\`,
		"idididid", "duration_ns", "testsuite",
		`": 12345678`, "345678", "<failure", "format_version", "nabcdefg", "1234567",
	} {
		t.Run(secret, func(t *testing.T) {
			t.Parallel()
			var out, errs bytes.Buffer
			a := &app{Frame: cli.Frame{Raw: cli.Streams{Out: &out, Err: &errs}}, dir: t.TempDir()}
			a.Redactor, _ = redact.New(redact.Secret{Name: "PASSWORD", Value: secret})
			report := filled(secret)
			report.Record.Duration, report.Record.Results[0].Duration = 12345678, 12345678*time.Second
			found := []hybridcore.Finding{{
				Kind: "x", Message: "of " + secret + "\nabcdefg", File: "a/" + secret, Line: 12345678,
				Severity: hybridcore.Error,
			}}
			answer := hybridcore.Answer{Plan: &report.Plan, Record: report.Record, Findings: found}
			files := map[string]func(io.Writer) error{
				"answer.json":                 func(w io.Writer) error { return checks.WriteJSON(w, answer) },
				"findings.sarif":              func(w io.Writer) error { return formats.WriteSARIF(w, "", found, "1.2.3") },
				"gl-code-quality-report.json": func(w io.Writer) error { return formats.WriteCodeQuality(w, "", found) },
				"junit.xml": func(w io.Writer) error {
					return formats.WriteJUnit(w, *report.Record,
						formats.Validation(report.Plan))
				},
				"held/reports.json": func(w io.Writer) error {
					return post.WriteHeld(w, []post.Held{post.Hold(report, "report", time.Now())})
				},
			}
			texts := map[string][]byte{}
			for name, render := range files {
				if err := a.process().Artifact(a.dir, name, render); err != nil {
					t.Fatal(err)
				}
				text, err := os.ReadFile(filepath.Join(a.dir, process.ArtifactsDir, name))
				if err != nil {
					t.Fatal(err)
				}
				texts[name] = text
			}
			a.Output = "json"
			if err := a.JSON(func(w io.Writer) error { return checks.WriteJSON(w, answer) }); err != nil {
				t.Fatal(err)
			}
			texts["stdout.json"] = out.Bytes()
			texts["outbox.jsonl"] = outboxOf(t, a, secret)
			for name, text := range texts {
				if err := readable(name, text); err != nil {
					t.Errorf("%s: %v\n%s", name, err, text)
				}
				if len(secret) >= redact.MinSecret && !bytes.Contains(text, []byte("sensitive:PASSWORD")) {
					t.Errorf("%s has no mark\n%s", name, text)
				}
			}
			if clean, err := a.process().Redacted(hybridcore.Answer{Record: report.Record}); err == nil &&
				clean.Record.Duration != 12345678 && secret != "duration_ns" {
				t.Errorf("the answer has %s", clean.Record.Duration)
			}
		})
	}
}

// outboxOf is what a run keeps of its reports.
func outboxOf(t *testing.T, a *app, secret string) []byte {
	t.Helper()
	address := post.Address{
		Repository: "o/r", Commit: strings.Repeat("1", 40), Change: 7, Run: "r", Number: 12345678,
		Attempt: 1, Slot: "report",
	}
	dir := filepath.Join(t.TempDir(), "r")
	p, err := post.New(dir, address, post.Access{System: github.System(), API: "http://127.0.0.1:1", Token: "x"},
		post.WithRedaction(a.Redactor.String))
	if err != nil {
		t.Fatal(err)
	}
	p.Check(report.Check{
		Key: "x", Name: "x", Status: report.CheckRunning, Title: secret, Summary: "of " + secret,
		Annotations: []report.Annotation{{Line: 12345678, Message: secret}},
	})
	p.Comment(secret, true)
	p.Close(t.Context(), time.Nanosecond)
	text, err := os.ReadFile(filepath.Join(dir, "github"+post.FileName))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestOutputCanBeRead prints documents while a secret is a word of them.
func TestOutputCanBeRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if code := run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: t.Output(), Err: t.Output()},
		[]string{"init", dir}, nil); code != 0 {
		t.Fatalf("init: exit code %d", code)
	}
	for _, args := range [][]string{
		{"version"},
		{"status"},
		{"explain", "nothing"},
		{"fmt", "--check"},
		{"inspect", "no-run"},
		{"sources", "status"},
	} {
		for _, secret := range []string{
			"12345678", "format_version", "status", "packer-hybrid", "version", `": 1,`, "0.0000",
			"targets",
		} {
			var out, errs bytes.Buffer
			run(t.Context(), cli.Streams{In: strings.NewReader(""), Out: &out, Err: &errs},
				append(args, "--output", "json", "-C", dir), []string{
					"PATH=" + os.Getenv("PATH"), "SOME_PASSWORD=" + secret, "PACKER_HYBRID_CACHE=" + t.TempDir(),
				})
			if !json.Valid(out.Bytes()) {
				t.Errorf("%q with %q: %s%s", args, secret, out.String(), errs.String())
			}
		}
	}
}
