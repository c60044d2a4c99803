// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:48:00Z
// Spec: openspec/specs/sources/spec.md#requirement-what-is-asked-of-publishers
// Diagram: openspec/specs/drift/diagram.md#one-look

package sources

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

// TestPublished reads what is asked of publishers, and refuses what is not plain.
func TestPublished(t *testing.T) {
	root := t.TempDir()
	if _, err := LoadPublished(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	path := filepath.Join(root, filepath.FromSlash(UpstreamPath))
	medium := func(address string) string {
		return "medium \"d\" {\n  family = \"debian\"\n  version = \"12\"\n  checksums = \"" + address + "\"\n}\n"
	}
	gittest.Put(t, path, medium("http://127.0.0.1:8000/SHA256SUMS")+
		"release \"packer\" {\n  index = \"https://releases.example.com/packer/index.json\"\n}\n")
	got, err := LoadPublished(root)
	want := Published{
		Media: []Medium{{
			Name: "d", Family: "debian", Version: "12", Checksums: "http://127.0.0.1:8000/SHA256SUMS", Line: 1,
		}},
		Releases: []Release{{Name: "packer", Index: "https://releases.example.com/packer/index.json", Line: 6}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v\n%s", err, diff)
	}
	for text, said := range map[string]string{
		medium("http://cdimage.debian.org/SHA256SUMS"):                               "is not an https:// URL",
		medium("http://127.0.0.1.example.com/SHA256SUMS"):                            "is not an https:// URL",
		medium("http://localhost/SHA256SUMS"):                                        "is not an https:// URL",
		medium("file:///etc/passwd"):                                                 "is not an https:// URL",
		medium("https://user@example.com/x"):                                         "is not a plain URL",
		medium("https://example.com/x?token=y"):                                      "is not a plain URL",
		medium("https://example.com/../x"):                                           "is not a plain URL",
		medium("https://x.org/a") + medium("https://x.org/b"):                        "a second block",
		"medium \"d\" {\n}\n":                                                        "needs the setting",
		"medum \"d\" {\n}\n":                                                         "did you mean",
		"release \"packer\" {\n}\n":                                                  "needs one of the settings",
		"release \"packer\" {\n  tags = \"ext::sh -c x\"\n}\n":                       "is not an https:// URL",
		"release \"packer\" {\n  index = env(\"HOME\")\n}\n":                         "",
		"release \"packer\" {\n  index = null\n}\n":                                  "a string is needed",
		"release \"a b\" {\n  index = \"https://x.org/a\"\n}\n":                      "is not a plugin address",
		"release \"packer\" {\n  index = \"https://x.org/a\"\n  x {\n  }\n}\n":       "does not belong",
		"release \"packer\" {\n  index = \"https://x.org/a\"\n}\nx = 1\n":            "unknown setting",
		"release \"packer\" {\n  index = \"https://x.org/a\"\n  tags = \"x\"\n}\n\n": "needs one of the settings",
	} {
		gittest.Put(t, path, text)
		_, err := LoadPublished(root)
		if err == nil || !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(said)) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hosts", path); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadPublished(root); err == nil {
		t.Error("a link was followed")
	}
}

// TestScaffoldAsks reads the file of this repository.
func TestScaffoldAsks(t *testing.T) {
	got, err := LoadPublished("../..")
	if err != nil || len(got.Media) == 0 || len(got.Releases) == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestTags asks a repository for its tags.
func TestTags(t *testing.T) {
	b := newBed(t)
	b.up.Git("tag", "v2.0.0")
	got, err := b.sync.Tags(t.Context(), b.host.URL+"/x.git")
	if err != nil || !cmp.Equal(got, []string{"v1", "v2.0.0"}) {
		t.Errorf("%q, %v", got, err)
	}
	for _, address := range []string{b.host.URL + "/y.git", "ext::sh -c x", "--upload-pack=x"} {
		if got, err := b.sync.Tags(t.Context(), address); err == nil {
			t.Errorf("%s: %q", address, got)
		}
	}
}
