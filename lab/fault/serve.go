// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T07:35:24Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-injection
// Diagram: openspec/specs/lab-faults/diagram.md#path-of-a-call

package fault

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Bounds of a service.
const (
	headerTimeout = 10 * time.Second // in which a client sends a request's header
	closeGrace    = 2 * time.Second  // for calls that are under way at the end
)

// Service is a simulated API in plain HTTP on loopback, with faults in front of it.
type Service struct {
	name     string
	faults   Injector
	listener net.Listener
	http     *http.Server
}

// Serve serves an API on a free port of 127.0.0.1 until Close. The name is for errors, such as GitHub's API;
// prefix and answer are those of Injector.Handler.
func Serve(ctx context.Context, name, prefix string, next http.Handler, answer Answer) (*Service, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listening for %s: %w", name, err)
	}
	s := &Service{name: name, listener: listener}
	s.http = &http.Server{Handler: s.faults.Handler(prefix, next, answer), ReadHeaderTimeout: headerTimeout}
	go func() { _ = s.http.Serve(listener) }() // ends with Close
	return s, nil
}

// Address is where the service is reached: http and an address, without a slash at the end.
func (s *Service) Address() string { return "http://" + s.listener.Addr().String() }

// Faults are the rules by which the service fails.
func (s *Service) Faults() *Injector { return &s.faults }

// Close stops serving. Calls that wait are dropped.
func (s *Service) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		if err := s.http.Close(); err != nil {
			return fmt.Errorf("closing %s: %w", s.name, err)
		}
	}
	return nil
}
