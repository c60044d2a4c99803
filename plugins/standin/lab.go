// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:38:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-only-in-the-lab
// Diagram: openspec/specs/stand-ins/diagram.md#only-in-the-lab

package standin

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"

	packersdk "github.com/hashicorp/packer-plugin-sdk/packer"
	"github.com/hashicorp/packer-plugin-sdk/version"
)

// labVariable names the directory of the running lab; the lab sets it for what runs inside.
const labVariable = "PACKER_HYBRID_LAB"

// Plugin is a plugin that a stand-in takes the place of.
type Plugin struct {
	Name    string // of the platform, "Proxmox VE" for example
	Source  string // where Packer gets the real plugin
	Version string // of the real plugin whose schema and behaviour the stand-in has
}

// PluginVersion is the real plugin's version with the mark "+lab", which "describe" prints. Packer leaves what
// follows the plus out of constraints and of file names.
func (p Plugin) PluginVersion() *version.PluginVersion {
	return version.NewPluginVersion(p.Version, "", "lab")
}

// Announce says on the build's output that this is no build on a real platform.
func (p Plugin) Announce(ui packersdk.Ui) {
	ui.Say(fmt.Sprintf("Stand-in of the lab for the plugin %s %s: this builds on a simulated %s, not on a real one.",
		p.Source, p.Version, p.Name))
}

// Client returns an HTTP client that reaches a running lab and nothing else: the lab is the one that the
// environment names, connections go to loopback addresses only, and the server shows a certificate of that lab's own
// authority, whatever the configuration says of certificates. That holds for redirects too.
func (p Plugin) Client() (*http.Client, error) {
	roots, err := labAuthority()
	if err != nil {
		return nil, p.outside(err)
	}
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: onlyLoopback}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, p.outside(err)
			}
			return conn, nil
		},
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2: true,
	}
	return &http.Client{Transport: onlyTLS{p, transport}, Timeout: 5 * time.Minute}, nil
}

// onlyTLS refuses requests that no certificate vouches for.
type onlyTLS struct {
	plugin Plugin
	next   http.RoundTripper
}

// RoundTrip sends a request by https.
func (o onlyTLS) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "https" {
		return nil, o.plugin.outside(fmt.Errorf("%s is not an https address", r.URL.Redacted()))
	}
	return o.next.RoundTrip(r) //nolint:wrapcheck // the client says what was sent
}

// outside explains an error that keeps a stand-in from a platform, and what builds on a real one.
func (p Plugin) outside(err error) error {
	return fmt.Errorf("this is the lab's stand-in for the plugin %s and builds only on the lab's simulated %s: %w; "+
		"for a real platform install the real plugin (packer plugins install %s), for the lab run: packer-hybrid lab run "+
		"-- COMMAND",
		p.Source, p.Name, err, p.Source)
}

// labAuthority reads the certificate authority of the running lab. Its key lives in the memory of that lab alone.
func labAuthority() (*x509.CertPool, error) {
	dir := os.Getenv(labVariable)
	if dir == "" {
		return nil, errors.New(labVariable + " is not set, so no lab is running here")
	}
	authority, err := os.ReadFile(filepath.Join(dir, "ca.pem"))
	if err != nil {
		return nil, fmt.Errorf("%s does not name a running lab: %w", labVariable, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, fmt.Errorf("%s does not name a running lab: its ca.pem holds no certificate", labVariable)
	}
	return roots, nil
}

// onlyLoopback refuses, for each address that a connection would go to, what is not this machine.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("reading the address %q: %w", address, err)
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return fmt.Errorf("%s is not a loopback address", host)
	}
	return nil
}
