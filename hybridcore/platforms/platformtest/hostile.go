// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:14:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-answers-are-not-trusted
// Diagram: openspec/specs/platforms/diagram.md#answers-that-are-not-trusted

package platformtest

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// Trap is a server that no request may reach. config has the certificate that a
// client trusts; nil: it trusts any.
func Trap(t *testing.T, config *tls.Config) (address string, reached *atomic.Int64) {
	t.Helper()
	reached = &atomic.Int64{}
	address = serve(t, config, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	return address, reached
}

func serve(t *testing.T, config *tls.Config, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// SignInElsewhere checks that a sign-in which is redirected does not take the secret
// along. settings are those that lead to an address.
func SignInElsewhere(
	t *testing.T, open platform.Opener, config *tls.Config, settings func(address string) map[string]string,
) {
	t.Helper()
	elsewhere, reached := Trap(t, config)
	away := serve(t, config, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/metadata") { // of a cloud, which leads to the sign-in
			fmt.Fprintf(
				w,
				`{"resourceManager":"https://%[1]s","authentication":{"loginEndpoint":"https://%[1]s","audiences":["https://x"]}}`,
				r.Host,
			)
			return
		}
		http.Redirect(w, r, elsewhere+r.URL.Path, http.StatusTemporaryRedirect)
	})
	if _, err := open(t.Context(), settings(away), platform.Anywhere); err == nil {
		t.Error("signed in")
	}
	if n := reached.Load(); n != 0 {
		t.Errorf("the other host got %d calls", n)
	}
}
