// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:14:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package platform

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// TestLabReachAsksNoProxy checks that in a lab no proxy is asked, which would do the dialling itself.
func TestLabReachAsksNoProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(
		http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }),
	)
	defer proxy.Close()
	address, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Proxy: http.ProxyURL(address)}
	ThisMachine(transport)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://192.0.2.1/sdk", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := (&http.Client{Transport: transport}).Do(request)
	if err == nil {
		response.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "in a lab, nothing is sent") {
		t.Errorf("%v", err)
	}
}
