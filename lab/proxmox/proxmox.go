// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:28Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-api-as-recorded
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

// Package proxmox simulates the API of one Proxmox VE node: what Packer's Proxmox plugin and a client that
// cleans up after it need. Virtual machines run on a Hardware that the caller brings.
//
// The simulator answers as recorded builds of the real plugin show. There was no real Proxmox VE behind the
// recordings: the texts of errors and the types of tasks follow its documentation and source.
package proxmox

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// Limits of the server, so that a stuck client cannot hold it for good.
const (
	headerTimeout = 30 * time.Second
	closeGrace    = 2 * time.Second
)

// Config is how a simulator is to be.
type Config struct {
	Hardware    Hardware
	Credentials Credentials
	Dir         string      // the storages' files, made when missing
	TLS         *tls.Config // with the server's certificate
	// TaskWait is how long a call waits for the task that it started, so that a client that asks at once finds
	// it done. Zero answers at once, as Proxmox VE does.
	TaskWait time.Duration
	Log      func(format string, args ...any) // nil: discarded
}

// Server is a running simulator.
type Server struct {
	config   Config
	faults   fault.Injector
	listener net.Listener
	http     *http.Server
	proxy    *socks
	cancel   context.CancelFunc
	work     sync.WaitGroup // serving
	access   *access
	store    *store
	tasks    *tasks
}

// Start starts a simulator on a free port of 127.0.0.1, and its SOCKS proxy on another.
func Start(config Config) (*Server, error) {
	if config.Log == nil {
		config.Log = func(string, ...any) {}
	}
	s := &Server{
		config: config, access: &access{credentials: config.Credentials, tickets: make(map[string]string)},
		store: &store{isos: isoFolder(config.Dir), vms: make(map[int]*vm)},
		tasks: &tasks{user: config.Credentials.TokenID, wait: config.TaskWait, log: config.Log},
	}
	if err := s.store.isos.make(); err != nil {
		return nil, fmt.Errorf("starting Proxmox VE: %w", err)
	}
	plain, err := listen()
	if err != nil {
		return nil, err
	}
	proxy, err := listen()
	if err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	s.tasks.ctx, s.cancel = context.WithCancel(context.Background())
	s.listener = plain
	s.proxy = newSocks(proxy, s.store.guestAt)
	s.http = &http.Server{
		Handler:           s.faults.Handler(prefix, s.routes(), answerFault),
		ReadHeaderTimeout: headerTimeout,
		ErrorLog:          log.New(io.Discard, "", 0),                               // connections that clients break off
		TLSNextProto:      map[string]func(*http.Server, *tls.Conn, http.Handler){}, // HTTP/2 has no reason phrases
	}
	secure := config.TLS.Clone()
	secure.NextProtos = []string{"http/1.1"}
	s.work.Go(func() { _ = s.http.Serve(tls.NewListener(plain, secure)) }) // ends with Close
	s.work.Go(s.proxy.serve)
	return s, nil
}

// listen listens on a free port of 127.0.0.1.
func listen() (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp4", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("starting Proxmox VE: %w", err)
	}
	return listener, nil
}

// PutISO puts an image with some content into the directory storage.
func (s *Server) PutISO(name, content string) error { return s.store.isos.put(name, content) }

// URL is the address of the API, as the plugin's proxmox_url wants it.
func (s *Server) URL() string { return "https://" + s.listener.Addr().String() + prefix }

// ProxyAddr is the address of the SOCKS proxy that leads to guests, HOST:PORT.
func (s *Server) ProxyAddr() string { return s.proxy.listener.Addr().String() }

// Faults are the rules that calls pass. Paths in rules begin behind /api2/json.
func (s *Server) Faults() *fault.Injector { return &s.faults }

// Dir is the directory of a storage's files.
func (s *Server) Dir(storage string) string { return filepath.Join(s.config.Dir, storage) }

// Close ends the simulator: open calls, tasks and proxied connections. It does not touch the hardware.
func (s *Server) Close() {
	s.cancel()
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		_ = s.http.Close() // a client still sends: it will not get an answer
	}
	s.proxy.close()
	s.tasks.work.Wait()
	s.work.Wait()
}
