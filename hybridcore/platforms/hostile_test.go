// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:14:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-answers-are-not-trusted
// Diagram: openspec/specs/platforms/diagram.md#answers-that-are-not-trusted

package platforms

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// trap is a server that no request may reach.
func trap(t *testing.T) (address string, reached *atomic.Int64) {
	t.Helper()
	reached = &atomic.Int64{}
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Add(1) }))
	server.TLS = trusted(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, reached
}

// trusted has the certificate that the process trusts.
func trusted(t *testing.T) *tls.Config {
	t.Helper()
	path := os.Getenv("SSL_CERT_FILE")
	certificate, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

// inside is the client of a platform inside one that Open returns.
func inside(c Client) client {
	if c, ok := c.(contained); ok {
		return c.inner
	}
	return nil
}

// hostileProxmox is a client of a server that answers the list of machines as given.
func hostileProxmox(t *testing.T, list http.HandlerFunc) *proxmox {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/access/permissions") {
			fmt.Fprint(w, `{"data":{"/":{"VM.Audit":1}}}`)
			return
		}
		list(w, r)
	}))
	t.Cleanup(server.Close)
	_, target := node(t)
	return open(t, with(target, "proxmox_url", server.URL+"/api2/json"))
}

func TestProxmoxHostileAnswers(t *testing.T) {
	t.Parallel()
	elsewhere, reached := trap(t)
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, http.StatusTemporaryRedirect)
		}, "307"},
		"not JSON":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "invalid character"},
		"null within": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[null]}`) }, "has null as entry 1"},
		"cut off":     {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[{"vmid":1`) }, "EOF"},
		"no list":     {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":{}}`) }, "cannot unmarshal object"},
		"null":        {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":null}`) }, "it has no data"},
		"no member":   {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }, "it has no data"},
		"other types": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[{"vmid":"x"}]}`) }, "cannot unmarshal"},
		"deep":        {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":`+strings.Repeat("[", 1<<20)) }, "nested deeper than 64"},
		"too many": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[{}`+strings.Repeat(",{}", 1<<16)+`]}`)
		}, "more than 65536"},
		"without end": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":[],"x":"`+strings.Repeat("x", maxAnswer))
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
				if got, err := c.Reap(ctx, hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil || !strings.Contains(err.Error(), tt.want) || len(got) != 0 {
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

// TestAzureHostileAnswers checks a resource manager that leads the client away or never ends.
func TestAzureHostileAnswers(t *testing.T) {
	t.Parallel()
	elsewhere, reached := trap(t)
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
		"no list":  {func(w http.ResponseWriter, _ *http.Request, _ string) { fmt.Fprint(w, `{"value":{}}`) }, "cannot unmarshal"},
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
			fmt.Fprintf(w, `{"value":[],"x":"%s"}`, strings.Repeat("x", maxAnswer))
		}, "more than 16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := hostileAzure(t, tt.answer)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			if got, err := c.Reap(ctx, hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil || !strings.Contains(err.Error(), tt.want) || len(got) != 0 {
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
func hostileAzure(t *testing.T, answer func(http.ResponseWriter, *http.Request, string)) Client {
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
			fmt.Fprintf(w, `{"token_endpoint":"%s/t/oauth2/v2.0/token","authorization_endpoint":"%s/t/a","issuer":"%s/t/v2.0"}`, own, own, own)
		default:
			fmt.Fprintf(w, `{"resourceManager":%q,"authentication":{"loginEndpoint":%q,"audiences":["https://x"]}}`, own, own)
		}
	}))
	server.TLS = trusted(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	own = server.URL
	client, err := Open(t.Context(), with(b.target, "azure_metadata_host", own))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestSignInElsewhere checks that a sign-in which is redirected does not take the secret along.
func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere, reached := trap(t)
	away := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/metadata") {
			fmt.Fprintf(w, `{"resourceManager":"https://%s","authentication":{"loginEndpoint":"https://%s","audiences":["https://x"]}}`, r.Host, r.Host)
			return
		}
		http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	away.TLS = trusted(t)
	away.StartTLS()
	t.Cleanup(away.Close)
	_, node := node(t)
	host := strings.TrimPrefix(away.URL, "https://")
	for name, target := range map[string]hybridcore.Target{
		"azure":   with(newCloudBed(t).target, "azure_metadata_host", away.URL),
		"vsphere": with(vcenter(t), "vsphere_endpoint", host),
		"proxmox": with(node, "proxmox_url", away.URL, "proxmox_token", "", "proxmox_password", "x"),
	} {
		if _, err := Open(t.Context(), target); err == nil {
			t.Errorf("%s: signed in", name)
		}
		if n := reached.Load(); n != 0 {
			t.Errorf("%s: the other host got %d calls", name, n)
		}
	}
}
