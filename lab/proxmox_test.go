// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:37:34Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-guest-address
// Diagram: openspec/specs/lab-proxmox/diagram.md#life-of-a-machine

package lab

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"

	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// proxmoxClient calls a lab's Proxmox VE with what the lab's environment says, and nothing else.
type proxmoxClient struct {
	env  map[string]string
	http *http.Client
}

// newProxmoxClient reads a lab's environment.
func newProxmoxClient(t *testing.T, l *Lab) *proxmoxClient {
	t.Helper()
	c := &proxmoxClient{env: make(map[string]string)}
	for _, entry := range l.Env() {
		name, value, _ := strings.Cut(entry, "=")
		c.env[strings.TrimPrefix(name, "PKR_VAR_")] = value
	}
	bundle, err := os.ReadFile(c.env["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(bundle)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	c.http = &http.Client{Transport: transport}
	return c
}

// call makes a call and returns its data. A task has to have ended well.
func (c *proxmoxClient) call(t *testing.T, method, path string, form url.Values) any {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, c.env["proxmox_url"]+path,
		strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Authorization", "PVEAPIToken="+c.env["proxmox_username"]+"="+c.env["proxmox_token"])
	response, err := c.http.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct{ Data any }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s %v", method, path, response.Status, err)
	}
	if upid, ok := answer.Data.(string); ok && strings.HasPrefix(upid, "UPID:") {
		status, _ := c.call(t, http.MethodGet, "/nodes/pve1/tasks/"+upid+"/status", nil).(map[string]any)
		if status["exitstatus"] != "OK" {
			t.Fatalf("%s %s: task %v", method, path, status)
		}
	}
	return answer.Data
}

// address asks the agent for the guest's address.
func (c *proxmoxClient) address(t *testing.T, id string) netip.Addr {
	t.Helper()
	text, err := json.Marshal(c.call(t, http.MethodGet, "/nodes/pve1/qemu/"+id+"/agent/network-get-interfaces", nil))
	if err != nil {
		t.Fatal(err)
	}
	var agent struct {
		Result []struct {
			Addresses []struct {
				IP netip.Addr `json:"ip-address"`
			} `json:"ip-addresses"`
		}
	}
	if err := json.Unmarshal(text, &agent); err != nil {
		t.Fatal(err)
	}
	for _, card := range agent.Result {
		for _, a := range card.Addresses {
			if !a.IP.IsLoopback() {
				return a.IP
			}
		}
	}
	t.Fatalf("the agent reports loopback addresses only: %s", text)
	return netip.Addr{}
}

// run signs in to a guest by the proxy and runs a command.
func (c *proxmoxClient) run(t *testing.T, address netip.Addr, auth ssh.AuthMethod, command string) string {
	t.Helper()
	proxy := net.JoinHostPort(c.env["proxmox_ssh_proxy_host"], c.env["proxmox_ssh_proxy_port"])
	connection, err := (&net.Dialer{}).DialContext(t.Context(), "tcp4", proxy)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	port, err := strconv.Atoi(c.env["communicator_port"])
	if err != nil {
		t.Fatal(err)
	}
	ip := address.As4()
	if _, err := connection.Write(append([]byte{5, 1, 0, 5, 1, 0, 1},
		append(ip[:], byte(port>>8), byte(port))...)); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 12)
	if _, err := io.ReadFull(connection, answer); err != nil || answer[3] != 0 {
		t.Fatalf("the proxy answers %x: %v", answer, err)
	}
	config := &ssh.ClientConfig{
		User: c.env["build_username"], Auth: []ssh.AuthMethod{auth},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	}
	conn, channels, requests, err := ssh.NewClientConn(connection, proxy, config)
	if err != nil {
		t.Fatal(err)
	}
	client := ssh.NewClient(conn, channels, requests)
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	out, err := session.CombinedOutput(command)
	if err != nil {
		t.Fatalf("%s: %v: %s", command, err, out)
	}
	return strings.TrimSpace(string(out))
}

// proxmoxVM returns a virtual machine of the lab.
func proxmoxVM(t *testing.T, l *Lab, id int) proxmox.VM {
	t.Helper()
	for _, vm := range l.Proxmox().VMs() {
		if vm.ID == id {
			return vm
		}
	}
	t.Fatalf("there is no virtual machine %d", id)
	return proxmox.VM{}
}

