// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:45:00Z
// Spec: openspec/specs/drift/spec.md#requirement-the-issue-of-a-night
// Diagram: openspec/specs/drift/diagram.md#a-look-in-parts

//go:build pipelines

package pipelines_test

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab"
)

// rename gives a virtual machine of Proxmox VE another name.
func rename(t *testing.T, l *lab.Lab, id int, name string) {
	t.Helper()
	env := map[string]string{}
	for _, entry := range l.Env() {
		key, value, _ := strings.Cut(entry, "=")
		env[key] = value
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost,
		fmt.Sprintf("%s/nodes/pve1/qemu/%d/config", env["PKR_VAR_proxmox_url"], id),
		strings.NewReader(url.Values{"name": {name}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Authorization", "PVEAPIToken="+env["PKR_VAR_proxmox_username"]+"="+env["PKR_VAR_proxmox_token"])
	authority, err := os.ReadFile(env["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(authority)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs: known, MinVersion: tls.VersionTLS12,
	}}}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("renaming: %s", answer.Status)
	}
}
