// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:50:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package vsphere

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
)

// spoiled serves a vCenter, of whose answers one has some bytes replaced.
func spoiled(t *testing.T, host string, n int, change func([]byte) []byte) string {
	t.Helper()
	var count atomic.Int32
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "https", Host: host}) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		recorded := httptest.NewRecorder()
		proxy.ServeHTTP(recorded, r)
		body := recorded.Body.Bytes()
		if int(count.Add(1)) == n+1 {
			body = change(body)
		}
		for key, values := range recorded.Header() {
			if key != "Content-Length" {
				w.Header()[key] = values
			}
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "https://")
}

// TestVCenterWithoutManagers checks that a server that names no manager of sessions,
// views or files is refused: govmomi follows what it does not name.
func TestVCenterWithoutManagers(t *testing.T) {
	settings := vcenter(t)
	host := settings["vsphere_endpoint"]
	for _, name := range []string{"sessionManager", "viewManager", "fileManager"} {
		element := regexp.MustCompile(`<` + name + `[ >].*?</` + name + `>`)
		found := 0
		address := spoiled(t, host, 0, func(body []byte) []byte {
			found = len(element.FindAll(body, -1))
			return element.ReplaceAll(body, nil)
		})
		said := platformtest.Everything(t, Open, platformtest.With(settings, "vsphere_endpoint", address))
		if found != 1 || !strings.Contains(said, "names no manager of sessions, views or files") {
			t.Errorf("%s was there %d times, and it says %q", name, found, said)
		}
	}
}

func FuzzClient(f *testing.F) {
	settings := vcenter(f)
	host := settings["vsphere_endpoint"]
	for n := range 24 {
		f.Add(
			uint8(n), uint16(0), uint16(60_000), []byte([]string{"null", `{"value":null}`, `{"value":[null]}`, "<x/>", ""}[n%5]),
		)
		f.Add(uint8(n), uint16(300+n*20), uint16(80), []byte(""))
	}
	element := regexp.MustCompile(`<([A-Za-z]+)[^>]*>[^<]*</[A-Za-z]+>`)
	f.Fuzz(func(t *testing.T, n uint8, from, length uint16, insert []byte) {
		address := spoiled(t, host, int(n)%40, func(body []byte) []byte {
			if length%7 == 0 { // whole elements, so that it stays XML
				all := element.FindAllIndex(body, -1)
				if len(all) > 0 {
					one := all[int(from)%len(all)]
					return append(append(bytes.Clone(body[:one[0]]), insert...), body[one[1]:]...)
				}
			}
			start := min(int(from), len(body))
			return append(append(bytes.Clone(body[:start]), insert...), body[min(start+int(length), len(body)):]...)
		})
		said := platformtest.Everything(
			t, Open, platformtest.With(settings, "vsphere_endpoint", address, "vsphere_datastore", "LocalDS_0"),
		)
		if strings.Contains(said, password) {
			t.Errorf("the password is shown: %q", said)
		}
	})
}

// TestSignInElsewhere checks that a sign-in which is redirected does not take the password along.
func TestSignInElsewhere(t *testing.T) {
	t.Parallel()
	settings := vcenter(t)
	platformtest.SignInElsewhere(t, Open, nil, func(address string) map[string]string {
		return platformtest.With(settings, "vsphere_endpoint", strings.TrimPrefix(address, "https://"))
	})
}

// TestLabReach: a client in a lab connects to this machine and to no other. Not
// parallel: it changes how names are resolved.
func TestLabReach(t *testing.T) { //nolint:paralleltest // see above
	platformtest.Reach(t, Open, vcenter(t), "vsphere_endpoint", "")
}
