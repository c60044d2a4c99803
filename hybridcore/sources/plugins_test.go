// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:32:30Z
// Spec: openspec/specs/sources/spec.md#requirement-plugin-hashes
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

const vsphere = "github.com/hashicorp/vsphere"

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// plugin writes a binary into a plugin tree and returns its path.
func plugin(t *testing.T, tree, version, content string) string {
	t.Helper()
	path := filepath.Join(tree, filepath.FromSlash(vsphere), "packer-plugin-vsphere_v"+version+"_x5.0_linux_amd64")
	gittest.Put(t, path, content)
	gittest.Put(t, path+"_SHA256SUM", hashOf(content))
	return path
}

func TestLockPlugins(t *testing.T) {
	t.Parallel()
	tree := t.TempDir()
	path := plugin(t, tree, "1.4.2", "one")
	root := project(t, "# kept\nhosts = [\"github.com\"] # too\n")
	lock := func(want string) string {
		t.Helper()
		found, err := Binaries(tree)
		check(t, err)
		notes, err := LockPlugins(root, found)
		check(t, err)
		if got := strings.Join(notes, "\n"); got != want {
			t.Errorf("notes %q, want %q", got, want)
		}
		text, err := os.ReadFile(filepath.Join(root, Dir, LockFile))
		check(t, err)
		return string(text)
	}
	text := lock(vsphere + " 1.4.2 linux_amd64 " + hashOf("one"))
	if again := lock(""); again != text {
		t.Errorf("a second time changed it:\n%s", again)
	}
	gittest.Put(t, filepath.Join(root, Dir, LockFile), strings.Replace(text, hashOf("one")+`",`, hashOf("one")+`", # released`, 1))
	plugin(t, tree, "1.4.2", "two")
	text = lock(vsphere + " 1.4.2 linux_amd64 " + hashOf("two"))
	want := `# kept
hosts = ["github.com"] # too

plugin "github.com/hashicorp/vsphere" {
  version = "1.4.2"

  binary "linux_amd64" {
    sha256 = [
      "` + hashOf("one") + `", # released
      "` + hashOf("two") + `",
    ]
  }
}
`
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("lock (-want +got):\n%s", diff)
	}
	check(t, os.Remove(path))
	plugin(t, tree, "1.4.3", "three")
	text = lock(vsphere + " 1.4.3 linux_amd64 " + hashOf("three") + " (instead of version 1.4.2)")
	if strings.Contains(text, hashOf("one")) || !strings.Contains(text, `version = "1.4.3"`) ||
		!strings.Contains(text, "# kept") {
		t.Errorf("lock:\n%s", text)
	}
	noLeftovers(t, root)
}

// TestLockPluginsTakesEveryForm has hashes in each form that the lock allows.
func TestLockPluginsTakesEveryForm(t *testing.T) {
	t.Parallel()
	one := hashOf("one")
	for _, form := range []string{
		`"` + one + `"`, `["` + one + `"]`, `["` + one + `",]`, "[\n\"" + one + "\"\n]",
		"[\n# why\n\"" + one + "\", # a\n# b\n]", "[\"" + one + "\" /* c */]", `(["` + one + `"])`,
	} {
		root := project(t, "plugin \""+vsphere+"\" {\n  version = \"1.4.2\"\n  binary \"linux_amd64\" {\n    sha256 = "+form+
			"\n  }\n}\n")
		if _, err := LockPlugins(root,
			[]Binary{{
				Address: vsphere, Version: "1.4.2", System: "linux_amd64", SHA256: hashOf("two"),
				Built: "go1.26.8",
			}}); err != nil {
			t.Errorf("%s: %v", form, err)
			continue
		}
		lock, err := Load(root)
		if err != nil || !slices.Equal(lock.Plugins[0].Binaries["linux_amd64"], []string{one, hashOf("two")}) {
			t.Errorf("%s: %+v, %v", form, lock.Plugins, err)
		}
	}
}

func TestBinariesRefuses(t *testing.T) {
	t.Parallel()
	tree := t.TempDir()
	path := plugin(t, tree, "1.4.2", "one")
	gittest.Put(t, path, "replaced")
	if _, err := Binaries(tree); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
		!strings.Contains(err.Error(), "checksum file") {
		t.Errorf("replaced: %v", err)
	}
	outside := filepath.Join(t.TempDir(), "packer-plugin-vsphere_v1.4.2_x5.0_linux_amd64")
	gittest.Put(t, outside, "one")
	for _, bad := range []string{outside, t.TempDir(), filepath.Join(tree, "nowhere")} {
		if _, err := Binaries(bad); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

func TestCheckPlugins(t *testing.T) {
	t.Parallel()
	lock := Lock{Plugins: []Plugin{{
		Address: vsphere, Version: "1.4.2", Line: 7,
		Binaries: map[string][]string{"linux_amd64": {hashOf("one"), hashOf("two")}},
	}}}
	base := Binary{Address: vsphere, Version: "1.4.2", System: "linux_amd64", SHA256: hashOf("two")}
	tests := map[string]struct {
		change   func(*Binary)
		want     string
		blocking bool
	}{
		"locked":         {func(*Binary) {}, "", false},
		"another hash":   {func(b *Binary) { b.SHA256 = hashOf("evil") }, "which is not in the lock", true},
		"other system":   {func(b *Binary) { b.System = "darwin_arm64" }, "no hash of the plugin", false},
		"other version":  {func(b *Binary) { b.Version = "1.4.3" }, "but the lock says 1.4.2", true},
		"unknown plugin": {func(b *Binary) { b.Address = "github.com/evil/vsphere" }, "is not in the lock", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			used := base
			tt.change(&used)
			got := lock.CheckPlugins([]Binary{used})
			if tt.want == "" {
				if len(got) != 0 {
					t.Errorf("findings %v", got)
				}
				return
			}
			if len(got) != 1 || !strings.Contains(got[0].Message, tt.want) || got[0].Blocking != tt.blocking {
				t.Errorf("findings %v", got)
			}
		})
	}
}
