// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:29:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-replay
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recorded is one call of a real build and the part of the answer that the plugin reads.
type recorded struct {
	Method    string         `json:"method"`
	Path      string         `json:"path"`
	Query     string         `json:"query"`
	Request   any            `json:"request"`
	Status    int            `json:"status"`
	Operation string         `json:"operation"` // where the recorded answer sends the client to poll
	Response  map[string]any `json:"response"`
}

// readRecording reads a file of testdata.
func readRecording(t *testing.T, name, base string) []recorded {
	t.Helper()
	file, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	fill := strings.NewReplacer("{url}", base, "{escapedurl}", url.QueryEscape(base), "{secret}",
		url.QueryEscape(testIdentity.Secret))
	var calls []recorded
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var one recorded
		if err := json.Unmarshal([]byte(fill.Replace(lines.Text())), &one); err != nil {
			t.Fatal(err)
		}
		calls = append(calls, one)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return calls
}

// contains says where got lacks something of want; empty when it has all of it.
func contains(got, want any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", at, got)
		}
		for name, value := range want {
			if missing := contains(have[name], value, at+"."+name); missing != "" {
				return missing
			}
		}
		return ""
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return fmt.Sprintf("%s is %v, want %d elements", at, got, len(want))
		}
		for n, value := range want { // in any order
			found := false
			for _, one := range have {
				found = found || contains(one, value, "") == ""
			}
			if !found {
				return fmt.Sprintf("%s is %v, which lacks element %d: %v", at, got, n, value)
			}
		}
		return ""
	}
	if got != want && (got != nil || want != "") { // an empty text may be left out
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

// replay sends a recorded call, at most until what takes time has happened.
func (b *bed) replay(call recorded, places map[string]string) *answer {
	b.t.Helper()
	path := call.Path + "?" + call.Query
	place, polled := places[path]
	if polled {
		path = place
	}
	ends := polled && call.Response["status"] == "Succeeded" || call.Method == http.MethodGet &&
		call.Status == http.StatusNotFound
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		a := b.send(call.Method, path, call.Request)
		done := a.status == call.Status && contains(a.body, call.Response, "") == ""
		if done || !ends || time.Now().After(deadline) {
			return a
		}
	}
}

func TestReplay(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"managed-image.jsonl", "gallery.jsonl"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, true)
			calls := readRecording(t, name, b.server.URL())
			if len(calls) < 40 {
				t.Fatalf("only %d calls were recorded", len(calls))
			}
			places := map[string]string{} // of operations, by their recorded places
			for n, call := range calls {
				a := b.replay(call, places)
				if a.status != call.Status {
					t.Fatalf("call %d, %s: status %d, want %d: %v", n+1, a.call, a.status, call.Status, a.body)
				}
				if call.Operation != "" {
					place := a.header.Get("Azure-AsyncOperation")
					if place == "" {
						place = a.header.Get("Location")
					}
					if places[call.Operation] = place; place == "" || a.header.Get("Retry-After") == "" {
						t.Errorf("call %d, %s: no operation to poll: %v", n+1, a.call, a.header)
					}
				}
				if running := call.Response["status"]; running == "Running" || running == "InProgress" {
					continue // it may have ended by now
				}
				if missing := contains(a.body, call.Response, "the answer"); missing != "" {
					t.Errorf("call %d, %s: %s", n+1, a.call, missing)
				}
			}
			images := len(b.server.Images()) + len(b.server.GalleryVersions())
			if groups := b.server.ResourceGroups(); len(groups) != 1 || images != 1 {
				t.Errorf("left: %+v, %d images", groups, images)
			}
			if len(b.hardware.booted) != 1 || b.hardware.booted[0].User != "packer" || len(b.hardware.booted[0].Keys) != 1 ||
				!strings.HasPrefix(b.hardware.booted[0].Keys[0], "ssh-rsa AAAA") ||
				b.hardware.booted[0].Password != "Replayed-1-password" {
				t.Errorf("booted %+v", b.hardware.booted)
			}
		})
	}
}
