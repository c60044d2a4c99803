// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:34Z
// Spec: openspec/specs/bot/spec.md#requirement-foreign-text-stays-text
// Diagram: openspec/specs/bot/diagram.md#parts

// Package chat is Slack as the bot writes to it: the client, its limits and refusals, and the message of a job.
package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackutilsx"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Timeout bounds a call of Slack.
const Timeout = 10 * time.Second

const (
	maxAnswer   = 8 << 20 // bytes of an answer; 200 messages of a channel have some hundred thousand
	slackDomain = "slack.com"
)

// Client writes to Slack.
type Client struct {
	API   *slack.Client
	HTTP  *http.Client // for response_url
	Hooks string       // scheme and host of response_url besides Slack's, on loopback; empty: none
	App   bool         // whether there is a token for Socket Mode
}

// New is a client for a bot token; api is the address of Slack's Web API,
// empty for Slack's own. One on loopback, a simulator's, may be answered at too.
// appToken is for Socket Mode and may be empty. No redirect is followed.
func New(token, appToken, api string) *Client {
	client := func(through http.RoundTripper) *http.Client {
		c := webapi.Client(through)
		c.Timeout = Timeout
		return c
	}
	options := []slack.Option{
		slack.OptionHTTPClient(client(slackAnswers{webapi.Transport{Most: maxAnswer}})),
		slack.OptionAppLevelToken(appToken),
	}
	// what a hook answers is not read
	chat := &Client{HTTP: client(webapi.Transport{Most: maxAnswer, Files: true}), App: appToken != ""}
	if api != "" {
		options = append(options, slack.OptionAPIURL(strings.TrimSuffix(api, "/")+"/"))
		if u, err := url.Parse(api); err == nil && loopback(u.Hostname()) {
			chat.Hooks = u.Scheme + "://" + u.Host
		}
	}
	chat.API = slack.New(token, options...)
	return chat
}

// slackAnswers refuses an object that says neither that a call succeeded nor why it
// did not: the library takes that for success.
type slackAnswers struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (s slackAnswers) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := s.next.RoundTrip(r)
	if err != nil || answer.StatusCode != http.StatusOK {
		return answer, err //nolint:wrapcheck // http.RoundTripper, passed through
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	answer.Body = io.NopCloser(bytes.NewReader(body))
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if json.Unmarshal(body, &said) == nil && !said.OK && strings.TrimSpace(said.Error) == "" {
		return nil, &webapi.AnswerError{Method: r.Method, Path: r.URL.Path, Why: "has neither ok nor an error"}
	}
	return answer, nil
}

// Ephemeral answers a command so that only its user sees it: by its response_url
// while that is young, else as an ephemeral message.
func (c *Client) Ephemeral(ctx context.Context, to door.Command, said string, now time.Time) error {
	shown := slackutilsx.EscapeMessage(text.Cut(text.Sanitize(said), MaxText))
	if c.Answerable(to.ReplyTo) && now.Sub(to.At) < 25*time.Minute {
		err := slack.PostWebhookCustomHTTPContext(ctx, to.ReplyTo, c.HTTP,
			&slack.WebhookMessage{Text: shown, ResponseType: slack.ResponseTypeEphemeral})
		var status slack.StatusCodeError
		if err == nil || !errors.As(err, &status) || status.Code >= http.StatusInternalServerError {
			return passing(err)
		}
	}
	_, err := c.API.PostEphemeralContext(ctx, to.Channel, to.User, slack.MsgOptionText(shown, false),
		slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false))
	return passing(err)
}

// Answerable says whether an address for answers may be used: what a request says of it
// is not believed.
func (c *Client) Answerable(address string) bool {
	if slackHook(address) {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && u.User == nil && c.Hooks != "" && u.Scheme+"://"+u.Host == c.Hooks
}

// slackHook says whether an address is one of Slack's, by HTTPS: Slack answers at
// hooks.slack.com, and has every host below slack.com.
func slackHook(address string) bool {
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.User == nil && u.Opaque == "" &&
		strings.HasSuffix(u.Host, "."+slackDomain)
}

// loopback says whether a host is this machine.
func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// Members are the users of a group.
func (c *Client) Members(ctx context.Context, team, group string) ([]string, error) {
	users, err := c.API.GetUserGroupMembersContext(ctx, group, slack.GetUserGroupMembersOptionTeamID(team))
	if err != nil {
		return nil, fmt.Errorf("asking Slack who is in group %s: %w", group, passing(err))
	}
	return users, nil
}

// Open opens a form.
func (c *Client) Open(ctx context.Context, trigger string, form slack.ModalViewRequest) error {
	if _, err := c.API.OpenViewContext(ctx, trigger, form); err != nil {
		return fmt.Errorf("opening the form: %w", passing(err))
	}
	return nil
}

// passing makes a LaterError of a limit, with the time that Slack gives.
func passing(err error) error {
	var limit *slack.RateLimitedError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &limit):
		return &cirun.LaterError{After: max(limit.RetryAfter, time.Second), Err: err}
	}
	return fmt.Errorf("writing to Slack: %w", Shortened(err))
}

// Shortened is an error without an address: that of an answer is a secret.
func Shortened(err error) error {
	if unfit, ok := errors.AsType[*webapi.AnswerError](err); ok {
		return errors.New("the answer " + unfit.Why)
	}
	if address, ok := errors.AsType[*url.Error](err); ok {
		return address.Err
	}
	return err
}

// Given says whether an error of Slack's is about what was sent, so that
// sending it again is of no use.
func Given(err error) bool {
	switch Refusal(err) {
	case "", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "ratelimited", "rate_limited":
		return false
	}
	return true
}

// Refusal is Slack's name of an error; empty for another one.
func Refusal(err error) string {
	if answer, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return answer.Err
	}
	return ""
}
