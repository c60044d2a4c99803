// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:50:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package platformtest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// The run and the name of the artifact that Everything asks for.
const (
	StrangeRun  = "20261130t170000-1a2b3c4d"
	StrangeName = "debian-12-" + StrangeRun
)

// Plain are answers of a platform, by what the address of a request matches.
type Plain [][2]string

// Serve serves plain answers, and one of its own to requests of the kind at.
func (p Plain) Serve(t *testing.T, config *tls.Config, at, status int, body []byte) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i, one := range p {
			if !regexp.MustCompile(`(?i)^` + one[0]).MatchString(r.Method + " " + r.URL.RequestURI()) {
				continue
			}
			if i == at {
				w.WriteHeader(status)
				_, _ = w.Write(body)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, strings.ReplaceAll(one[1], "SELF", server.URL))
			return
		}
		http.NotFound(w, r)
	})
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// Everything asks a platform for everything, and returns what went wrong. A panic
// in our own code fails the test; one in a library is an error, which is tested
// for itself.
func Everything(t *testing.T, open platform.Opener, settings map[string]string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var said []string
	add := func(err error) {
		if panicked, ok := errors.AsType[*hybridcore.PanicError](err); ok && ours(panicked.Stack) {
			t.Errorf("%v\n%s", err, panicked.Stack)
		}
		if err != nil {
			said = append(said, err.Error())
		}
	}
	c, err := platform.Contained(func() (platform.Client, error) { return open(ctx, settings, platform.Anywhere) })
	if add(err); err != nil {
		return err.Error()
	}
	found, err := c.Find(ctx, StrangeName)
	add(err)
	for _, one := range found {
		_, err := c.Mark(ctx, one, hybridcore.Mark{Release: "r", Image: "debian-12", RunID: StrangeRun})
		add(err)
	}
	_, err = c.Look(ctx, found)
	add(err)
	seen, err := c.Fingerprint(ctx, found)
	add(err)
	for _, one := range seen {
		said = append(said, one.Unseen)
	}
	_, err = c.Reap(ctx, hybridcore.Remains{Name: StrangeName, RunID: StrangeRun, Media: []string{"packer2.iso"}}, false)
	add(err)
	add(c.Close(ctx))
	return strings.Join(said, "\n")
}

// NeverGone checks that no strange answer to any one question makes an object gone that the
// other answers have: neither where all is read of it nor where lists are.
func (p Plain) NeverGone(
	t *testing.T, open platform.Opener, config *tls.Config, settings func(string) map[string]string, of hybridcore.URI,
) {
	t.Helper()
	for at := range p {
		for n, body := range StrangeAnswers() {
			t.Run(fmt.Sprint(p[at][0], n), func(t *testing.T) {
				t.Parallel()
				ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
				defer cancel()
				c, err := open(ctx, settings(p.Serve(t, config, at, http.StatusOK, []byte(body))), platform.Anywhere)
				if err != nil {
					return
				}
				for what, look := range map[string]func(context.Context, []hybridcore.URI) ([]hybridcore.Seen, error){
					"all": c.Fingerprint, "lists": c.Look,
				} {
					seen, err := look(ctx, []hybridcore.URI{of})
					if err == nil && (len(seen) != 1 || seen[0].Unseen == "" && seen[0].Now != of) {
						t.Errorf("%s: %.60q makes it %+v", what, body, seen)
					}
				}
			})
		}
	}
}

// ours says whether the function that panicked is one of ours.
func ours(stack string) bool {
	_, below, _ := strings.Cut(stack, "\npanic(")
	for line := range strings.Lines(below) {
		if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "runtime.") && !strings.HasPrefix(line, "{") &&
			strings.Contains(line, ".") {
			return strings.Contains(line, "packer-hybrid/hybridcore/platforms/")
		}
	}
	return false
}

// StrangeAnswers lists answers that no platform gives, for a fuzzer to begin with.
func StrangeAnswers() []string {
	return []string{
		"null",
		"[null]",
		"{}",
		"[]",
		"",
		"<html>",
		`{"data":null}`,
		`{"data":[null]}`,
		`{"data":{}}`,
		`{"data":[{"vmid":null,"type":"qemu","node":null}]}`,
		`{"data":"UPID:a"}`,
		`{"data":{"name":null,"description":null,"ide2":null,"template":null}}`,
		`{"value":null}`,
		`{"value":[null]}`,
		`{"value":[{"id":null,"tags":null,"properties":null}]}`,
		`{"value":[{"id":"x","tags":{"ph_run":null},"properties":{"storageProfile":null,"provisioningState":null}}]}`,
		`{"properties":null}`,
		`{"error":null}`,
		`{"access_token":null}`,
		`{"authentication":{"audiences":[null]}}`,
		`{"data":[{"vmid":1`,
		strings.Repeat("[", 100_000),
		`{"data":{"x":[null]}}`,
		`{"value":[{"properties":{"storageProfile":{"dataDisks":[null]}}}]}`,
		`{"value":[` + strings.Repeat(`{},`, 70_000) + `{}]}`,
	}
}
