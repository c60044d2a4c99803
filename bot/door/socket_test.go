// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T08:33:45Z
// Spec: openspec/specs/bot/spec.md#requirement-once
// Diagram: openspec/specs/bot/diagram.md#one-command

package door_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	api "github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/lab/slack"
)

// TestSocketStops ends the door while a command is being stored: it is
// acknowledged all the same.
func TestSocketStops(t *testing.T) {
	t.Parallel()
	sim, err := slack.Start(t.Context(),
		slack.Config{Token: "xoxb-1", AppToken: "xapp-1", Team: "T0001", Channels: []string{"C0001"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	serving, stop := context.WithCancel(t.Context())
	defer stop()
	socket := &door.Socket{
		API: api.New("xoxb-1", api.OptionAppLevelToken("xapp-1"), api.OptionAPIURL(sim.API())),
		Door: door.Door{
			Accept: func(ctx context.Context, _ [32]byte, _ door.Command) error {
				stop()
				<-serving.Done()
				return ctx.Err()
			},
			Log: slog.New(slog.DiscardHandler), Now: time.Now, Observe: func(string, string, time.Duration) {},
		},
	}
	var served sync.WaitGroup
	served.Go(func() { socket.Serve(serving) })
	if err := sim.Deliver(t.Context(),
		sim.SlashEnvelope(slack.From{Channel: "C0001", User: "U0001"}, "plan")); err != nil {
		t.Error(err)
	}
	served.Wait()
	if v := sim.Violations(); len(v) > 0 {
		t.Errorf("Slack refused: %q", v)
	}
}
