// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:34:24Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-socket-mode
// Diagram: openspec/specs/lab-slack/diagram.md#a-connection

package slack_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// open is the address of a connection.
func (b *bed) open() string {
	b.t.Helper()
	_, answer := b.call("apps.connections.open", "token", "xapp-1")
	address, _ := answer["url"].(string)
	return address
}

// dial connects to an address; nil for a refusal with the status.
func (b *bed) dial(address string) (*websocket.Conn, int) {
	b.t.Helper()
	conn, answer, err := websocket.DefaultDialer.DialContext(b.t.Context(), address, nil)
	if answer == nil {
		b.t.Fatal(err)
	}
	_ = answer.Body.Close()
	if err != nil {
		return nil, answer.StatusCode
	}
	b.t.Cleanup(func() { _ = conn.Close() })
	return conn, answer.StatusCode
}

// read is the next message of a connection.
func (b *bed) read(conn *websocket.Conn) map[string]any {
	b.t.Helper()
	var message map[string]any
	if err := conn.ReadJSON(&message); err != nil {
		b.t.Fatal(err)
	}
	return message
}

// sendTo sends an envelope and has the connection get it; the result of its
// delivery comes later.
func (b *bed) sendTo(conn *websocket.Conn, e slack.Envelope) (id string, delivered <-chan error) {
	b.t.Helper()
	result := make(chan error, 1)
	go func() { result <- b.Deliver(b.t.Context(), e) }()
	message := b.read(conn)
	payload, _ := message["payload"].(map[string]any)
	if message["type"] != "slash_commands" || payload["text"] != "plan" || payload["command"] != "/packer-hybrid" {
		b.t.Errorf("the envelope is %v", message)
	}
	if e.Attempt > 0 && message["retry_attempt"] != float64(e.Attempt) {
		b.t.Errorf("the retry is %v", message)
	}
	id, _ = message["envelope_id"].(string)
	return id, result
}

// TestConnection opens connections as a client of Socket Mode does, and
// acknowledges.
func TestConnection(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	first := b.open()
	conn, _ := b.dial(first)
	if hello := b.read(conn); hello["type"] != "hello" || fmt.Sprint(hello["connection_info"]) != "map[app_id:A0LAB]" {
		t.Errorf("hello is %v", hello)
	}
	e := b.SlashEnvelope(slack.From{Channel: "C0001", User: "U0001"}, "plan")
	id, delivered := b.sendTo(conn, e)
	if err := conn.WriteJSON(map[string]any{"envelope_id": id}); err != nil {
		t.Fatal(err)
	}
	if err := <-delivered; err != nil {
		t.Error(err)
	}
	b.Disconnect("refresh_requested")
	if message := b.read(conn); message["type"] != "disconnect" || message["reason"] != "refresh_requested" {
		t.Errorf("the end is announced as %v", message)
	}
	next, _ := b.dial(b.open())
	b.read(next)
	e.Attempt++
	again, delivered := b.sendTo(next, e) // the first one is still open
	if again == id {
		t.Error("the retry has the ID of the first delivery")
	}
	_ = next.Close()
	if err := <-delivered; err == nil || !strings.Contains(err.Error(), "the connection is gone") {
		t.Errorf("without an acknowledgement: %v", err)
	}
	if v := b.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
	for _, address := range []string{first, strings.Replace(first, "ticket=", "ticket=9", 1)} {
		if _, status := b.dial(address); status != http.StatusForbidden {
			t.Errorf("the ticket of %s is taken: %d", address, status)
		}
	}
	late := b.open()
	b.ahead.Store(int64(time.Minute))
	if _, status := b.dial(late); status != http.StatusForbidden || len(b.Violations()) != 3 {
		t.Errorf("a ticket of a minute ago: %d, violations %q", status, b.Violations())
	}
}

// TestAcknowledgements writes what is none.
func TestAcknowledgements(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	conn, _ := b.dial(b.open())
	b.read(conn)
	id, delivered := b.sendTo(conn, b.SlashEnvelope(slack.From{Channel: "C0001", User: "U0001"}, "plan"))
	for _, text := range []string{
		`{"envelope_id":"x"}`, `{"envelope_id":"` + id + `","ok":true}`, `ok`,
		`{"envelope_id":"` + id + `","payload":{"text":"` + strings.Repeat("x", 20<<10) + `"}}`,
		`{"envelope_id":"` + id + `"}`, `{"envelope_id":"` + id + `"}`,
	} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := <-delivered; err != nil {
		t.Error(err)
	}
	_, delivered = b.sendTo(conn, b.SlashEnvelope(slack.From{Channel: "C0001", User: "U0001"}, "plan"))
	_ = conn.Close()
	if err := <-delivered; err == nil { // everything before was read
		t.Error("it is taken for acknowledged")
	}
	all := strings.Join(b.Violations(), "\n")
	for _, want := range []string{
		"an acknowledgement of nothing", `unknown field "ok"`, "no acknowledgement: invalid",
		"an acknowledgement of 2", "a second acknowledgement",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("the violations lack %q:\n%s", want, all)
		}
	}
}
