// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:00:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// repository is an empty bare repository.
func repository(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state.git")
	git(t, ".", "init", "--quiet", "--bare", dir)
	git(t, dir, "config", "uploadpack.allowFilter", "true")
	return dir
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/dev/null", "GIT_CONFIG_NOSYSTEM=1"}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return string(out)
}

func open(t *testing.T, o gitref.Options) *gitref.Backend {
	t.Helper()
	o.Dir, o.Environ, o.Local = t.TempDir(), os.Environ(), true
	b, err := gitref.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSuite is the suite of every backend, on a repository in a folder.
func TestSuite(t *testing.T) {
	t.Parallel()
	statetest.Suite(t, func(t *testing.T) (state.Backend, state.Capabilities) {
		t.Helper()
		b := open(t, gitref.Options{Repository: repository(t)})
		return b, state.Capabilities{Guide: b}
	})
}

// TestCheckRepository takes addresses that git takes for what they look like.
func TestCheckRepository(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://example.com/team/images.git":      "",
		"https://example.com:8443/images":          "",
		"http://127.0.0.1:80/x.git":                "",
		"ssh://git@example.com:22/images.git":      "",
		"git@example.com:team/images.git":          "",
		"/srv/state.git":                           "is a folder",
		"http://example.com/x.git":                 "use https or ssh",
		"https://user:word@example.com/x.git":      "holds a password",
		"git://example.com/x.git":                  "use https or ssh",
		"ext::sh -c touch% /tmp/x":                 "not the address",
		"file:///srv/state.git":                    "not the address",
		"ssh://-oProxyCommand=touch/x":             "not the address",
		"ssh://-oProxyCommand=touch@example.com/x": "not the address",
		"-oProxyCommand=touch@example.com:x":       "not the address",
		"git@-oProxyCommand=touch:x":               "not the address",
		"git@example.com:-x":                       "not the address",
		"--upload-pack=touch /tmp/x":               "not the address",
		"https://example.com/x.git?a=b":            "not the address",
		"":                                         "not the address",
	} {
		err := gitref.CheckRepository(address, false)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", address, err, want)
		}
	}
	for _, ref := range []string{"main", "refs/heads", "refs/../x/y", "refs/heads/-x", "refs/heads/x;y", "", "HEAD"} {
		if gitref.CheckRef(ref) == nil {
			t.Errorf("%q is taken for the name of a ref", ref)
		}
	}
}
