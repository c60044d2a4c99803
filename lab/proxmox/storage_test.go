// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:34:51Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-storage
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// volumes lists what the directory storage holds.
func (n *node) volumes(t *testing.T) []string {
	t.Helper()
	list, err := n.server.Volumes("local")
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestUpload(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	content := strings.Repeat("iso ", 300_000)
	for name, c := range map[string]struct {
		kind, file string
		status     int
	}{
		"image":       {"iso", "a.iso", http.StatusOK},
		"upper case":  {"iso", "B.ISO", http.StatusOK},
		"path":        {"iso", "../../c.iso", http.StatusOK},
		"ending":      {"iso", "a.txt", http.StatusBadRequest},
		"hidden":      {"iso", ".iso", http.StatusBadRequest},
		"blank":       {"iso", "a b.iso", http.StatusBadRequest},
		"not an iso":  {"vztmpl", "a.iso", http.StatusBadRequest},
		"no contents": {"", "a.iso", http.StatusBadRequest},
	} {
		if r := n.upload(t, c.kind, c.file, content); r.status != c.status {
			t.Errorf("%s: %d %s, want %d", name, r.status, r.reason, c.status)
		}
	}
	if diff := cmp.Diff([]string{"local:iso/B.ISO", "local:iso/a.iso", "local:iso/c.iso"}, n.volumes(t)); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	got, err := os.ReadFile(filepath.Join(n.server.Dir("local"), "template", "iso", "a.iso"))
	if err != nil || string(got) != content {
		t.Errorf("the image has %d bytes, want %d: %v", len(got), len(content), err)
	}
	left, err := os.ReadDir(filepath.Join(n.server.Dir("local"), "tmp"))
	if err != nil || len(left) != 0 {
		t.Errorf("%d temporary files are left: %v", len(left), err)
	}
	n.ok(t, "DELETE", "/nodes/pve1/storage/local/content/local:iso/a.iso", nil)
	n.ok(t, "DELETE", "/nodes/pve1/storage/local/content/iso/c.iso", nil)
	n.refused(t, "DELETE", "/nodes/pve1/storage/local/content/local:iso/..%2f..%2fx.iso", nil,
		"unable to parse directory volume name 'local:iso/../../x.iso'")
	if diff := cmp.Diff([]string{"local:iso/B.ISO"}, n.volumes(t)); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
}

func TestUploadFails(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.rules(t, "POST /nodes/*/storage/*/upload task reason=full")
	r := n.upload(t, "iso", "a.iso", "x")
	upid, _ := r.body["data"].(string)
	if got := n.exit(t, upid); got != "full" || len(n.volumes(t)) != 0 {
		t.Errorf("the task ended with %q, volumes %v", got, n.volumes(t))
	}
}

func TestDownload(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	const path = "/nodes/pve1/storage/local/download-url"
	form := map[string]string{
		"url": "https://example.org/a.iso", "filename": "a.iso", "content": "iso",
		"storage": "local",
	}
	n.ok(t, "POST", path, form)
	got, err := os.ReadFile(filepath.Join(n.server.Dir("local"), "template", "iso", "a.iso"))
	if err != nil || string(got) != "stands for https://example.org/a.iso\n" {
		t.Errorf("the image holds %q: %v", got, err)
	}
	for name, value := range map[string]string{
		"url": "file:///etc/passwd", "filename": "../a.iso", "content": "images",
		"checksum": "00",
	} {
		bad := map[string]string{name: value}
		for key, v := range form {
			if _, ok := bad[key]; !ok {
				bad[key] = v
			}
		}
		n.refused(t, "POST", path, bad, "Parameter verification failed.")
	}
	n.refused(t, "POST", "/nodes/pve1/storage/nfs/download-url", form, "storage 'nfs' does not exist")
}
