// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:35Z
// Spec: openspec/specs/logs/spec.md#requirement-every-sink-is-behind-the-redactor
// Diagram: openspec/specs/logs/diagram.md#sinks

package logs

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// consoleHandler writes records for people: the level unless it is info, the message, then key=value. There is no time,
// since people read along and CI adds its own. Every byte that others wrote is sanitised or quoted.
type consoleHandler struct {
	sink   *consoleSink
	level  slog.Leveler
	color  bool
	prefix string // of keys: the open groups, each with a dot
	attrs  string // rendered by WithAttrs, with a leading space
}

// consoleSink keeps the lines of concurrent records apart.
type consoleSink struct {
	mu sync.Mutex
	w  io.Writer
}

// Enabled reports whether records of a level are written.
func (h *consoleHandler) Enabled(_ context.Context, level slog.Level) bool {
	return level >= h.level.Level()
}

// Handle writes a record as one line; further lines of a message are indented.
func (h *consoleHandler) Handle(_ context.Context, r slog.Record) error {
	var b strings.Builder
	b.WriteString(h.word(r.Level))
	b.WriteString(strings.ReplaceAll(strings.TrimRight(text.Sanitize(r.Message), "\n"), "\n", "\n  "))
	b.WriteString(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		writeAttr(&b, h.prefix, a)
		return true
	})
	b.WriteByte('\n')
	h.sink.mu.Lock()
	defer h.sink.mu.Unlock()
	if _, err := io.WriteString(h.sink.w, b.String()); err != nil {
		return fmt.Errorf("writing to console: %w", err)
	}
	return nil
}

// WithAttrs returns a handler that adds the attributes to each record.
func (h *consoleHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	var b strings.Builder
	for _, a := range attrs {
		writeAttr(&b, h.prefix, a)
	}
	next := *h
	next.attrs += b.String()
	return &next
}

// WithGroup returns a handler that puts the group's name before the keys that follow.
func (h *consoleHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.prefix += quote(name) + "."
	return &next
}

// word returns the level in front of the message, empty for info.
func (h *consoleHandler) word(level slog.Level) string {
	word, color := "", ""
	switch {
	case level >= slog.LevelError:
		word, color = "error: ", "\x1b[31m"
	case level >= slog.LevelWarn:
		word, color = "warning: ", "\x1b[33m"
	case level < slog.LevelInfo:
		word, color = "debug: ", "\x1b[2m"
	}
	if word == "" || !h.color {
		return word
	}
	return color + word + "\x1b[0m"
}

// writeAttr appends " key=value", of a group one for each member, and of an empty attribute nothing.
func writeAttr(b *strings.Builder, prefix string, a slog.Attr) {
	a.Value = a.Value.Resolve()
	switch {
	case a.Equal(slog.Attr{}):
	case a.Value.Kind() == slog.KindGroup:
		if a.Key != "" {
			prefix += quote(a.Key) + "."
		}
		for _, member := range a.Value.Group() {
			writeAttr(b, prefix, member)
		}
	default:
		b.WriteByte(' ')
		b.WriteString(prefix)
		b.WriteString(quote(a.Key))
		b.WriteByte('=')
		b.WriteString(quoteValue(a.Value))
	}
}

// quoteValue returns a value as text: times in RFC 3339, durations rounded to milliseconds above one second.
func quoteValue(v slog.Value) string {
	switch v.Kind() {
	case slog.KindTime:
		return v.Time().Format(time.RFC3339)
	case slog.KindDuration:
		d := v.Duration()
		if d > time.Second {
			d = d.Round(time.Millisecond)
		}
		return d.String()
	}
	return quote(v.String())
}

// quote sanitises a text and quotes it when it is empty or has blanks, quotes, an equal sign or line ends.
func quote(s string) string {
	s = text.Sanitize(s)
	if s == "" || strings.ContainsAny(s, " \t\n\"=\\") {
		return strconv.Quote(s)
	}
	return s
}
