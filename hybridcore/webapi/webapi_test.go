// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T07:41:09Z
// Spec: openspec/specs/posting/spec.md#requirement-limits-and-time
// Diagram: openspec/specs/posting/diagram.md#want-try-made-sent

package webapi_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

func TestPause(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_800_000_000, 0)
	for name, c := range map[string]struct {
		header  string
		pause   time.Duration
		limited bool
	}{
		"seconds":                   {"Retry-After: 90", 90 * time.Second, true},
		"no time":                   {"Retry-After: 0", time.Second, true},
		"garbage":                   {"Retry-After: soon", time.Minute, true},
		"more than a number":        {"Retry-After: 99999999999999999999", time.Minute, true},
		"a primary limit of GitHub": {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1800000600", 10 * time.Minute, true},
		"one of GitLab":             {"RateLimit-Remaining: 0\nRateLimit-Reset: 1800000030", 30 * time.Second, true},
		"one that is over":          {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1", time.Second, true},
		"one in a thousand years":   {"X-RateLimit-Remaining: 0\nX-RateLimit-Reset: 33356000000", 24 * time.Hour, true},
		"not used up":               {"X-RateLimit-Remaining: 7\nX-RateLimit-Reset: 1800000600", time.Minute, false},
		"nothing":                   {"", time.Minute, false},
	} {
		header := http.Header{}
		for line := range strings.Lines(c.header) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
			header.Set(key, value)
		}
		if got := webapi.Pause(header, now); got != c.pause {
			t.Errorf("%s: %s, want %s", name, got, c.pause)
		}
		if got := webapi.Limited(header); got != c.limited {
			t.Errorf("%s: limited %v", name, got)
		}
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://api.github.com": "https://api.github.com/", "http://127.0.0.1:1/api/v4/": "http://127.0.0.1:1/api/v4/",
		"": "", "api.github.com": "", "ftp://x": "", "https://": "", "https://[": "", "file:///etc": "",
	} {
		base, ok := webapi.Address(text)
		if ok != (want != "") || ok && base.String() != want {
			t.Errorf("%q: %v, %v", text, base, ok)
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	var elsewhere []string
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		elsewhere = append(elsewhere, r.Header.Get("Authorization"))
	}))
	defer other.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, other.URL, http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, r.Header.Get("Authorization")+strings.Repeat("x", 100))
	}))
	defer server.Close()
	client := webapi.Client(webapi.Transport{Most: 20, Sign: webapi.Bearer("of-a-test"), Files: true})
	get := func(path string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || len(r.Header) > 0 {
			t.Errorf("%v, the request's own header is %v", err, r.Header)
		}
		return answer.StatusCode, string(body)
	}
	if _, body := get("/"); body != "Bearer of-a-testxxxx" {
		t.Errorf("the answer is %q", body)
	}
	if status, _ := get("/away"); status != http.StatusFound || len(elsewhere) > 0 {
		t.Errorf("a redirect was answered %d, and another host saw %q", status, elsewhere)
	}
}
