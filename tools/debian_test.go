// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:07:28Z
// Spec: openspec/specs/tools/spec.md#requirement-debian-packages
// Diagram: openspec/specs/tools/diagram.md#debian-packages

package tools_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// debianSandbox is a machine on which no program of the lists is found, with
// the packages that $STUB_INSTALLED names and the user $STUB_UID.
func debianSandbox(t *testing.T, installed string) *sandbox {
	t.Helper()
	s := newSandbox(t, "tools/debian")
	s.path = nil
	for _, program := range []string{"bash", "env", "flock"} {
		real, err := exec.LookPath(program)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(real, filepath.Join(s.dir, "stubs", program)); err != nil {
			t.Fatal(err)
		}
	}
	s.write("stubs/dpkg-query", "#!/bin/bash\n[[ \" $STUB_INSTALLED \" == *\" $4 \"* ]] && printf installed\n")
	s.write("stubs/id", "#!/bin/bash\necho \"$STUB_UID\"\n")
	s.write("stubs/apt-get", `#!/bin/bash
echo "$DEBIAN_FRONTEND $*" >>"$STUB_LOG"
[[ $* != *install* ]] || [ -z "${STUB_STALE:-}" ] || [[ $(<"$STUB_LOG") == *update* ]]
`)
	s.env = []string{"STUB_INSTALLED=" + installed, "STUB_UID=0"}
	return s
}

func TestDebian(t *testing.T) {
	t.Parallel()
	const install = "noninteractive -y -q -o DPkg::Lock::Timeout=300 install --no-install-recommends shellcheck\n"
	t.Run("everything is there", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "git python3-venv shellcheck")
		if o := s.run("tools/debian", "lint"); o != (outcome{}) || s.read("log") != "" {
			t.Errorf("it said %+v and called apt-get %q", o, s.read("log"))
		}
	})
	t.Run("a program that came another way", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "git python3-venv")
		s.write("stubs/shellcheck", "#!/bin/bash\n")
		s.expect(s.run("tools/debian", "lint"), 0)
		if s.read("log") != "" {
			t.Errorf("apt-get was called: %s", s.read("log"))
		}
	})
	t.Run("root", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "git python3-venv")
		s.expect(s.run("tools/debian", "lint"), 0, "installing shellcheck")
		if got := s.read("log"); got != install {
			t.Errorf("apt-get was called with %q", got)
		}
	})
	t.Run("root with old package lists", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "git python3-venv")
		s.env = append(s.env, "STUB_STALE=1")
		s.expect(s.run("tools/debian", "lint"), 0, "trying again")
		if got := s.read("log"); got != install+"noninteractive -y -q -o DPkg::Lock::Timeout=300 update\n"+install {
			t.Errorf("apt-get was called with %q", got)
		}
	})
	t.Run("an ordinary user", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "")
		s.env = append(s.env, "STUB_UID=1000")
		s.expect(s.run("tools/debian", "lint"), 3,
			"  sudo apt-get update && sudo apt-get install -y --no-install-recommends git python3-venv shellcheck\n")
		if s.read("log") != "" {
			t.Error("apt-get was called")
		}
	})
	t.Run("not Debian", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "")
		for _, name := range []string{"apt-get", "dpkg-query"} {
			if err := os.Remove(filepath.Join(s.dir, "stubs", name)); err != nil {
				t.Fatal(err)
			}
		}
		s.expect(s.run("tools/debian", "test"), 3, "gcc", "git", "strace", "this system's package manager")
	})
	t.Run("the demo's packages", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "ca-certificates")
		s.env = append(s.env, "STUB_UID=1000")
		o := s.run("tools/debian", "demo")
		s.expect(o, 3, " ansible-core ", " openssh-client ", " xorriso")
		if strings.Contains(o.errors, "ca-certificates") {
			t.Errorf("an installed package is called missing: %s", o.errors)
		}
	})
	t.Run("usage", func(t *testing.T) {
		t.Parallel()
		s := debianSandbox(t, "")
		s.expect(s.run("tools/debian", "lunch"), 2, "usage: ")
	})
}
