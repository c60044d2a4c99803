// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:31:30Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDatastoreFiles(t *testing.T) {
	parent := t.TempDir()
	disk, err := newDatastore(filepath.Join(parent, "datastore"), []string{"a.iso"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(parent, "secret"), []byte("not in it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(disk.dir, "link")); err != nil {
		t.Fatal(err)
	}
	handler := disk.before(http.NotFoundHandler())
	for _, one := range []struct {
		method, path, sent string
		status             int
		content            string
	}{
		{http.MethodGet, "/folder/iso/a.iso?dcPath=DC0&dsName=LocalDS_0", "", http.StatusOK, "stands for"},
		{http.MethodHead, "/folder/iso/none.iso?dsName=LocalDS_0", "", http.StatusNotFound, ""},
		{http.MethodPut, "/folder/vm/one.iso?dsName=LocalDS_0", "first", http.StatusOK, ""},
		{http.MethodPut, "/folder/vm/one.iso?dsName=LocalDS_0", "new", http.StatusOK, ""},
		{http.MethodPost, "/folder/vm/one.iso?dsName=LocalDS_0", "again", http.StatusConflict, ""},
		{http.MethodGet, "/folder/vm/one.iso", "", http.StatusOK, "new"},
		{http.MethodGet, "/folder/iso/a.iso?dsName=other", "", http.StatusNotFound, ""},
		{http.MethodGet, "/folder/link", "", http.StatusInternalServerError, ""},
		{http.MethodPut, "/folder/link", "changed", http.StatusInternalServerError, ""},
		{http.MethodGet, "/about", "", http.StatusNotFound, ""},
	} {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(one.method, one.path, strings.NewReader(one.sent)))
		if w.Code != one.status || !strings.Contains(w.Body.String(), one.content) || strings.Contains(w.Body.String(),
			"not in it") {
			t.Errorf("%s %s: %d %s", one.method, one.path, w.Code, w.Body)
		}
	}
	if content, err := os.ReadFile(filepath.Join(parent, "secret")); string(content) != "not in it" {
		t.Errorf("a file outside of the datastore was written: %s, %v", content, err)
	}
}
