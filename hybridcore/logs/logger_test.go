// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:22:23Z
// Spec: openspec/specs/logs/spec.md#requirement-every-sink-is-behind-the-redactor
// Diagram: openspec/specs/logs/diagram.md#sinks

package logs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
)

// emit logs a record as a program does whose messages come from outside.
func emit(t *testing.T, log *slog.Logger, level slog.Level, message string, attrs ...slog.Attr) {
	t.Helper()
	r := slog.NewRecord(time.Now(), level, message, 0)
	r.AddAttrs(attrs...)
	if err := log.Handler().Handle(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestConsole(t *testing.T) {
	hostileKey := "a b" // a key of somebody else is quoted
	var out bytes.Buffer
	log, closeLog, err := New(Options{Console: &out, Level: slog.LevelDebug})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("built", "target", "debian-12@vsphere", "took", 1234567890*time.Nanosecond)
	log.Warn("disk nearly full", "free", "3 GB", "empty", "", "quote", `a"b`)
	emit(t, log.With("run", 7).WithGroup("vm"), slog.LevelError, "gone",
		slog.String("id", "vm-1"), slog.Group("net", slog.String("ip", "::1")), slog.Any("err", errors.New("x\ny")))
	emit(t, log, slog.LevelDebug, "two\nlines\n::error::forged", slog.Time("at", time.Unix(0, 0).UTC()), slog.Attr{})
	emit(t, log, slog.LevelInfo, "\x1b[31mred\x1b[0m", slog.String(hostileKey, "\x1b]0;t\a\u202e1"))
	if err := closeLog(); err != nil {
		t.Fatal(err)
	}
	want := `built target=debian-12@vsphere took=1.235s
warning: disk nearly full free="3 GB" empty="" quote="a\"b"
error: gone run=7 vm.id=vm-1 vm.net.ip=::1 vm.err="x\ny"
debug: two
  lines
  ::error::forged at=1970-01-01T00:00:00Z
red "a b"=1
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}

func TestColorOnlyWhenAsked(t *testing.T) {
	var out bytes.Buffer
	log, _, err := New(Options{Console: &out, Color: true})
	if err != nil {
		t.Fatal(err)
	}
	log.Error("x")
	log.Debug("hidden")
	if got, want := out.String(), "\x1b[31merror: \x1b[0mx\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestEverySinkRedacts(t *testing.T) {
	const value = `p@ss, w"o'r\d$x` + "`<&>%{}[]()!;|*?~#^=+/:"
	const lines = "first-secret-line\nsecond \"secret\" line\nthird,secret,line"
	r, _ := redact.New(redact.Secret{Name: "PW", Value: value}, redact.Secret{Name: "KEY", Value: lines})
	var console, stream bytes.Buffer
	file := filepath.Join(t.TempDir(), "logs", "run.json")
	log, closeLog, err := New(Options{Redactor: r, Console: &console, JSON: &stream, File: file})
	if err != nil {
		t.Fatal(err)
	}
	emit(t, log, slog.LevelInfo, "with "+value, slog.String("pw", value), slog.Any("err", fmt.Errorf("dial: %s", value)),
		slog.Any("list", []string{value}), slog.String("url", "https://u:"+value[:3]+"@h/"))
	emit(t, log.With("bound", value), slog.LevelError, lines,
		slog.Any("map", map[string]any{"k": lines}))
	if err := closeLog(); err != nil {
		t.Fatal(err)
	}
	stored, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"console": console.String(), "json": stream.String(),
		"file": string(stored),
	} {
		for _, leak := range []string{value[:8], `o'r`, "first-secret", "secret,line", "p@s"} {
			if strings.Contains(text, leak) {
				t.Errorf("%s: %q leaks: %s", name, leak, text)
			}
		}
		if strings.Count(text, "<sensitive:PW>") != 5 || strings.Count(text, "<sensitive:KEY>") < 2 {
			t.Errorf("%s: %s", name, text)
		}
	}
	for line := range strings.Lines(stream.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("not JSON: %s", line)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("file %v, %v", info.Mode(), err)
	}
}

func TestFileRotates(t *testing.T) {
	dir := t.TempDir()
	log, closeLog, err := New(Options{File: filepath.Join(dir, "run.json"), MaxSizeMB: 1, Backups: 2})
	if err != nil {
		t.Fatal(err)
	}
	filler := strings.Repeat("x", 200)
	for i := range 20_000 {
		log.Info("a line", "text", filler, "i", i)
	}
	if err := closeLog(); err != nil {
		t.Fatal(err)
	}
	var entries []os.DirEntry
	// old files go in the background
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if entries, err = os.ReadDir(dir); err != nil {
			t.Fatal(err)
		}
		if len(entries) == 3 {
			break
		}
	}
	if len(entries) != 3 {
		t.Fatalf("%d files, want the log and 2 backups", len(entries))
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.Size() > 1<<20 || info.Mode().Perm() != 0o600 || strings.Contains(e.Name(), ":") {
			t.Errorf("%s: %v bytes, %v, %v", e.Name(), info.Size(), info.Mode(), err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, o := range map[string]Options{
		"directory": {File: dir}, "below a file": {File: "/dev/null/x"},
		"negative": {File: filepath.Join(dir, "x"), Backups: -1},
	} {
		if _, _, err := New(o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	log, closeLog, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("nowhere")
	if err := closeLog(); err != nil {
		t.Error(err)
	}
}

var errFull = errors.New("no space left on device")

// full is a sink on a full disk.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestFailingSinksAreReportedAtClose(t *testing.T) {
	log, closeLog, err := New(Options{JSON: full{}})
	if err != nil {
		t.Fatal(err)
	}
	log.Info("lost")
	if err := closeLog(); !errors.Is(err, errFull) {
		t.Errorf("close = %v", err)
	}
}
