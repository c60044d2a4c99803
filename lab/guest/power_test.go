// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:29Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestPowerOffInsideTheGuest(t *testing.T) {
	for _, command := range []string{
		"sudo shutdown -P now", "sudo shutdown -h now", "sudo poweroff",
		"sudo systemctl poweroff", "sudo halt", "systemctl is-enabled ssh && sudo systemctl --no-wall poweroff",
	} {
		t.Run(command, func(t *testing.T) {
			m := boot(t, nil)
			m.run("echo kept > kept")
			if out, err := m.try(command); err != nil {
				t.Errorf("%v: %s", err, out)
			}
			m.waitEnding(PoweredOff)
			if content, err := os.ReadFile(filepath.Join(m.spec.Upper, "home/builder/kept")); err != nil ||
				string(content) != "kept\n" {
				t.Errorf("the delta lacks the file: %v", err)
			}
		})
	}
}

func TestRebootKeepsTheDisk(t *testing.T) {
	m := boot(t, nil)
	m.run("echo kept > kept; echo gone > /tmp/gone")
	if out, err := m.try("sudo reboot"); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	m.waitEnding(Rebooting)
	m.spec.FirstBoot = false
	m.start()
	if got := m.run("cat kept; ls /tmp"); got != "kept" {
		t.Errorf("after the reboot: %q", got)
	}
}

func TestShutdownFromOutside(t *testing.T) {
	m := boot(t, nil)
	if err := m.Shutdown(); err != nil {
		t.Fatal(err)
	}
	m.waitEnding(PoweredOff)
}

func TestLayers(t *testing.T) {
	first := boot(t, nil)
	first.run("sudo rm /etc/issue; echo first > file; sudo sh -c 'rm -r /etc/skel; mkdir /etc/skel; echo new > " +
		"/etc/skel/new'")
	first.run("sudo poweroff")
	first.waitEnding(PoweredOff)
	second := boot(t, func(s *Spec) {
		s.Lowers = append([]string{first.spec.Upper}, s.Lowers...)
		s.FirstBoot = false
	})
	if got := second.run("cat file; test -e /etc/issue || echo removed; ls -A /etc/skel"); got != "first\nremoved\nnew" {
		t.Errorf("the clone sees %q", got)
	}
	second.run("echo second > file")
	if content, err := os.ReadFile(filepath.Join(first.spec.Upper, "home/builder/file")); err != nil ||
		string(content) != "first\n" {
		t.Errorf("the clone changed its source: %q, %v", content, err)
	}
}

func TestCleanedImageGetsANewIdentity(t *testing.T) {
	m := boot(t, nil)
	before := m.run("cat /etc/machine-id; cat /etc/ssh/ssh_host_ed25519_key.pub")
	m.run("sudo sh -c 'truncate -s 0 /etc/machine-id; rm /etc/ssh/ssh_host_*; reboot'")
	m.waitEnding(Rebooting)
	m.spec.FirstBoot = false
	m.start()
	after := m.run("cat /etc/machine-id; cat /etc/ssh/ssh_host_ed25519_key.pub")
	if before == after || len(after) < 33 {
		t.Errorf("before %q, after %q", before, after)
	}
}

func TestParseInitRequest(t *testing.T) {
	request := func(magic, command, level uint32) []byte {
		b := make([]byte, initRequestSize)
		binary.LittleEndian.PutUint32(b, magic)
		binary.LittleEndian.PutUint32(b[4:], command)
		binary.LittleEndian.PutUint32(b[8:], level)
		return b
	}
	for name, c := range map[string]struct {
		request []byte
		want    Ending
	}{
		"power off":     {request(initRequestMagic, 1, '0'), PoweredOff},
		"reboot":        {request(initRequestMagic, 1, '6'), Rebooting},
		"single user":   {request(initRequestMagic, 1, '1'), ""},
		"other command": {request(initRequestMagic, 2, '0'), ""},
		"other magic":   {request(7, 1, '0'), ""},
		"short":         {make([]byte, 3), ""},
	} {
		if got, _ := parseInitRequest(c.request); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func FuzzParseInitRequest(f *testing.F) {
	f.Add(slices.Repeat([]byte{0x69, 0x19, 0x09, 0x03}, 4))
	f.Fuzz(func(t *testing.T, request []byte) {
		if ending, ok := parseInitRequest(request); ok != (ending != "") {
			t.Errorf("ending %q, %v", ending, ok)
		}
	})
}
