// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:35Z
// Spec: openspec/specs/logs/spec.md#requirement-every-sink-is-behind-the-redactor
// Diagram: openspec/specs/logs/diagram.md#sinks

package logs

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"

	lumberjack "gopkg.in/natefinch/lumberjack.v2"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Options says where a logger writes. Every sink is optional; with none the logger discards.
type Options struct {
	// Redactor stands in front of every sink. Without one only credentials of well-known shape are hidden.
	Redactor *redact.Redactor
	// Level is the least level that is written; slog.LevelInfo if nil. A *slog.LevelVar can change later.
	Level slog.Leveler
	// Console receives one short line a record, for people, of ConsoleLevel and above; Level if nil. Color adds terminal
	// colours to the level.
	Console      io.Writer
	ConsoleLevel slog.Leveler
	Color        bool
	// JSON receives one JSON object a line, for machines.
	JSON io.Writer
	// File is the path of a JSON log that is rotated when it would exceed MaxSizeMB mebibytes (10 if 0), keeping Backups
	// old
	// files (3 if 0) named after the UTC time of rotation. Its directory is created with mode 0700, files have 0600;
	// neither
	// it nor its directory may be a link or another user's.
	File      string
	MaxSizeMB int
	Backups   int
}

const (
	defaultSizeMB  = 10
	defaultBackups = 3
)

// New returns a logger for the options and a function that flushes and closes its sinks, not the writers given in the
// options. The function returns what the sinks failed with: logging itself never fails.
func New(o Options) (*slog.Logger, func() error, error) {
	if o.Redactor == nil {
		o.Redactor, _ = redact.New()
	}
	if o.Level == nil {
		o.Level = slog.LevelInfo
	}
	s := sinks{options: o}
	if o.Console != nil {
		level := o.Level
		if o.ConsoleLevel != nil {
			level = o.ConsoleLevel
		}
		s.handlers = append(s.handlers,
			&consoleHandler{sink: &consoleSink{w: s.redacted(o.Console)}, level: level, color: o.Color})
	}
	if o.JSON != nil {
		s.json(o.JSON)
	}
	if o.File != "" {
		if err := s.file(); err != nil {
			return nil, nil, err
		}
	}
	switch len(s.handlers) {
	case 0:
		return slog.New(slog.DiscardHandler), s.close, nil
	case 1:
		return slog.New(s.handlers[0]), s.close, nil
	}
	return slog.New(slog.NewMultiHandler(s.handlers...)), s.close, nil
}

// sinks collects what New opens.
type sinks struct {
	options  Options
	handlers []slog.Handler
	closers  []io.Closer // in the order in which they are closed
}

// redacted returns a redacting writer that close closes.
func (s *sinks) redacted(w io.Writer) io.Writer {
	rw := s.options.Redactor.Writer(w)
	s.closers = append(s.closers, rw)
	return rw
}

// json adds a JSON sink.
func (s *sinks) json(w io.Writer) {
	lines := s.options.Redactor.JSONLines(w)
	s.closers = append(s.closers, lines)
	s.handlers = append(s.handlers, slog.NewJSONHandler(lines, &slog.HandlerOptions{
		Level: s.options.Level, ReplaceAttr: sanitizeAttr,
	}))
}

// file adds the rotated file.
func (s *sinks) file() error {
	o := s.options
	if o.MaxSizeMB == 0 {
		o.MaxSizeMB = defaultSizeMB
	}
	if o.Backups == 0 {
		o.Backups = defaultBackups
	}
	if o.MaxSizeMB < 0 || o.Backups < 0 {
		return fmt.Errorf("opening log file %s: size %d MB and %d backups must not be negative", o.File, o.MaxSizeMB,
			o.Backups)
	}
	root, err := folder(filepath.Dir(o.File), ".")
	if err != nil {
		return err
	}
	// says now, not at the first record, that it is a link, a pipe or another user's
	probe, err := openLog(root, filepath.Base(o.File))
	if err == nil {
		err = probe.Close()
	}
	if err := errors.Join(err, root.Close()); err != nil {
		return fmt.Errorf("opening log file: %w", err)
	}
	rotated := &lumberjack.Logger{Filename: o.File, MaxSize: o.MaxSizeMB, MaxBackups: o.Backups}
	s.json(rotated)
	s.closers = append(s.closers, rotated)
	return nil
}

// close closes everything that was opened.
func (s *sinks) close() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c.Close())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// sanitizeAttr sanitises strings and errors in JSON, which leaves bidirectional and C1 controls as they are.
func sanitizeAttr(_ []string, a slog.Attr) slog.Attr {
	a.Key = text.Sanitize(a.Key)
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(text.Sanitize(a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(text.Sanitize(err.Error()))
		}
	}
	return a
}
