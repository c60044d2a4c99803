// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:32:15Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-socket-mode
// Diagram: openspec/specs/lab-slack/diagram.md#a-connection

package slack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
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

// socketMode is the connections and what was sent over them.
type socketMode struct {
	space     *workspace
	tickets   map[string]time.Time // of addresses; zero: used
	open      []*socket
	envelopes map[string]*sent
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

// ServeHTTP serves a connection of Socket Mode.
func (m *socketMode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if problem := m.admit(r.URL.Query().Get("ticket")); problem != "" {
		m.space.violate("socket: %s", problem)
		http.Error(w, problem, http.StatusForbidden)
		return
	}
	upgrader := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		m.space.violate("socket: %v", err)
		return
	}
	one := &socket{conn: conn}
	conn.SetReadLimit(maxBody)
	awake := func(string) error { return conn.SetReadDeadline(time.Now().Add(pongWait)) }
	_ = awake("")
	conn.SetPongHandler(awake)
	m.greet(one)
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
		m.acknowledged(text)
	}
	close(closed)
	m.gone(one)
}

// admit takes a ticket, once, and says what is wrong with it.
func (m *socketMode) admit(ticket string) string {
	m.space.mu.Lock()
	defer m.space.mu.Unlock()
	since, known := m.tickets[ticket]
	switch {
	case !known:
		return "a ticket that was not given"
	case since.IsZero():
		return "a ticket that was used"
	case m.space.config.Now().Sub(since) > ticketLife:
		return "a ticket that is too old"
	case len(m.open) >= maxSockets:
		return "more than 10 connections"
	}
	m.tickets[ticket] = time.Time{}
	return ""
}

// greet says hello; from then on the connection gets envelopes.
func (m *socketMode) greet(one *socket) {
	m.space.mu.Lock()
	defer m.space.mu.Unlock()
	m.open = append(m.open, one)
	m.space.came()
	_ = one.write(encode(map[string]any{ // a client that has gone is seen where it is read from
		"type": "hello", "num_connections": len(m.open), "connection_info": map[string]any{"app_id": appID},
		"debug_info": map[string]any{
			"host": "applink-lab", "started": "2026-11-23 05:22:04.000", "build_number": 1,
			"approximate_connection_time": 18060,
		},
	}))
}

// gone forgets a connection, and lets go of what it has not acknowledged.
func (m *socketMode) gone(one *socket) {
	m.space.mu.Lock()
	defer m.space.mu.Unlock()
	_ = one.conn.Close()
	m.open = slices.DeleteFunc(m.open, func(other *socket) bool { return other == one })
	for _, e := range m.envelopes {
		if e.over == one {
			e.end()
		}
	}
	m.space.came()
}

// acknowledged takes what a client wrote: an acknowledgement of an envelope,
// once each. It may come over another connection than the envelope went.
func (m *socketMode) acknowledged(text []byte) {
	var ack struct {
		Envelope string         `json:"envelope_id"`
		Payload  map[string]any `json:"payload"`
	}
	from := json.NewDecoder(bytes.NewReader(text))
	from.DisallowUnknownFields()
	err := from.Decode(&ack)
	m.space.mu.Lock()
	defer m.space.mu.Unlock()
	e := m.envelopes[ack.Envelope]
	switch {
	case err != nil:
		m.space.violations = append(m.space.violations, fmt.Sprintf("socket: no acknowledgement: %v: %.200q", err, text))
	case len(text) > maxAck:
		m.space.violations = append(m.space.violations, fmt.Sprintf("socket: an acknowledgement of %d bytes", len(text)))
	case e == nil:
		m.space.violations = append(m.space.violations, fmt.Sprintf("socket: an acknowledgement of nothing: %.80q",
			ack.Envelope))
	case e.acked:
		m.space.violations = append(m.space.violations, "socket: a second acknowledgement of "+ack.Envelope)
	default:
		e.acked = true
		e.end()
	}
}

// address gives the address of a new connection. The caller holds the lock.
func (m *socketMode) address() string {
	ticket := m.space.next()
	m.tickets[ticket] = m.space.config.Now()
	return "ws" + strings.TrimPrefix(m.space.url, "http") + "/link/?ticket=" + ticket + "&app_id=" + appID
}
