// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:40:51Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/ssh"
)

const (
	passwd = "root:x:0:0:root:/root:/bin/bash\n# odd line\nbad:x:nine:0::/:/bin/sh\npacker:x:1000:1000::/home/packer:\n"
	group  = "root:x:0:\nsudo:x:27:other,packer\nbroken\nodd:x:x:packer\npacker:x:1000:packer\n"
)

func TestParseAccount(t *testing.T) {
	got, ok := parseAccount([]byte(passwd), []byte(group), "packer")
	want := &account{
		name: "packer", home: "/home/packer", shell: "/bin/sh", uid: 1000, gid: 1000,
		groups: []uint32{1000, 27},
	}
	if !ok {
		t.Fatal("not found")
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(account{})); diff != "" {
		t.Error(diff)
	}
	for _, name := range []string{"", "bad", "nobody", "packer:x"} {
		if _, ok := parseAccount([]byte(passwd), []byte(group), name); ok {
			t.Errorf("%q was found", name)
		}
	}
}

func TestParseEnvironment(t *testing.T) {
	file := "# comment\nA=1\nexport B=\"two words\"\nC='x'\n=nothing\nno assignment\nD E=1\nF=\"open\n"
	want := []string{"A=1", "B=two words", "C=x", `F="open`}
	if diff := cmp.Diff(want, parseEnvironment([]byte(file))); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseAccount(f *testing.F) {
	f.Add([]byte(passwd), []byte(group), "packer")
	f.Fuzz(func(t *testing.T, passwd, group []byte, name string) {
		a, ok := parseAccount(passwd, group, name)
		if !ok {
			return
		}
		if a.name != name || strings.ContainsAny(name, ":\n") || a.shell == "" || len(a.groups) == 0 || a.groups[0] != a.gid {
			t.Errorf("account %+v of %q", a, name)
		}
	})
}

func FuzzParseEnvironment(f *testing.F) {
	f.Add([]byte("A=1\nexport B='c'\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		for _, entry := range parseEnvironment(file) {
			name, _, ok := strings.Cut(entry, "=")
			if !ok || name == "" || strings.ContainsAny(entry, "\x00\n") {
				t.Errorf("entry %q", entry)
			}
		}
	})
}

func FuzzParseTerminal(f *testing.F) {
	f.Add(ssh.Marshal(struct {
		Term       string
		C, R, W, H uint32
		Modes      string
	}{"xterm", 80, 24, 0, 0, ""}))
	f.Fuzz(func(t *testing.T, payload []byte) {
		if term, _, err := parseTerminal(payload); err == nil && strings.ContainsAny(term, "\x00\n=\x1b") {
			t.Errorf("terminal name %q", term)
		}
	})
}

func FuzzParseInitRequest(f *testing.F) {
	f.Add(slices.Repeat([]byte{0x69, 0x19, 0x09, 0x03}, 4))
	f.Fuzz(func(t *testing.T, request []byte) {
		if ending, ok := parseInitRequest(request); ok != (ending != "") {
			t.Errorf("ending %q, %v", ending, ok)
		}
	})
}

func FuzzHoldsKey(f *testing.F) {
	f.Add([]byte("# none\nssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOEKM16TbkvNk3Ec+rPsorbp3mRnJEdrS8olbW29wlim x\n"),
		[]byte("x"))
	f.Fuzz(func(t *testing.T, file, offered []byte) {
		if holdsKey(file, offered) && len(offered) == 0 {
			t.Error("an empty key was accepted")
		}
	})
}
