// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:02:00Z
// Spec: openspec/specs/bot/spec.md#requirement-events-of-the-ci-system
// Diagram: openspec/specs/bot/diagram.md#one-command

package forges_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/forge/forges"
)

func TestEvents(t *testing.T) {
	t.Parallel()
	const secret = "of the hook"
	sign := func(body, with string) string {
		mac := hmac.New(sha256.New, []byte(with))
		mac.Write([]byte(body))
		return "sha256=" + hex.EncodeToString(mac.Sum(nil))
	}
	run := `{"action":"completed","workflow_run":{"id":77}}`
	for name, c := range map[string]struct {
		method, body string
		headers      map[string]string
		status       int
		want         string
	}{
		"run": {
			"POST", run,
			map[string]string{"X-GitHub-Event": "workflow_run", "X-Hub-Signature-256": sign(run, secret)},
			204, "77 ",
		},
		"another secret": {
			"POST", run,
			map[string]string{"X-GitHub-Event": "workflow_run", "X-Hub-Signature-256": sign(run, "x")},
			401, "",
		},
		"old signature": {
			"POST", run,
			map[string]string{"X-GitHub-Event": "workflow_run", "X-Hub-Signature": sign(run, secret)},
			401, "",
		},
		"no signature": {"POST", run, map[string]string{"X-GitHub-Event": "workflow_run"}, 401, ""},
		"changed body": {
			"POST", run + " ",
			map[string]string{"X-GitHub-Event": "workflow_run", "X-Hub-Signature-256": sign(run, secret)},
			401, "",
		},
		"weaker algorithm": {
			"POST", run,
			map[string]string{
				"X-GitHub-Event":      "workflow_run",
				"X-Hub-Signature-256": strings.Replace(sign(run, secret), "sha256=", "sha1=", 1),
			},
			401, "",
		},
		"check": {
			"POST", `{"check_run":{"head_sha":"c0ffee"}}`,
			map[string]string{
				"X-GitHub-Event":      "check_run",
				"X-Hub-Signature-256": sign(`{"check_run":{"head_sha":"c0ffee"}}`, secret),
			},
			204, " c0ffee",
		},
		"other event": {
			"POST", run,
			map[string]string{"X-GitHub-Event": "push", "X-Hub-Signature-256": sign(run, secret)},
			204, "",
		},
		"no JSON": {
			"POST", "{",
			map[string]string{"X-GitHub-Event": "workflow_run", "X-Hub-Signature-256": sign("{", secret)},
			204, "",
		},
		"pipeline": {
			"POST", `{"object_kind":"pipeline","object_attributes":{"id":9}}`,
			map[string]string{"X-Gitlab-Token": secret},
			204, "9 ",
		},
		"build": {
			"POST", `{"object_kind":"build","pipeline_id":9}`,
			map[string]string{"X-Gitlab-Token": secret},
			204,
			"9 ",
		},
		"wrong token": {
			"POST", `{"object_kind":"build","pipeline_id":9}`,
			map[string]string{"X-Gitlab-Token": secret + "x"},
			401, "",
		},
		"large": {"POST", strings.Repeat(" ", 3<<20), map[string]string{"X-Gitlab-Token": secret}, 413, ""},
		"get":   {"GET", "", map[string]string{"X-Gitlab-Token": secret}, 405, ""},
		"store failed": {
			"POST", `{"object_kind":"build","pipeline_id":500}`,
			map[string]string{"X-Gitlab-Token": secret},
			503, "500 ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			with := func(secret string) []dispatch.Source {
				return forges.Events(func(string) string { return secret })
			}
			e := dispatch.Events{
				Sources: with(secret), Log: slog.New(slog.DiscardHandler),
				Changed: func(_ context.Context, run, commit string) error {
					got = run + " " + commit
					if run == "500" {
						return errors.New("disk full")
					}
					return nil
				},
			}
			r := httptest.NewRequestWithContext(t.Context(), c.method, "/events", strings.NewReader(c.body))
			for key, value := range c.headers {
				r.Header.Set(key, value)
			}
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			if w.Code != c.status || got != c.want {
				t.Errorf("%d %q, want %d %q", w.Code, got, c.status, c.want)
			}
			if w.Code == http.StatusNoContent && w.Body.Len() > 0 {
				t.Errorf("the answer is %q", w.Body)
			}
			none := httptest.NewRecorder()
			e.Sources = with("")
			r.Body = http.NoBody
			if e.ServeHTTP(none, r); none.Code == http.StatusNoContent {
				t.Error("without secrets an event was taken")
			}
		})
	}
}
