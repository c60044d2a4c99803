// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:26:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package work

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/jobs"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// Slack's limits, from docs.slack.dev: one message a second in a channel, and
// five uses of a response_url in 30 minutes. Of these, one is for the answer to
// the command itself.
const (
	channelPace  = time.Second
	maxReplies   = 4
	repliesUntil = 29 * time.Minute
)

// event marks our messages in their metadata, which only apps see.
const event = "packer_hybrid_job"

// messages has the message of each job show its newest state.
type messages struct {
	steps *steps
	chat  *chat.Client
	pace  time.Duration // between two messages in a channel
	paced pacer
}

// show makes the message of a job show its newest state: it is posted once, and
// edited after that.
func (m *messages) show(ctx context.Context, task store.Task) error {
	id := string(task.Body)
	return m.steps.exclusively(jobs.QueueTell, id, func() error {
		job, found, err := jobs.Get(ctx, m.steps.store, id)
		if err != nil || !found {
			return err
		}
		if job.Message.Sent < job.Message.Want {
			if err := m.send(ctx, &job); err != nil {
				return err
			}
		}
		why := chat.Cause(job)
		if len(why) == 0 || job.Message.Thread || job.Message.TS == "" {
			return nil
		}
		if err := m.turn(job); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, chat.Timeout)
		defer cancel()
		_, _, err = m.chat.API.PostMessageContext(ctx, job.Command.Channel, slack.MsgOptionTS(job.Message.TS),
			slack.MsgOptionBlocks(why...), slack.MsgOptionText("Why it failed",
				true), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
		if err = m.slackError(job, err); err != nil {
			return err
		}
		return jobs.Change(ctx, m.steps.store, id, func(_ *store.Tx, j *jobs.Job) error {
			j.Message.Thread = true
			return nil
		})
	})
}

// send posts or edits the message of a job.
func (m *messages) send(ctx context.Context, job *jobs.Job) error {
	id, want := job.Command.ID, job.Message.Want
	if err := m.turn(*job); err != nil {
		return err
	}
	text, blocks := chat.Message(*job)
	options := []slack.MsgOption{
		slack.MsgOptionBlocks(blocks...), slack.MsgOptionText(text, true), slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: event, EventPayload: map[string]any{"request": id}}),
	}
	called, cancel := context.WithTimeout(ctx, chat.Timeout)
	defer cancel()
	ts, err := job.Message.TS, error(nil)
	if ts == "" && !job.Message.Tried.IsZero() {
		ts = m.posted(called, *job) // perhaps before a restart
	}
	switch {
	case ts != "":
		_, _, _, err = m.chat.API.UpdateMessageContext(called, job.Command.Channel, ts, options...)
	default:
		tried := m.steps.now()
		err = jobs.Change(ctx, m.steps.store, id, func(_ *store.Tx, j *jobs.Job) error {
			j.Message.Tried = tried
			return nil
		})
		if err != nil {
			return err
		}
		_, ts, err = m.chat.API.PostMessageContext(called, job.Command.Channel, options...)
		if refusal := chat.Refusal(err); refusal == "not_in_channel" || refusal == "channel_not_found" {
			err = m.reply(called, job, options)
		}
	}
	if err = m.slackError(*job, err); err != nil {
		return err
	}
	job.Message.TS = ts
	return jobs.Change(ctx, m.steps.store, id, func(_ *store.Tx, j *jobs.Job) error {
		j.Message.TS, j.Message.Sent, j.Message.Replies = ts, max(j.Message.Sent, want), job.Message.Replies
		return nil
	})
}

// posted looks for the message of a job that was posted before its place was
// written down. When Slack does not let the bot look, there may be two.
func (m *messages) posted(ctx context.Context, job jobs.Job) string {
	from := strconv.FormatInt(job.Message.Tried.Add(-time.Minute).Unix(), 10)
	found, err := m.chat.API.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: job.Command.Channel, Oldest: from, Limit: 200, IncludeAllMetadata: true,
	})
	if err != nil {
		m.steps.log.Warn("the channel's messages cannot be read: a message may be there twice", "request",
			job.Command.ID, "error", err)
		return ""
	}
	for _, one := range found.Messages {
		if one.Metadata.EventType == event && one.Metadata.EventPayload["request"] == job.Command.ID {
			return one.Timestamp
		}
	}
	return ""
}

// reply answers where the bot may not post: to the command itself, as often as
// Slack allows. The last use is kept for the end.
func (m *messages) reply(ctx context.Context, job *jobs.Job, options []slack.MsgOption) error {
	used, last := job.Message.Replies, maxReplies-1
	if job.State.Final() {
		last = maxReplies
	}
	if !m.chat.Answerable(job.Command.ReplyTo) || used >= last || m.steps.now().Sub(job.Command.At) > repliesUntil {
		return nil // nobody can be told; the log has it
	}
	job.Message.Replies++
	_, _, err := m.chat.API.PostMessageContext(ctx, job.Command.Channel,
		append(options, slack.MsgOptionResponseURL(job.Command.ReplyTo, slack.ResponseTypeEphemeral))...)
	return err //nolint:wrapcheck // by slackError
}

// turn waits for nothing: it says when it is a channel's turn.
func (m *messages) turn(job jobs.Job) error {
	if wait := m.paced.take(job.Command.Channel, m.pace); wait > 0 {
		return &cirun.LaterError{After: wait, Err: errors.New("slack takes one message a second in a channel")}
	}
	return nil
}

// slackError judges an error of Slack's: nil means that nothing more can be done.
func (m *messages) slackError(job jobs.Job, err error) error {
	if err == nil {
		return nil
	}
	if limit, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		m.paced.hold(limit.RetryAfter)
		return &cirun.LaterError{After: limit.RetryAfter, Err: errors.New("slack limits the bot")}
	}
	switch reason := chat.Refusal(err); reason {
	case "", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "team_added_to_org",
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
		"missing_scope", "org_login_required":
		return fmt.Errorf("showing run %s: %w", job.Command.ID, chat.Shortened(err)) // passes, or somebody mends it
	default:
		m.steps.log.Error("the message of a run cannot be shown", "request", job.Command.ID, "channel", job.Command.Channel,
			"slack", reason)
		return nil
	}
}

// pacer keeps the messages of a channel apart. Its clock is the real one, as
// Slack's is.
type pacer struct {
	mu   sync.Mutex
	next map[string]time.Time // of a channel
	held time.Time            // of all
}

// take takes a channel's turn, or says how long to wait for the next one.
func (p *pacer) take(channel string, pace time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if wait := max(p.held.Sub(now), p.next[channel].Sub(now)); wait > 0 {
		return wait
	}
	if p.next == nil || len(p.next) > 1000 {
		p.next = map[string]time.Time{}
	}
	p.next[channel] = now.Add(pace)
	return 0
}

// hold lets nothing be sent for a time.
func (p *pacer) hold(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if until := time.Now().Add(wait); until.After(p.held) {
		p.held = until
	}
}
