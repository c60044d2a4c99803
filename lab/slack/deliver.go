// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:15:40Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-socket-mode
// Diagram: openspec/specs/lab-slack/diagram.md#a-connection

package slack

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// Deliver sends an envelope over Socket Mode and waits for its acknowledgement,
// for three seconds or until the connection ends; it waits for a connection first.
// Slack sends an envelope again with the next attempt, or now and then as it was.
func (s *Server) Deliver(ctx context.Context, envelope Envelope) error {
	var over *socket
	err := s.Wait(ctx, func([]Message, []View) bool {
		at := slices.IndexFunc(s.sockets.open, func(c *socket) bool { return !c.leaving })
		if at >= 0 {
			over = s.sockets.open[at]
		}
		return at >= 0
	})
	if err != nil {
		return fmt.Errorf("waiting for a connection: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, ackWait)
	defer cancel()
	e := &sent{over: over, ended: make(chan struct{})}
	id := fmt.Sprintf("%s-%d", envelope.ID, envelope.Attempt)
	s.space.mu.Lock()
	s.sockets.envelopes[id] = e
	if slices.Contains(s.sockets.open, over) {
		err = over.write(envelope.text(id))
	} else {
		err = errGone
	}
	s.space.mu.Unlock()
	if err != nil {
		return fmt.Errorf("sending an envelope: %w", err)
	}
	select {
	case <-e.ended:
		s.space.mu.Lock()
		defer s.space.mu.Unlock()
		if !e.acked {
			return fmt.Errorf("waiting for the acknowledgement of an envelope: %w", errGone)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for the acknowledgement of an envelope: %w", ctx.Err())
	}
}

// Disconnect announces the end of the connections, as Slack does from time to
// time, and ends them a little later. A reason of Slack's is warning,
// refresh_requested, or link_disabled.
func (s *Server) Disconnect(reason string) {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	for _, one := range s.sockets.open {
		one.leaving = true
		// it may be gone
		_ = one.write(encode(map[string]any{
			"type": "disconnect", "reason": reason,
			"debug_info": map[string]any{"host": "applink-lab"},
		}))
		time.AfterFunc(leaveWait, func() { _ = one.conn.Close() })
	}
}
