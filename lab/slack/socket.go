// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:32:15Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-socket-mode
// Diagram: openspec/specs/lab-slack/diagram.md#a-connection

package slack

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/gorilla/websocket"
)

// Limits of Socket Mode.
const (
	maxSockets = 10
	ticketLife = 30 * time.Second
	pingEvery  = 5 * time.Second
	pongWait   = 3 * pingEvery
	leaveWait  = 2 * time.Second // from the announcement of an end to the end
	maxAck     = 20 << 10        // bytes; Slack drops longer ones silently

	appID = "A0LAB"
)

// errGone says that a connection ended before an acknowledgement came.
var errGone = errors.New("the connection is gone")

// Envelope is what Slack sends over Socket Mode.
type Envelope struct {
	ID      string // of all its deliveries; envelope_id has the attempt too
	Kind    string // slash_commands or interactive
	Payload map[string]any
	Attempt int // number of the retry; 0: the first delivery
}

// SlashEnvelope is a slash command for Deliver.
func (s *Server) SlashEnvelope(f From, text string) Envelope {
	payload := map[string]any{}
	for key, value := range s.slash(f, text) {
		payload[key] = value
	}
	return Envelope{ID: rand.Text(), Kind: "slash_commands", Payload: payload}
}

// PressEnvelope is a pressed button for Deliver.
func (s *Server) PressEnvelope(f From, actionID, value string) Envelope {
	return Envelope{ID: rand.Text(), Kind: "interactive", Payload: s.press(f, actionID, value)}
}

// text is an envelope as JSON. The order of a payload's keys means nothing, so
// that each other attempt has the opposite one.
func (e Envelope) text(id string) []byte {
	keys := slices.Sorted(maps.Keys(e.Payload))
	if e.Attempt%2 == 1 {
		slices.Reverse(keys)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"envelope_id":%q,"type":%q,"accepts_response_payload":true`, id, e.Kind)
	if e.Attempt > 0 {
		fmt.Fprintf(&b, `,"retry_attempt":%d,"retry_reason":"timeout"`, e.Attempt)
	}
	b.WriteString(`,"payload":{`)
	for i, key := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%s:%s", encode(key), encode(e.Payload[key]))
	}
	b.WriteString("}}")
	return b.Bytes()
}

// sent is an envelope on its way.
type sent struct {
	over  *socket
	acked bool
	ended chan struct{} // closed with its acknowledgement, or with its connection
}

// end has whoever waits go on. The caller holds the server's lock.
func (e *sent) end() {
	select {
	case <-e.ended:
	default:
		close(e.ended)
	}
}

// socket is one connection of Socket Mode.
type socket struct {
	conn    *websocket.Conn
	leaving bool // its end was announced: it gets no more envelopes
}

// write sends a message. The caller holds the server's lock, so that there is
// one writer.
func (c *socket) write(message []byte) error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(ackWait))       // a client that reads nothing must not hold the lock
	return c.conn.WriteMessage(websocket.TextMessage, message) //nolint:wrapcheck // told where it is asked for
}

// link serves a connection of Socket Mode.
func (s *Server) link(w http.ResponseWriter, r *http.Request) {
	if problem := s.admit(r.URL.Query().Get("ticket")); problem != "" {
		s.violate("socket: %s", problem)
		http.Error(w, problem, http.StatusForbidden)
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		s.violate("socket: %v", err)
		return
	}
	one := &socket{conn: conn}
	conn.SetReadLimit(maxBody)
	awake := func(string) error { return conn.SetReadDeadline(time.Now().Add(pongWait)) }
	_ = awake("")
	conn.SetPongHandler(awake)
	s.greet(one)
	closed := make(chan struct{})
	go func() {
		tick := time.NewTicker(pingEvery)
		defer tick.Stop()
		for conn.WriteControl(websocket.PingMessage, []byte("ping"), time.Now().Add(ackWait)) == nil {
			select {
			case <-tick.C:
			case <-closed:
				return
			}
		}
	}()
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			break
		}
		s.acknowledged(text)
	}
	close(closed)
	s.gone(one)
}

// admit takes a ticket, once, and says what is wrong with it.
func (s *Server) admit(ticket string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	since, known := s.tickets[ticket]
	switch {
	case !known:
		return "a ticket that was not given"
	case since.IsZero():
		return "a ticket that was used"
	case s.config.Now().Sub(since) > ticketLife:
		return "a ticket that is too old"
	case len(s.sockets) >= maxSockets:
		return "more than 10 connections"
	}
	s.tickets[ticket] = time.Time{}
	return ""
}

// greet says hello; from then on the connection gets envelopes.
func (s *Server) greet(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sockets = append(s.sockets, one)
	s.came()
	_ = one.write(encode(map[string]any{ // a client that has gone is seen where it is read from
		"type": "hello", "num_connections": len(s.sockets), "connection_info": map[string]any{"app_id": appID},
		"debug_info": map[string]any{
			"host": "applink-lab", "started": "2026-11-23 05:22:04.000", "build_number": 1,
			"approximate_connection_time": 18060,
		},
	}))
}

// gone forgets a connection, and lets go of what it has not acknowledged.
func (s *Server) gone(one *socket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = one.conn.Close()
	s.sockets = slices.DeleteFunc(s.sockets, func(other *socket) bool { return other == one })
	for _, e := range s.envelopes {
		if e.over == one {
			e.end()
		}
	}
	s.came()
}

// acknowledged takes what a client wrote: an acknowledgement of an envelope,
// once each. It may come over another connection than the envelope went.
func (s *Server) acknowledged(text []byte) {
	var ack struct {
		Envelope string         `json:"envelope_id"`
		Payload  map[string]any `json:"payload"`
	}
	from := json.NewDecoder(bytes.NewReader(text))
	from.DisallowUnknownFields()
	err := from.Decode(&ack)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.envelopes[ack.Envelope]
	switch {
	case err != nil:
		s.violations = append(s.violations, fmt.Sprintf("socket: no acknowledgement: %v: %.200q", err, text))
	case len(text) > maxAck:
		s.violations = append(s.violations, fmt.Sprintf("socket: an acknowledgement of %d bytes", len(text)))
	case e == nil:
		s.violations = append(s.violations, fmt.Sprintf("socket: an acknowledgement of nothing: %.80q", ack.Envelope))
	case e.acked:
		s.violations = append(s.violations, "socket: a second acknowledgement of "+ack.Envelope)
	default:
		e.acked = true
		e.end()
	}
}

// Deliver sends an envelope over Socket Mode and waits for its acknowledgement,
// for three seconds or until the connection ends; it waits for a connection first.
// Slack sends an envelope again with the next attempt, or now and then as it was.
func (s *Server) Deliver(ctx context.Context, envelope Envelope) error {
	var over *socket
	err := s.Wait(ctx, func([]Message, []View) bool {
		at := slices.IndexFunc(s.sockets, func(c *socket) bool { return !c.leaving })
		if at >= 0 {
			over = s.sockets[at]
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
	s.mu.Lock()
	s.envelopes[id] = e
	if slices.Contains(s.sockets, over) {
		err = over.write(envelope.text(id))
	} else {
		err = errGone
	}
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("sending an envelope: %w", err)
	}
	select {
	case <-e.ended:
		s.mu.Lock()
		defer s.mu.Unlock()
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
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.sockets {
		one.leaving = true
		// it may be gone
		_ = one.write(encode(map[string]any{
			"type": "disconnect", "reason": reason,
			"debug_info": map[string]any{"host": "applink-lab"},
		}))
		time.AfterFunc(leaveWait, func() { _ = one.conn.Close() })
	}
}
