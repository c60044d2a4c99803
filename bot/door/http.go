// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:09:13Z
// Spec: openspec/specs/bot/spec.md#requirement-authentic-requests-only
// Diagram: openspec/specs/bot/diagram.md#one-command

package door

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/slack-go/slack"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

const maxBody = 256 << 10 // of a request, in bytes; a form with every option chosen has a tenth

// Outcomes that Observe hears of.
const (
	Accepted = "accepted"
	Refused  = "refused" // not Slack's, or not understood
	Failed   = "failed"  // could not be stored
	Ignored  = "ignored" // asks for nothing
)

// Door is what both doors need.
type Door struct {
	Accept  Accept
	Log     *slog.Logger
	Now     func() time.Time
	Observe func(door, outcome string, took time.Duration)
}

// HTTP is the door for Slack's requests over HTTP.
type HTTP struct {
	Door

	Secret string // that Slack signs with; must not be empty

	bodies sync.Pool // of *bytes.Buffer
}

// ServeHTTP verifies a request, has its command stored, and acknowledges.
func (h *HTTP) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := time.Now()
	outcome, status := h.serve(w, r)
	if status != http.StatusOK {
		http.Error(w, http.StatusText(status), status)
	}
	h.Observe("http", outcome, time.Since(start))
}

func (h *HTTP) serve(w http.ResponseWriter, r *http.Request) (outcome string, status int) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return h.refuse(r, http.StatusMethodNotAllowed, "method", "the method is "+strconv.Quote(r.Method))
	}
	body, _ := h.bodies.Get().(*bytes.Buffer)
	if body == nil {
		body = new(bytes.Buffer)
	}
	body.Reset()
	defer h.bodies.Put(body)
	if _, err := io.Copy(body, http.MaxBytesReader(w, r.Body, maxBody)); err != nil {
		if _, large := errors.AsType[*http.MaxBytesError](err); large {
			return h.refuse(r, http.StatusRequestEntityTooLarge, "size", fmt.Sprintf("the body has more than %d bytes", maxBody))
		}
		return h.refuse(r, http.StatusBadRequest, "body", "the body did not arrive")
	}
	if why := h.verify(r.Header, body.Bytes()); why != "" {
		return h.refuse(r, http.StatusUnauthorized, "signature", why)
	}
	command, err := form(body.Bytes())
	switch {
	case errors.Is(err, errNothing):
		return Ignored, http.StatusOK
	case err != nil:
		return h.refuse(r, http.StatusBadRequest, "payload", err.Error())
	}
	outcome = h.take(r.Context(), "http", sha256.Sum256(body.Bytes()), command)
	if outcome == Failed {
		return outcome, http.StatusServiceUnavailable
	}
	return outcome, http.StatusOK
}

// verify says what is wrong with a signature; empty for nothing.
func (h *HTTP) verify(header http.Header, body []byte) string {
	const signature, stamp = "X-Slack-Signature", "X-Slack-Request-Timestamp"
	if len(header[signature]) != 1 || len(header[stamp]) != 1 {
		return "there is not exactly one signature and one time stamp"
	}
	verifier, err := slack.NewSecretsVerifier(header, h.Secret)
	if errors.Is(err, slack.ErrExpiredTimestamp) {
		at, _ := strconv.ParseInt(header.Get(stamp), 10, 64) // the verifier has read it
		return fmt.Sprintf("the time stamp is %s from this clock; at most 5 minutes are taken",
			time.Since(time.Unix(at, 0)).Round(time.Second))
	}
	if err != nil {
		return "the signature or the time stamp has the wrong form"
	}
	_, _ = verifier.Write(body) // a hash takes everything
	if err := verifier.Ensure(); err != nil {
		return "the signature is not that of the body"
	}
	return ""
}

// refuse writes the audit line of a request that nobody is known to have sent.
func (h *HTTP) refuse(r *http.Request, status int, rule, why string) (string, int) {
	h.Log.Info("decision", "at", "door", "door", "http", "allow", false, "rule", rule, "why", why, "remote", r.RemoteAddr,
		"retry", retry(r))
	return Refused, status
}

// retry is Slack's count of a delivery, for the log.
func retry(r *http.Request) string {
	text := r.Header.Get("X-Slack-Retry-Num")
	return text[:min(len(text), 8)]
}

// take has a command stored, whichever door it came through.
func (d *Door) take(ctx context.Context, door string, key [32]byte, c Command) string {
	c.At = d.Now().UTC()
	c.ID, c.Door = hybridcore.NewRunID(c.At), door
	if err := d.Accept(ctx, key, c); err != nil {
		d.Log.Error("command not stored", "request", c.ID, "door", door, "team", c.Team, "channel", c.Channel, "user", c.User,
			"error", err)
		return Failed
	}
	return Accepted
}
