// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:14:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-answers-are-not-trusted
// Diagram: openspec/specs/platforms/diagram.md#answers-that-are-not-trusted

package proxmox

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
)

// hostileProxmox is a client of a server that answers the list of machines as given.
func hostileProxmox(t *testing.T, list http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/access/permissions") {
			fmt.Fprint(w, `{"data":{"/":{"VM.Audit":1}}}`)
			return
		}
		list(w, r)
	}))
	t.Cleanup(server.Close)
	_, settings := node(t)
	return open(t, platformtest.With(settings, "proxmox_url", server.URL+"/api2/json"))
}

func TestHostileAnswers(t *testing.T) {
	t.Parallel()
	elsewhere, reached := platformtest.Trap(t, nil)
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		}, "307"},
		"not JSON": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "invalid character"},
		"null within": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[null]}`)
		}, "has null as entry 1"},
		"cut off": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[{"vmid":1`) }, "EOF"},
		"no list": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":{}}`)
		}, "cannot unmarshal object"},
		"null":      {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":null}`) }, "it has no data"},
		"no member": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }, "it has no data"},
		"other types": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{"vmid":"x"}]}`)
		}, "cannot unmarshal"},
		"deep": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":`+strings.Repeat("[", 1<<20))
		}, "nested deeper than 64"},
		"too many": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{}`+strings.Repeat(",{}", 1<<16)+`]}`)
		}, "more than 65536"},
		"without end": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[],"x":"`+strings.Repeat("x", platform.MaxAnswer))
		}, "more than 16777216 bytes"},
		"path as node": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{"vmid":100,"type":"qemu","node":"../../access"}]}`)
		}, "no machine of a node"},
		"negative": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{"vmid":-1,"type":"qemu","node":"a"}]}`)
		}, "no machine of a node"},
		"asks too long": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "429"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := hostileProxmox(t, tt.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			for range 2 {
				if got, err := c.Reap(ctx, hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil ||
					!strings.Contains(err.Error(), tt.want) || len(got) != 0 {
					t.Errorf("Reap() = %v, %v; want an error with %q", got, err, tt.want)
				}
			}
		})
	}
	t.Cleanup(func() {
		if reached.Load() != 0 {
			t.Error("the other host was called")
		}
	})
}

// TestSignInElsewhere checks that a sign-in which is redirected does not take the password along.
func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	platformtest.SignInElsewhere(t, Open, nil, func(address string) map[string]string {
		return platformtest.With(settingsAt(address), "proxmox_token", "", "proxmox_password", "x")
	})
}

// TestLabReach: a client in a lab connects to this machine and to no other. Not
// parallel: it changes how names are resolved.
func TestLabReach(t *testing.T) { //nolint:paralleltest // see above
	_, settings := node(t)
	platformtest.Reach(t, Open, settings, "proxmox_url", "https://")
}
