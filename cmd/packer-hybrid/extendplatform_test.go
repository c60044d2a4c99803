// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:45:00Z
// Spec: openspec/specs/repository/spec.md#requirement-pages-on-extending
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

package main

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// shelf is the platform of the page, with the images that builds put there.
type shelf struct {
	*httptest.Server
	mu     sync.Mutex
	images []map[string]any
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	s := &shelf{images: []map[string]any{}}
	s.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		id, one := strings.CutPrefix(r.URL.Path, "/images/")
		is := func(image map[string]any) bool { return image["ID"] == id }
		switch {
		case r.Header.Get("Authorization") != "Bearer of-the-shelf":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodPut && one: // makes it, or changes what is said
			at := slices.IndexFunc(s.images, is)
			if at < 0 {
				at, s.images = len(s.images), append(s.images, map[string]any{"ID": id, "Whole": true})
			}
			if json.NewDecoder(r.Body).Decode(&s.images[at]) != nil {
				w.WriteHeader(http.StatusBadRequest)
			}
		case r.Method == http.MethodDelete:
			s.images = slices.DeleteFunc(s.images, is)
		default:
			_ = json.NewEncoder(w).Encode(s.images)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// environ is that of a command which may use the shelf.
func (s *shelf) environ(t *testing.T) []string {
	t.Helper()
	trust := filepath.Join(t.TempDir(), "shelf.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	if err := os.WriteFile(trust, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), "HOME="+t.TempDir(), "PACKER_HYBRID_CACHE="+toolCache(t), "SSL_CERT_FILE="+trust,
		"PKR_VAR_shelf_url="+s.URL, "PKR_VAR_shelf_token=of-the-shelf", "PKR_VAR_build_password=not-used-here")
}

// What takes the place of a system's build: no guest, and an image on the shelf.
const (
	shelfBuild = `build {
  sources = local.sources
  provisioner "shell-local" {
    environment_vars = ["SHELF=${var.shelf_url}", "TOKEN=${var.shelf_token}", "NAME=${var.artifact_name}",
      "NOTES=${local.notes}", "INVENTORY=${var.inventory_path}"]
    inline = ["python3 -I ${path.root}/scripts/linux/put.py"]
  }
  post-processor "manifest" {
    output      = var.manifest_path
    strip_path  = true
    custom_data = local.manifest
  }
}
`
	shelfPut = `import json, os, shutil, urllib.request
here = os.path.dirname(os.path.abspath(__file__))
shutil.copy(os.path.join(here, "inventory.json"), os.environ["INVENTORY"])
body = json.dumps({"Name": os.environ["NAME"], "Notes": os.environ["NOTES"]}).encode()
urllib.request.urlopen(urllib.request.Request(os.environ["SHELF"] + "/images/7", body,
    {"Authorization": "Bearer " + os.environ["TOKEN"]}, method="PUT"))
`
)

// The program that is built with the page's files plans, validates, builds and
// reaps on a platform that this one does not know.
func TestAddingAPlatform(t *testing.T) {
	dir, files := extended(t, "platform.md")
	program, on := overlaid(t, dir, files), newShelf(t)
	environ := on.environ(t)
	ends := func(code int, verb ...string) (string, string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), program, append(verb, "-C", dir, "--env", "lab")...)
		cmd.Env = environ
		var out, errs strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &errs
		if err := cmd.Run(); cmd.ProcessState.ExitCode() != code {
			t.Fatalf("%s: %v, want exit %d\n%s%s", verb, err, code, out.String(), errs.String())
		}
		return out.String(), errs.String()
	}
	valid, _ := ends(hybridcore.ExitOK, "validate")
	// The source of the example has no use for the connection.
	want(t, valid, "nothing uses the variable shelf_token", "valid: 7 targets of lab, 0 errors, 2 warnings")
	for name, text := range map[string][]byte{
		"os/linux.pkr.hcl": []byte(shelfBuild), "scripts/linux/put.py": []byte(shelfPut),
		"scripts/linux/inventory.json": withSection(t, "shells", []string{"/bin/sh"}),
	} {
		if err := os.WriteFile(filepath.Join(dir, "templates", name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	planned, _ := ends(hybridcore.ExitOK, "plan", "debian-12", "--platforms", "shelf")
	want(t, planned, "debian-12@shelf")
	built, said := ends(hybridcore.ExitOK, "build", "debian-12", "--platforms", "shelf")
	want(t, built+said, "debian-12@shelf", "built", "shelf-image")
	again, _ := ends(hybridcore.ExitOK, "plan", "debian-12", "--platforms", "shelf")
	want(t, again, "unchanged")
	ends(hybridcore.ExitOK, "publish", "debian-12", "--platforms", "shelf", "--release", "v1.0.0")
	notes, _ := on.images[0]["Notes"].(string)
	if len(on.images) != 1 {
		t.Errorf("on the shelf are %v", on.images)
	}
	want(t, notes, "built by packer-hybrid", "release v1.0.0")
}
