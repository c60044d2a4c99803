// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:26:53Z
// Spec: openspec/specs/sources/spec.md#requirement-the-lock-file
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
)

const someCommit = "0123456789abcdef0123456789abcdef01234567"

// project writes a lock and returns the root of its project.
func project(tb testing.TB, lock string) string {
	tb.Helper()
	root := tb.TempDir()
	gittest.Put(tb, filepath.Join(root, Dir, LockFile), lock)
	return root
}

func TestLoad(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	root := project(t, `hosts = ["git.example.com:8443", "github.com"]

source "a" {
  url    = "https://git.example.com:8443/x/y/a.git"
  tag    = "release/v1.0+b"
  commit = "`+someCommit+`"
}

plugin "github.com/hashicorp/vsphere" {
  version = "1.4.2"
  binary "linux_amd64" {
    sha256 = ["`+hash+`", "`+strings.Repeat("cd", 32)+`"]
  }
  binary "darwin_arm64" {
    sha256 = "`+hash+`"
  }
}
`)
	got, err := Load(root)
	if err != nil {
		t.Fatal(err)
	}
	want := Lock{
		Hosts: []string{"git.example.com:8443", "github.com"},
		Sources: []Source{{
			Name: "a", URL: "https://git.example.com:8443/x/y/a.git", Tag: "release/v1.0+b",
			Commit: someCommit, Line: 3,
		}},
		Plugins: []Plugin{{
			Address: "github.com/hashicorp/vsphere", Version: "1.4.2", Line: 9,
			Binaries: map[string][]string{"linux_amd64": {hash, strings.Repeat("cd", 32)}, "darwin_arm64": {hash}},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lock (-want +got):\n%s", diff)
	}
}

// TestOwnLock holds the lock that every new project begins with.
func TestOwnLock(t *testing.T) {
	t.Parallel()
	lock, err := Load("../..")
	if err != nil {
		t.Fatal(err)
	}
	if len(lock.Sources) != 5 || len(lock.Plugins) != 3 {
		t.Errorf("%d sources and %d plugins, want 5 and 3", len(lock.Sources), len(lock.Plugins))
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	source := func(url, tag, commit string) string {
		return fmt.Sprintf("source \"a\" {\n  url = %q\n  tag = %q\n  commit = %q\n}\n", url, tag, commit)
	}
	url := func(u string) string { return source(u, "v1", someCommit) }
	const good = "https://github.com/a/b.git"
	tests := map[string]struct {
		lock, want string
		line       int
	}{
		"ext":           {url(`ext::sh -c "touch x"`), "no other transport", 2},
		"option":        {url("--upload-pack=touch x;"), "no other transport", 2},
		"ssh option":    {url("ssh://-oProxyCommand=touch"), "no other transport", 2},
		"file":          {url("file:///etc"), "no other transport", 2},
		"absolute":      {url("/etc"), "no other transport", 2},
		"parent":        {url("../x"), "no other transport", 2},
		"scp":           {url("git@github.com:a/b"), "no other transport", 2},
		"http":          {url("http://github.com/a/b"), "no other transport", 2},
		"upper":         {url("HTTPS://github.com/a/b"), "no other transport", 2},
		"user":          {url("https://x@github.com/a/b"), "not a plain URL", 2},
		"password":      {url("https://x:y@github.com/a/b"), "not a plain URL", 2},
		"query":         {url("https://github.com/a/b?x=1"), "not a plain URL", 2},
		"fragment":      {url("https://github.com/a/b#x"), "not a plain URL", 2},
		"escape":        {url("https://github.com/a/%2e%2e/b"), "not a plain URL", 2},
		"dots":          {url("https://github.com/a/../b"), "not a plain URL", 2},
		"dash segment":  {url("https://github.com/-a/b"), "not a plain URL", 2},
		"blank":         {url("https://github.com/a b"), "not a plain URL", 2},
		"newline":       {url("https://github.com/a\n[core]"), "not a plain URL", 2},
		"no path":       {url("https://github.com"), "not a plain URL", 2},
		"ipv6":          {url("https://[::1]/a"), "not a plain URL", 2},
		"other host":    {url("https://evil.example/a/b"), "the host evil.example is not one of hosts", 2},
		"suffix host":   {url("https://github.com.evil.example/a/b"), "is not one of hosts", 2},
		"short commit":  {source(good, "v1", "0123456"), "not a full commit", 4},
		"upper commit":  {source(good, "v1", strings.ToUpper(someCommit)), "not a full commit", 4},
		"branch":        {source(good, "v1", "main"), "not a full commit", 4},
		"option as pin": {source(good, "v1", "--upload-pack=x"), "not a full commit", 4},
		"tag option":    {source(good, "--exec", someCommit), "is not a tag", 3},
		"tag refspec":   {source(good, "v1:refs/heads/x", someCommit), "is not a tag", 3},
		"tag dots":      {source(good, "a..b", someCommit), "is not a tag", 3},
		"tag lock":      {source(good, "a.lock", someCommit), "is not a tag", 3},
		"misspelt": {
			"source \"a\" {\n  url = \"" + good + "\"\n  comit = \"" + someCommit + "\"\n}\n",
			`did you mean "commit"?`, 3,
		},
		"no commit":      {"source \"a\" {\n  url = \"" + good + "\"\n}\n", `needs the setting "commit"`, 1},
		"name parent":    {"source \"..\" {\n}\n", "is not a name", 1},
		"name slash":     {"source \"a/b\" {\n}\n", "is not a name", 1},
		"name git":       {"source \".git\" {\n}\n", "is not a name", 1},
		"name lock":      {"source \"sources.lock.hcl\" {\n}\n", "the name of a file", 1},
		"twice":          {url(good) + url(good), `a second block source "a"`, 6},
		"unlabelled":     {"source {\n}\n", "needs one name", 1},
		"unknown block":  {"sorce \"a\" {\n}\n", `did you mean "source"?`, 1},
		"function":       {"hosts = [upper(\"x\")]\n", "is not allowed here", 1},
		"host url":       {"hosts = [\"https://github.com\"]\n", "is not a host", 1},
		"host type":      {"hosts = [1]\n", "a list of strings", 1},
		"host empty":     {"hosts = []\n", "a string or a list of strings", 1},
		"host null":      {"hosts = null\n", "a string or a list of strings", 1},
		"plugin address": {"plugin \"../x\" {\n  version = \"1.0.0\"\n}\n", "not a plugin address", 1},
		"plugin version": {"plugin \"github.com/a/b\" {\n  version = \">= 1\"\n}\n", "not a version", 2},
		"plugin hash": {"plugin \"github.com/a/b\" {\n  version = \"1.0.0\"\n  binary \"linux_amd64\" {\n    sha256 = " +
			"\"ab\"\n  }\n}\n", "not a sha256", 4},
		"plugin system": {"plugin \"github.com/a/b\" {\n  version = \"1.0.0\"\n  binary \"linux/amd64\" {\n    sha256 = \"" +
			strings.Repeat("a", 64) + "\"\n  }\n}\n", "not an operating system", 3},
		"plugin block": {
			"plugin \"github.com/a/b\" {\n  version = \"1.0.0\"\n  binry \"x\" {\n  }\n}\n",
			`did you mean "binary"?`, 3,
		},
		"deep": {"hosts = " + strings.Repeat("[", 100000) + "\n", "", 1},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Load(project(t, tt.lock))
			var found *hybridcore.FindingsError
			if !errors.As(err, &found) {
				t.Fatalf("error %v", err)
			}
			f := found.Findings[0]
			if !strings.Contains(err.Error(), tt.want) || f.Line != tt.line || f.File != LockPath {
				t.Errorf("%v\nwant %q at line %d", err, tt.want, tt.line)
			}
			if code := hybridcore.ExitCode(err); code != hybridcore.ExitUsage {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestLoadWithoutLock(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	if _, err := Load(root); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("error %v", err)
	}
	if _, _, err := Inspect(root); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("error %v", err)
	}
	if got := Check(root); len(got) != 0 {
		t.Errorf("findings %v", got)
	}
}

func FuzzLock(f *testing.F) {
	own, err := os.ReadFile("../../sources/sources.lock.hcl")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(own))
	f.Add(`source "a" { url = "https://github.com/a/b" commit = "` + someCommit + `" }`)
	f.Add(`plugin "a/b" { version = "1.0.0" binary "a_b" { sha256 = [] } }`)
	f.Add("hosts = [null, 1, {}]")
	f.Fuzz(func(t *testing.T, text string) {
		file, err := hclfile.Parse([]byte(text), LockPath, limit())
		if err != nil {
			return
		}
		lock, findings := decode(file)
		if len(findings) > 0 {
			return
		}
		for _, s := range lock.Sources { // what reaches git is what the rules say
			if checkURL(s.URL, lock.Hosts) != nil || checkCommit(s.Commit) != nil || (s.Tag != "" && checkTag(s.Tag) != nil) ||
				!filepath.IsLocal(s.Name) || strings.ContainsAny(s.Name, `/\`) {
				t.Errorf("accepted %+v", s)
			}
		}
	})
}
