// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:15:40Z
// Spec: openspec/specs/lab-slack/spec.md#requirement-messages-in-order
// Diagram: openspec/specs/lab-slack/diagram.md#both-directions

package slack

import (
	"context"
	"fmt"
	"slices"
)

// Messages are all messages and edits in the order in which they came.
func (s *Server) Messages() []Message {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	return slices.Clone(s.messages.all)
}

// Views are the forms that were opened.
func (s *Server) Views() []View {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	return slices.Clone(s.views.all)
}

// Violations say what a caller did that Slack refuses.
func (s *Server) Violations() []string {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	return slices.Clone(s.space.violations)
}

// Wait waits until the condition holds for the messages and views that came.
func (s *Server) Wait(ctx context.Context, holds func([]Message, []View) bool) error {
	for {
		s.space.mu.Lock()
		changed, ok := s.space.changed, holds(s.messages.all, s.views.all)
		s.space.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("waiting for a message of the bot: %w", ctx.Err())
		}
	}
}
