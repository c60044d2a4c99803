// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:50:00Z
// Spec: openspec/specs/sources/spec.md#requirement-exactly-the-pinned-commits
// Diagram: openspec/specs/sources/diagram.md#sync

package gittest

import (
	"encoding/pem"
	"io"
	"log"
	"net/http/cgi"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Serve serves the repositories below base over TLS, as a forge does.
func Serve(tb testing.TB, base string) *httptest.Server {
	tb.Helper()
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		tb.Fatal(err)
	}
	s := httptest.NewTLSServer(&cgi.Handler{
		Path:   filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"),
		Env:    []string{"GIT_PROJECT_ROOT=" + base, "GIT_HTTP_EXPORT_ALL=1", "HOME=" + base},
		Stderr: io.Discard, Logger: log.New(io.Discard, "", 0), // refused and broken requests
	})
	tb.Cleanup(s.Close)
	return s
}

// Trust writes the certificate of a server, and returns the setting of the environment by which git takes it.
func Trust(tb testing.TB, s *httptest.Server) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "ca.pem")
	Put(tb, path, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})))
	return "GIT_SSL_CAINFO=" + path
}
