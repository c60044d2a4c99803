// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:14:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-answers-are-not-trusted
// Diagram: openspec/specs/platforms/diagram.md#answers-that-are-not-trusted

package azure

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
)

// TestHostileAnswers checks a resource manager that leads the client away or never ends.
func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	elsewhere, reached := platformtest.Trap(t, trusted(t))
	var pages atomic.Int64
	for name, tt := range map[string]struct {
		answer func(http.ResponseWriter, *http.Request, string)
		want   string
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request, _ string) {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		}, "nothing is sent there"},
		"redirect to plain": {func(w http.ResponseWriter, r *http.Request, own string) {
			http.Redirect(w, r, "http"+strings.TrimPrefix(own, "https"), http.StatusFound)
		}, "nothing is sent there"},
		"next page": {func(w http.ResponseWriter, _ *http.Request, _ string) {
			fmt.Fprintf(w, `{"value":[],"nextLink":%q}`, elsewhere)
		}, "nothing is sent there"},
		"not JSON": {func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, "<html>") }, "invalid character"},
		"no list": {func(w http.ResponseWriter, _ *http.Request, _ string) {
			fmt.Fprint(w, `{"value":{}}`)
		}, "cannot unmarshal"},
		"null":     {func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, `null`) }, "is null"},
		"no value": {func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, `{}`) }, "has no list"},
		"null within": {func(w http.ResponseWriter, _ *http.Request, _ string) {
			fmt.Fprint(w, "\ufeff"+`{"value":[{},null]}`)
		}, "has null as entry 2"},
		"pages without end": {func(w http.ResponseWriter, _ *http.Request, own string) {
			pages.Add(1)
			fmt.Fprintf(w, `{"value":[],"nextLink":"%s/subscriptions/x"}%s`, own, strings.Repeat(" ", 10<<20))
		}, "128 MiB in all"},
		"answer without end": {func(w http.ResponseWriter, _ *http.Request, _ string) {
			fmt.Fprintf(w, `{"value":[],"x":"%s"}`, strings.Repeat("x", platform.MaxAnswer))
		}, "more than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := hostileAzure(t, tt.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if got, err := c.Reap(ctx, hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil ||
				!strings.Contains(err.Error(), tt.want) || len(got) != 0 {
				t.Errorf("Reap() = %v, %v; want an error with %q", got, err, tt.want)
			}
		})
	}
	t.Cleanup(func() {
		if reached.Load() != 0 {
			t.Error("the other host was called")
		}
		if pages.Load() > 20 {
			t.Errorf("%d pages were asked for", pages.Load())
		}
	})
}

// hostileAzure is a client of a server that answers calls of the resource manager as given, with its own address.
func hostileAzure(t *testing.T, answer func(http.ResponseWriter, *http.Request, string)) platform.Client {
	t.Helper()
	b := newCloudBed(t)
	var own string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/subscriptions"):
			answer(w, r, own)
		case strings.HasSuffix(r.URL.Path, "/token"):
			fmt.Fprint(w, `{"access_token":"x","token_type":"Bearer","expires_in":3600}`)
		case strings.HasSuffix(r.URL.Path, "/openid-configuration"):
			fmt.Fprintf(
				w, `{"token_endpoint":"%s/t/oauth2/v2.0/token","authorization_endpoint":"%s/t/a","issuer":"%s/t/v2.0"}`, own, own,
				own,
			)
		default:
			fmt.Fprintf(w, `{"resourceManager":%q,"authentication":{"loginEndpoint":%q,"audiences":["https://x"]}}`, own, own)
		}
	}))
	server.TLS = trusted(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	own = server.URL
	client, err := Open(t.Context(), platformtest.With(b.settings, "azure_metadata_host", own), platform.Anywhere)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestSignInElsewhere checks that a sign-in which is redirected does not take the secret along.
func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	platformtest.SignInElsewhere(t, Open, trusted(t), settingsAt)
}

// TestLabReach: a client in a lab connects to this machine and to no other. Not
// parallel: it changes how names are resolved.
func TestLabReach(t *testing.T) { //nolint:paralleltest // see above
	platformtest.Reach(t, Open, newCloudBed(t).settings, "azure_metadata_host", "https://")
	t.Run("where the cloud points", func(t *testing.T) {
		address := platformtest.Plain{{"GET .*", `{"resourceManager":"https://` + platformtest.ElsewhereIP +
			`","authentication":{"loginEndpoint":"https://` + platformtest.ElsewhereIP + `","audiences":["https://x"]}}`}}.
			Serve(t, trusted(t), -1, 0, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err := Open(ctx, settingsAt(address), platform.ThisMachine)
		if err == nil || !strings.Contains(err.Error(), "in a lab, nothing is sent") {
			t.Errorf("%v", err)
		}
	})
}
