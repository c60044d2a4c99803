// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:26:00Z
// Spec: openspec/specs/bot/spec.md#requirement-following-to-the-end
// Diagram: openspec/specs/bot/diagram.md#one-command

package bot

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

// Slack's limits, from docs.slack.dev: one message a second in a channel, and
// five uses of a response_url in 30 minutes. Of these, one is for the answer to
// the command itself.
const (
	channelPace  = time.Second
	maxReplies   = 4
	repliesUntil = 29 * time.Minute
	slackTimeout = 10 * time.Second
)

// event marks our messages in their metadata, which only apps see.
const event = "packer_hybrid_job"

// show makes the message of a job show its newest state: it is posted once, and
// edited after that.
func (w *Worker) show(ctx context.Context, task store.Task) error {
	id := string(task.Body)
	return w.exclusively(QueueTell, id, func() error {
		job, found, err := w.load(ctx, id)
		if err != nil || !found {
			return err
		}
		if job.Message.Sent < job.Message.Want {
			if err := w.send(ctx, &job); err != nil {
				return err
			}
		}
		why := cause(job)
		if len(why) == 0 || job.Message.Thread || job.Message.TS == "" {
			return nil
		}
		if err := w.turn(job); err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, slackTimeout)
		defer cancel()
		_, _, err = w.Slack.PostMessageContext(ctx, job.Command.Channel, slack.MsgOptionTS(job.Message.TS),
			slack.MsgOptionBlocks(why...), slack.MsgOptionText("Why it failed",
				true), slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl())
		if err = w.slackError(job, err); err != nil {
			return err
		}
		return w.change(ctx, id, func(_ *store.Tx, j *Job) error { j.Message.Thread = true; return nil })
	})
}

// send posts or edits the message of a job.
func (w *Worker) send(ctx context.Context, job *Job) error {
	id, want := job.Command.ID, job.Message.Want
	if err := w.turn(*job); err != nil {
		return err
	}
	text, blocks := message(*job)
	options := []slack.MsgOption{
		slack.MsgOptionBlocks(blocks...), slack.MsgOptionText(text, true), slack.MsgOptionDisableLinkUnfurl(),
		slack.MsgOptionDisableMediaUnfurl(),
		slack.MsgOptionMetadata(slack.SlackMetadata{EventType: event, EventPayload: map[string]any{"request": id}}),
	}
	called, cancel := context.WithTimeout(ctx, slackTimeout)
	defer cancel()
	ts, err := job.Message.TS, error(nil)
	if ts == "" && !job.Message.Tried.IsZero() {
		ts = w.posted(called, *job) // perhaps before a restart
	}
	switch {
	case ts != "":
		_, _, _, err = w.Slack.UpdateMessageContext(called, job.Command.Channel, ts, options...)
	default:
		tried := w.now()
		if err := w.change(ctx, id, func(_ *store.Tx, j *Job) error { j.Message.Tried = tried; return nil }); err != nil {
			return err
		}
		_, ts, err = w.Slack.PostMessageContext(called, job.Command.Channel, options...)
		if refusal := code(err); refusal == "not_in_channel" || refusal == "channel_not_found" {
			err = w.reply(called, job, options)
		}
	}
	if err = w.slackError(*job, err); err != nil {
		return err
	}
	job.Message.TS = ts
	return w.change(ctx, id, func(_ *store.Tx, j *Job) error {
		j.Message.TS, j.Message.Sent, j.Message.Replies = ts, max(j.Message.Sent, want), job.Message.Replies
		return nil
	})
}

// posted looks for the message of a job that was posted before its place was
// written down. When Slack does not let the bot look, there may be two.
func (w *Worker) posted(ctx context.Context, job Job) string {
	from := strconv.FormatInt(job.Message.Tried.Add(-time.Minute).Unix(), 10)
	found, err := w.Slack.GetConversationHistoryContext(ctx, &slack.GetConversationHistoryParameters{
		ChannelID: job.Command.Channel, Oldest: from, Limit: 200, IncludeAllMetadata: true,
	})
	if err != nil {
		w.Log.Warn("the channel's messages cannot be read: a message may be there twice", "request", job.Command.ID, "error",
			err)
		return ""
	}
	for _, m := range found.Messages {
		if m.Metadata.EventType == event && m.Metadata.EventPayload["request"] == job.Command.ID {
			return m.Timestamp
		}
	}
	return ""
}

// reply answers where the bot may not post: to the command itself, as often as
// Slack allows. The last use is kept for the end.
func (w *Worker) reply(ctx context.Context, job *Job, options []slack.MsgOption) error {
	used, last := job.Message.Replies, maxReplies-1
	if job.State.Final() {
		last = maxReplies
	}
	if !w.answerable(job.Command.ReplyTo) || used >= last || w.now().Sub(job.Command.At) > repliesUntil {
		return nil // nobody can be told; the log has it
	}
	job.Message.Replies++
	_, _, err := w.Slack.PostMessageContext(ctx, job.Command.Channel,
		append(options, slack.MsgOptionResponseURL(job.Command.ReplyTo, slack.ResponseTypeEphemeral))...)
	return err //nolint:wrapcheck // by slackError
}

// answerable says whether an address for answers may be used.
func (w *Worker) answerable(address string) bool {
	if w.Answers != nil {
		return w.Answers(address)
	}
	return slackHook(address)
}

// turn waits for nothing: it says when it is a channel's turn.
func (w *Worker) turn(job Job) error {
	pace := w.Pace
	if pace == 0 {
		pace = channelPace
	}
	if wait := w.paced.take(job.Command.Channel, pace); wait > 0 {
		return &LaterError{After: wait, Err: errors.New("slack takes one message a second in a channel")}
	}
	return nil
}

// code is Slack's name of an error.
func code(err error) string {
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return answer.Err
	}
	return ""
}

// slackError judges an error of Slack's: nil means that nothing more can be done.
func (w *Worker) slackError(job Job, err error) error {
	if err == nil {
		return nil
	}
	if limit, ok := errors.AsType[*slack.RateLimitedError](err); ok {
		w.paced.hold(limit.RetryAfter)
		return &LaterError{After: limit.RetryAfter, Err: errors.New("slack limits the bot")}
	}
	switch reason := code(err); reason {
	case "", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "team_added_to_org",
		"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired",
		"missing_scope", "org_login_required":
		return fmt.Errorf("showing run %s: %w", job.Command.ID, shortened(err)) // passes, or somebody mends it
	default:
		w.Log.Error("the message of a run cannot be shown", "request", job.Command.ID, "channel", job.Command.Channel,
			"slack", reason)
		return nil
	}
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
