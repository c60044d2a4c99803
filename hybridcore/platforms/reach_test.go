// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:14:00Z
// Spec: openspec/specs/security/spec.md#requirement-a-lab-is-not-a-platform
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package platforms

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// elsewhereIP is an address of a network that exists in documents only (RFC 5737).
const elsewhereIP = "192.0.2.1"

// resolveElsewhere has every name but those of this machine resolve to elsewhereIP.
func resolveElsewhere(t *testing.T) {
	t.Helper()
	server, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		query := make([]byte, 512)
		for {
			n, from, err := server.ReadFrom(query)
			if err != nil || n < 17 {
				return
			}
			end := 12 + strings.IndexByte(string(query[12:n]), 0) + 5 // the question: name, type, class
			answer := append([]byte(nil), query[:end]...)
			answer[2], answer[3] = 0x81, 0x80                // an answer, without an error
			copy(answer[4:], []byte{0, 1, 0, 0, 0, 0, 0, 0}) // one question
			if query[end-3] == 1 {                           // for an IPv4 address
				answer[7] = 1
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4)
				answer = append(answer, net.ParseIP(elsewhereIP).To4()...)
			}
			_, _ = server.WriteTo(answer, from) // who asked may have gone
		}
	}()
	former := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return net.Dial("udp4", server.LocalAddr().String())
	}}
	t.Cleanup(func() { net.DefaultResolver = former; server.Close() })
}

// TestLabReach: a client in a lab connects to this machine and to no other,
// however it is named. Not parallel: it changes how names are resolved.
func TestLabReach(t *testing.T) { //nolint:paralleltest // see above
	resolveElsewhere(t)
	_, pve := node(t)
	cloud := newCloudBed(t)
	for name, tt := range map[string]struct {
		target  hybridcore.Target
		setting string
		scheme  string
	}{
		"vSphere":    {vcenter(t), "vsphere_endpoint", ""},
		"Proxmox VE": {pve, "proxmox_url", "https://"},
		"Azure":      {cloud.target, "azure_metadata_host", "https://"},
	} {
		t.Run(name, func(t *testing.T) {
			client, err := OpenInLab(t.Context(), tt.target)
			if err != nil {
				t.Fatalf("on this machine: %v", err)
			}
			if err := client.Close(t.Context()); err != nil {
				t.Error(err)
			}
			for _, host := range []string{elsewhereIP + ":8006", "[::ffff:" + elsewhereIP + "]:443", "vcenter.corp.example:443", "[2001:db8::1]:443", "0.0.0.0:443"} {
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				_, err := OpenInLab(ctx, with(tt.target, tt.setting, tt.scheme+host))
				cancel()
				if err == nil || !strings.Contains(err.Error(), "in a lab, nothing is sent to another machine") {
					t.Errorf("%s: %v", host, err)
				}
			}
		})
	}
	t.Run("through a proxy", func(t *testing.T) {
		proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") }))
		defer proxy.Close()
		address, err := url.Parse(proxy.URL)
		if err != nil {
			t.Fatal(err)
		}
		transport := &http.Transport{Proxy: http.ProxyURL(address)}
		thisMachine(transport)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://vcenter.corp.example/sdk", nil)
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
	})
	t.Run("where the cloud points", func(t *testing.T) {
		server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"resourceManager":"https://%[1]s","authentication":{"loginEndpoint":"https://%[1]s","audiences":["https://x"]}}`, elsewhereIP)
		}))
		server.TLS = trusted(t)
		server.StartTLS()
		defer server.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := OpenInLab(ctx, with(cloud.target, "azure_metadata_host", server.URL)); err == nil || !strings.Contains(err.Error(), "in a lab, nothing is sent") {
			t.Errorf("%v", err)
		}
	})
}