// TestProxmoxBuilds goes the way of two builds at once: from an ISO, with the build user's password, and from
// a clone, with a key that cloud-init brings.
func TestProxmoxBuilds(t *testing.T) {
	t.Parallel()
	l := startLab(t)
	c := newProxmoxClient(t, l)
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	c.call(t, http.MethodPost, "/nodes/pve1/qemu", url.Values{
		"vmid": {"100"}, "name": {"from-iso"}, "tags": {"run;lab"}, "agent": {"1"}, "net0": {"virtio,bridge=vmbr0"},
		"scsi0": {"local-lvm:8"}, "ide0": {"local:iso/debian-12.iso,media=cdrom"},
	})
	c.call(t, http.MethodPost, fmt.Sprintf("/nodes/pve1/qemu/%d/clone", ProxmoxBaseID),
		url.Values{"newid": {"101"}, "name": {"from-clone"}, "full": {"1"}})
	c.call(t, http.MethodPut, "/nodes/pve1/qemu/101/config", url.Values{
		"ciuser": {c.env["build_username"]}, "sshkeys": {url.PathEscape(string(ssh.MarshalAuthorizedKey(key)))},
	})
	for id, auth := range map[string]ssh.AuthMethod{
		"100": ssh.Password(c.env["build_password"]),
		"101": ssh.PublicKeys(signer),
	} {
		c.call(t, http.MethodPost, "/nodes/pve1/qemu/"+id+"/status/start", nil)
		if got, want := c.run(t, c.address(t, id), auth,
			"sudo touch /etc/proof; hostname"), map[string]string{"100": "from-iso", "101": "from-clone"}[id]; got != want {
			t.Errorf("behind %s is %q, want %q", id, got, want)
		}
	}
	for _, id := range []string{"100", "101"} {
		c.call(t, http.MethodPost, "/nodes/pve1/qemu/"+id+"/status/shutdown", nil)
		c.call(t, http.MethodPost, "/nodes/pve1/qemu/"+id+"/template", nil)
	}
	image := proxmoxVM(t, l, 100)
	if !image.Template || image.Running || strings.Join(image.Tags, " ") != "run lab" {
		t.Errorf("the image is %+v", image)
	}
	if _, err := os.Stat(filepath.Join(l.machines.of(image.Ref).delta(), "etc", "proof")); err != nil {
		t.Errorf("the guest's change is not in the image: %v", err)
	}
	reuse(t, l, c, signer)
}

// reuse clones the image made from an ISO and checks that the clone has its changes; then deletes everything.
func reuse(t *testing.T, l *Lab, c *proxmoxClient, signer ssh.Signer) {
	t.Helper()
	key := string(ssh.MarshalAuthorizedKey(signer.PublicKey()))
	c.call(t, http.MethodPost, "/nodes/pve1/qemu/100/clone",
		url.Values{"newid": {"102"}, "name": {"again"}, "full": {"1"}})
	c.call(t, http.MethodPut, "/nodes/pve1/qemu/102/config", url.Values{
		"ide1": {"local-lvm:cloudinit"}, "ciuser": {c.env["build_username"]}, "sshkeys": {url.PathEscape(key)},
	})
	c.call(t, http.MethodPost, "/nodes/pve1/qemu/102/status/start", nil)
	if got := c.run(t, c.address(t, "102"), ssh.PublicKeys(signer),
		"ls /etc/proof; hostname"); got != "/etc/proof\nagain" {
		t.Errorf("the clone says %q", got)
	}
	c.call(t, http.MethodPost, "/nodes/pve1/qemu/102/status/stop", nil)
	for _, id := range []string{"102", "101", "100"} {
		c.call(t, http.MethodDelete, "/nodes/pve1/qemu/"+id, nil)
	}
	if left := l.Proxmox().VMs(); len(left) != 1 || left[0].Name != ProxmoxBaseName {
		t.Errorf("machines are left: %+v", left)
	}
	if disks, err := os.ReadDir(filepath.Join(l.Dir(), "disks")); err != nil || len(disks) != 0 {
		t.Errorf("%d disks are left: %v", len(disks), err)
	}
}
