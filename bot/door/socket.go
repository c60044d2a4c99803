// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:09:13Z
// Spec: openspec/specs/bot/spec.md#requirement-two-doors
// Diagram: openspec/specs/bot/diagram.md#one-command

package door

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"sync"
	"sync/atomic"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Limits of Socket Mode.
const (
	maxEnvelope  = 1 << 20                 // of a message, in bytes
	atOnce       = 64                      // messages that are being stored
	reconnecting = 10 * time.Second        // after Slack refused to open a connection
	acking       = 200 * time.Millisecond  // for the last acknowledgements to be written
	answering    = 2500 * time.Millisecond // of one acknowledgement: Slack waits for three seconds
)

// Socket is the door that asks Slack for a connection instead of being called.
type Socket struct {
	Door

	API *slack.Client // with an app-level token

	connected atomic.Bool
}

// Connected says whether Slack has a connection to send commands over.
func (s *Socket) Connected() bool { return s.connected.Load() }

// Serve takes commands until the context ends, then finishes those that it
// has. A lost connection is opened again.
func (s *Socket) Serve(ctx context.Context) {
	for ctx.Err() == nil {
		err := s.connection(ctx)
		s.connected.Store(false)
		if ctx.Err() != nil {
			return
		}
		s.Log.Error("Slack refuses a connection", "door", "socket", "error", err, "again_in", reconnecting.String())
		select {
		case <-time.After(reconnecting):
		case <-ctx.Done():
		}
	}
}

// connection serves one client, which reconnects by itself as far as it can.
func (s *Socket) connection(ctx context.Context) error {
	client := socketmode.New(s.API, socketmode.OptionReadLimit(maxEnvelope),
		socketmode.OptionLog(log.New(logWriter{s}, "", 0)))
	connected, leave := context.WithCancel(context.WithoutCancel(ctx))
	defer leave()
	ended := make(chan error, 1)
	go func() { ended <- client.RunContext(connected) }()
	slots := make(chan struct{}, atOnce)
	var busy sync.WaitGroup
	defer busy.Wait()
	for {
		select {
		case <-ctx.Done(): // what is stored is acknowledged; what was not begun Slack sends again
			busy.Wait()
			select {
			case <-time.After(acking): // the client does not say when it has written one
				return nil
			case err := <-ended:
				return err
			}
		case event := <-client.Events:
			slots <- struct{}{}
			busy.Go(func() {
				defer func() { <-slots }()
				err := hybridcore.Contain(func() error { s.event(ctx, client, event); return nil })
				if panicked, ok := errors.AsType[*hybridcore.PanicError](err); ok {
					s.Log.Error("a message of Slack was not taken", "door", "socket", "error", err, "stack", panicked.Stack)
				}
			})
		case err := <-ended:
			if err == nil {
				err = errors.New("the connection ended")
			}
			return fmt.Errorf("serving Socket Mode: %w", err)
		}
	}
}

// event does what one event of the client asks for.
func (s *Socket) event(ctx context.Context, client *socketmode.Client, event socketmode.Event) {
	switch event.Type { //nolint:exhaustive // the others tell what the client does by itself
	case socketmode.EventTypeHello:
		s.connected.Store(true)
	case socketmode.EventTypeConnecting, socketmode.EventTypeDisconnect:
		s.connected.Store(false)
	case socketmode.EventTypeConnectionError:
		s.connected.Store(false)
		if failed, ok := event.Data.(*slack.ConnectionErrorEvent); ok {
			s.Log.Warn("no connection to Slack", "door", "socket", "error", failed.ErrorObj, "again_in", failed.Backoff.String())
		}
	case socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive:
		start := time.Now()
		outcome := s.request(ctx, event)
		s.Observe("socket", outcome, time.Since(start))
		if outcome == Failed || event.Request == nil {
			return // without an acknowledgement Slack tells the user
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answering) // without a connection nobody takes it
		defer cancel()
		if err := client.AckCtx(ctx, event.Request.EnvelopeID, nil); err != nil {
			s.Log.Error("command not acknowledged", "door", "socket", "error", err)
		}
	case socketmode.EventTypeEventsAPI:
		if event.Request != nil { // the app subscribes to none
			_ = client.AckCtx(ctx, event.Request.EnvelopeID, nil)
		}
	}
}

// request has the command of an envelope stored. The connection was opened
// with our token, so what comes over it is Slack's.
func (s *Socket) request(ctx context.Context, event socketmode.Event) string {
	if event.Request == nil {
		return Refused
	}
	command, err := Command{}, errNothing
	switch data := event.Data.(type) {
	case slack.SlashCommand:
		command, err = slash(data)
	case slack.InteractionCallback:
		command, err = interactive(event.Request.Payload)
	}
	switch {
	case errors.Is(err, errNothing):
		return Ignored
	case err != nil:
		s.Log.Info("decision", "at", "door", "door", "socket", "allow", false, "rule", "payload", "why", err.Error())
		return Refused
	}
	return s.take(context.WithoutCancel(ctx), "socket", sha256.Sum256(canonical(event.Request.Payload)), command)
}

// canonical is a payload in the one form that all its deliveries have: Slack
// may write the same one in another way when it sends it again.
func canonical(payload json.RawMessage) []byte {
	var value any
	from := json.NewDecoder(bytes.NewReader(payload))
	from.UseNumber()
	if from.Decode(&value) != nil {
		return payload // it is not reached: the payload was read before
	}
	text, err := json.Marshal(value)
	if err != nil {
		return payload
	}
	return text
}

// logWriter has the client's own lines in our log.
type logWriter struct{ socket *Socket }

// Write implements io.Writer.
func (w logWriter) Write(line []byte) (int, error) {
	w.socket.Log.Debug("socket mode", "line", string(line))
	return len(line), nil
}
