// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:07:13Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Serve answers at one end of a stream, until the other one is closed.
func Serve(stream net.Conn, b state.Backend) error {
	over := make(chan struct{})
	var once sync.Once
	server := &http.Server{
		Protocols: protocols(), Handler: served{b}, ReadHeaderTimeout: time.Minute,
		ConnState: func(_ net.Conn, s http.ConnState) {
			if s == http.StateClosed {
				once.Do(func() { close(over) })
			}
		},
	}
	l := &single{stream: stream, over: over}
	if err := server.Serve(l); !errors.Is(err, io.EOF) {
		return fmt.Errorf("serving: %w", err)
	}
	return nil
}

// single is a listener of one connection, which ends with it.
type single struct {
	stream net.Conn
	over   chan struct{}
}

// Accept implements net.Listener.
func (l *single) Accept() (net.Conn, error) {
	if stream := l.stream; stream != nil {
		l.stream = nil
		return stream, nil
	}
	<-l.over
	return nil, io.EOF
}

// Close implements net.Listener.
func (l *single) Close() error { return nil }

// Addr implements net.Listener.
func (l *single) Addr() net.Addr { return &net.UnixAddr{Name: Name, Net: "unix"} }

// Dated is a backend that knows when something was stored, by a clock of its own.
type Dated interface {
	// Newest is when the newest lease was stored; the zero value when there is none.
	Newest(ctx context.Context) (time.Time, error)
}

// served hands requests to a backend.
type served struct{ b state.Backend }

// ServeHTTP implements http.Handler.
func (s served) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(formHeader) != form {
		refuse(w, older, "")
		return
	}
	data, err := s.answer(r)
	if err != nil {
		refuse(w, kind(err), err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(data) //nolint:gosec // no browser reads it; who asked may have gone
}

func refuse(w http.ResponseWriter, kind, text string) {
	w.Header().Set(kindHeader, kind)
	_, _ = io.WriteString(w, text[:min(len(text), maxSaid)]) //nolint:gosec // no browser reads it; who asked may have gone
}

func (s served) answer(r *http.Request) ([]byte, error) {
	ctx, name := r.Context(), r.URL.Query().Get("name")
	switch {
	case r.Method == newest:
		dated, is := s.b.(Dated)
		if !is {
			return []byte(time.Time{}.Format(time.RFC3339Nano)), nil
		}
		at, err := dated.Newest(ctx)
		if err != nil {
			return nil, err
		}
		return []byte(at.UTC().Format(time.RFC3339Nano)), nil
	case r.Method == http.MethodGet && (name == "" || strings.HasSuffix(name, "/")):
		var names []byte
		for name, err := range s.b.List(ctx, name) {
			if err != nil {
				return nil, err
			}
			names = append(append(names, name...), '\n')
		}
		return names, nil
	case r.Method == http.MethodGet:
		return s.b.Get(ctx, name)
	case r.Method == http.MethodPut:
		data, err := io.ReadAll(io.LimitReader(r.Body, state.MaxObject+1))
		if err != nil {
			return nil, fmt.Errorf("reading what is to be stored: %w", err)
		}
		return nil, s.b.Put(ctx, name, data)
	case r.Method == http.MethodDelete:
		return nil, s.b.Delete(ctx, name)
	}
	return nil, fmt.Errorf("nothing is known of the call %.20q", r.Method)
}
