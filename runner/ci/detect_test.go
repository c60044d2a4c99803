// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:15:00Z
// Spec: openspec/specs/ci/spec.md#requirement-event-to-requests
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package ci_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

func TestDetect(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		env  map[string]string
		want ci.System
		code int
	}{
		"github":  {map[string]string{"GITHUB_ACTIONS": "true"}, ci.GitHub, 0},
		"gitlab":  {map[string]string{"GITLAB_CI": "true"}, ci.GitLab, 0},
		"neither": {map[string]string{"CI": "true"}, "", 2},
		"both":    {map[string]string{"GITHUB_ACTIONS": "true", "GITLAB_CI": "true"}, "", 2},
	} {
		got, err := ci.Detect(func(key string) string { return c.env[key] })
		if got != c.want || hybridcore.ExitCode(err) != c.code {
			t.Errorf("%s: %q, error %v", name, got, err)
		}
	}
	in := github(t, "push", push, nil)
	in.ReadFile = func(string, int64) ([]byte, error) { return nil, errors.New("is too large") }
	if _, err := ci.Read(in); err == nil || !strings.Contains(err.Error(), "is too large") {
		t.Errorf("error %v", err)
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "event.json")
	if err := os.WriteFile(file, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	if data, err := ci.ReadFile(file, 5); err != nil || string(data) != "12345" {
		t.Errorf("%q, error %v", data, err)
	}
	for path, says := range map[string]string{
		file: "has more than 4 bytes", filepath.Dir(file): "is no regular file",
		"/dev/zero": "is no regular file", file + "x": "no such file",
	} {
		if _, err := ci.ReadFile(path, 4); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: error %v, want %q", path, err, says)
		}
	}
}
