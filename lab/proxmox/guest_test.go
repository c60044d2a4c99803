// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:34:51Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-guest-address
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// start creates and starts a machine and returns the address that its agent reports.
func (n *node) start(t *testing.T, id, name string) string {
	t.Helper()
	n.ok(t, "POST", "/nodes/pve1/qemu", newVM(id, name))
	n.ok(t, "POST", "/nodes/pve1/qemu/"+id+"/status/start", nil)
	data, _ := n.call(t, "GET", "/nodes/pve1/qemu/"+id+"/agent/network-get-interfaces", nil).body["data"].(map[string]any)
	interfaces, _ := data["result"].([]any)
	for _, one := range interfaces {
		card, _ := one.(map[string]any)
		if card["name"] == "lo" {
			continue
		}
		addresses, _ := card["ip-addresses"].([]any)
		for _, a := range addresses {
			address, _ := a.(map[string]any)
			text, _ := address["ip-address"].(string)
			return text
		}
	}
	t.Fatalf("the agent of %s reports no address: %v", id, data)
	return ""
}

// through connects by the proxy and returns what the guest says, or the proxy's refusal.
func (n *node) through(t *testing.T, address string, port int) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp4", n.server.ProxyAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ip := netip.MustParseAddr(address).As4()
	request := append([]byte{5, 1, 0, 5, 1, 0, 1}, append(ip[:], byte(port>>8), byte(port))...)
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(c, answer); err != nil {
		t.Fatal(err)
	}
	if answer[3] != 0 {
		return "refused"
	}
	said, err := io.ReadAll(c)
	if err != nil {
		t.Fatal(err)
	}
	return string(said)
}

func TestGuestAddress(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	one, two := n.start(t, "100", "one"), n.start(t, "101", "the-other")
	if one != "198.18.0.1" || two != "198.18.0.2" {
		t.Fatalf("the agents report %s and %s", one, two)
	}
	first, second := n.hardware.machine("qemu-100-1").port(), n.hardware.machine("qemu-101-2").port()
	if got := n.through(t, one, first); got != "one\n" {
		t.Errorf("behind %s is %q", one, got)
	}
	if got := n.through(t, two, second); got != "the-other\n" {
		t.Errorf("behind %s is %q", two, got)
	}
	for _, other := range []string{"127.0.0.1", "198.18.0.3", "192.0.2.1"} {
		if got := n.through(t, other, first); got != "refused" {
			t.Errorf("behind %s is %q, want a refusal", other, got)
		}
	}
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/stop", nil)
	if got := n.through(t, one, first); got != "refused" {
		t.Errorf("behind a stopped machine is %q, want a refusal", got)
	}
}

func TestAgentErrors(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	n.ok(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
	const agent = "/nodes/pve1/qemu/100/agent/network-get-interfaces"
	n.refused(t, "GET", agent, nil, "VM 100 is not running")
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/start", nil)
	n.call(t, "PUT", "/nodes/pve1/qemu/100/config", map[string]string{"agent": "0"})
	n.refused(t, "GET", agent, nil, "No QEMU guest agent configured")
}

// TestGuestEnds checks that a guest that powers off by itself stops its machine, and that the report of an
// earlier guest does not.
func TestGuestEnds(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	n.start(t, "100", "one")
	m := n.hardware.machine("qemu-100-1")
	earlier := m.down
	earlier()
	if n.vm(t, 100).Running {
		t.Fatal("the machine runs although its guest ended")
	}
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/start", nil)
	earlier()
	if !n.vm(t, 100).Running {
		t.Error("the report of an earlier guest stopped the machine")
	}
}

func TestCloudInit(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	form := newVM("100", "one")
	form["ide1"], form["ciuser"] = "local-lvm:cloudinit", "packer"
	form["sshkeys"] = "ssh-ed25519%20AAA%2B%20me%0Assh-rsa%20BBB%0A"
	n.ok(t, "POST", "/nodes/pve1/qemu", form)
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/start", nil)
	want := []proxmox.Boot{{
		Name: "one", CloudInit: true,
		Account: proxmox.Account{User: "packer", Keys: []string{"ssh-ed25519 AAA+ me", "ssh-rsa BBB"}},
	}}
	if diff := cmp.Diff(want, n.hardware.machine("qemu-100-1").boots); diff != "" {
		t.Errorf("boots (-want +got):\n%s", diff)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	const path = "/nodes/pve1/qemu/100/sendkey"
	n.ok(t, "POST", "/nodes/pve1/qemu", newVM("100", "one"))
	n.refused(t, "PUT", path, map[string]string{"key": "a"}, "VM 100 not running")
	n.ok(t, "POST", "/nodes/pve1/qemu/100/status/start", nil)
	for _, key := range []string{
		"esc", "a", "shift-b", "1", "shift-2", "spc", "shift-semicolon", "slash", "ctrl-x", "f10",
		"shift-tab", "ret",
	} {
		n.call(t, "PUT", path, map[string]string{"key": key})
	}
	if got, want := n.vm(t, 100).Typed, "<esc>aB1@ :/<ctrl+>x<f10><shift+><tab><enter>"; got != want {
		t.Errorf("typed %q, want %q", got, want)
	}
	n.refused(t, "PUT", path, map[string]string{"key": "a b"}, "Parameter verification failed.")
}

// TestJSONParameters checks the form in which other clients send.
func TestJSONParameters(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	n.put(t, "a.iso")
	body := `{"vmid":100,"name":"one","onboot":true,"cores":2,"kvm":false}`
	if r := n.send(t, "POST", "/nodes/pve1/qemu", "application/json", bytes.NewReader([]byte(body))); r.status != 200 {
		t.Fatalf("%d %s %v", r.status, r.reason, r.body)
	}
	want := map[string]string{
		"name": "one", "onboot": "1", "cores": "2", "kvm": "0", "smbios1": identity(t, n.vm(t, 100)),
	}
	if diff := cmp.Diff(want, n.vm(t, 100).Settings); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
}
