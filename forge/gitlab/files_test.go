// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:58:41Z
// Spec: openspec/specs/ci/spec.md#requirement-gitlabs-files
// Diagram: openspec/specs/ci/diagram.md#out-of-the-job

package gitlab

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestGitLabFiles(t *testing.T) {
	t.Parallel()
	text, err := Dotenv(map[string]string{"PACKER_HYBRID_STATUS": "built", "PACKER_HYBRID_RUN": "r 1"})
	if err != nil || text != "PACKER_HYBRID_RUN=r 1\nPACKER_HYBRID_STATUS=built\n" {
		t.Errorf("%q, error %v", text, err)
	}
	many := map[string]string{}
	for i := range maxDotenvVariables + 1 {
		many[fmt.Sprintf("PACKER_HYBRID_%d", i)] = "x"
	}
	for says, variables := range map[string]map[string]string{
		"control character": {"PACKER_HYBRID_X": "a\nLD_PRELOAD=/tmp/x.so"},
		"a quote":           {"PACKER_HYBRID_X": "$CI_JOB_TOKEN"},
		"a blank":           {"PACKER_HYBRID_X": " a"},
		"not one of ours":   {"PATH": "/tmp"},
		"GitLab takes 5120": {"PACKER_HYBRID_X": strings.Repeat("x", maxDotenv)},
		"GitLab takes 20":   many,
	} {
		if text, err := Dotenv(variables); err == nil || !strings.Contains(err.Error(), says) || text != "" {
			t.Errorf("%q: %q, error %v", says, text, err)
		}
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	at := time.Unix(1795400000, 0)
	l := log{&out, func() time.Time { at = at.Add(time.Second); return at }}
	name := "build debian-12@vsphere"
	if err := errors.Join(l.Open(name, "Build\r\x1b[0Kx"), l.Close(name)); err != nil {
		t.Fatal(err)
	}
	want := "\x1b[0Ksection_start:1795400001:build_debian-12_vsphere[collapsed=true]\r\x1b[0KBuild x\n" +
		"\x1b[0Ksection_end:1795400002:build_debian-12_vsphere\r\x1b[0K\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
	l.to = broken{}
	if err := l.Close("x"); err == nil {
		t.Error("a log that is gone is no error")
	}
}

// broken is a log whose reader is gone.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("is gone") }
