// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:27:35Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime/multipart"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// credentials are those of the recorded builds.
var credentials = proxmox.Credentials{
	User: "packer@pve", Password: "lab-password", TokenID: "packer@pve!lab",
	Secret: "lab-secret",
}

// node is a simulator on hardware of the test's own.
type node struct {
	server   *proxmox.Server
	hardware *hardware
	client   *http.Client
	header   http.Header // of every call
}

// reply is the answer to a call.
type reply struct {
	status int
	reason string
	body   map[string]any
}

// newNode starts a simulator.
func newNode(t *testing.T) *node {
	t.Helper()
	return newNodeWith(t, 2*time.Second)
}

// newNodeWith starts a simulator with a settling time.
func newNodeWith(t *testing.T, settle time.Duration) *node {
	t.Helper()
	helper := httptest.NewUnstartedServer(nil)
	helper.StartTLS() // for its certificate
	helper.Close()
	h := &hardware{machines: make(map[string]*machine)}
	server, err := proxmox.Start(proxmox.Config{
		Hardware: h, Credentials: credentials, Dir: t.TempDir(), TLS: helper.TLS, TaskWait: settle, Log: t.Logf,
	})
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(helper.Certificate())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		server.Close()
		h.close()
	})
	return &node{
		server: server, hardware: h, client: &http.Client{Transport: transport},
		header: http.Header{"Authorization": {"PVEAPIToken=" + credentials.TokenID + "=" + credentials.Secret}},
	}
}

// put puts an image into storage.
func (n *node) put(t *testing.T, name string) {
	t.Helper()
	if err := n.server.PutISO(name, "an image\n"); err != nil {
		t.Fatal(err)
	}
}

// rules adds fault rules.
func (n *node) rules(t *testing.T, text string) {
	t.Helper()
	if err := n.server.Faults().Load(text); err != nil {
		t.Fatal(err)
	}
}

// call sends a form.
func (n *node) call(t *testing.T, method, path string, form map[string]string) reply {
	t.Helper()
	values := make(url.Values)
	for name, value := range form {
		values.Set(name, value)
	}
	return n.send(t, method, path, "application/x-www-form-urlencoded", strings.NewReader(values.Encode()))
}

// upload sends a file.
func (n *node) upload(t *testing.T, kind, name, content string) reply {
	t.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	if err := form.WriteField("content", kind); err != nil {
		t.Fatal(err)
	}
	part, err := form.CreateFormFile("filename", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(part, content); err != nil {
		t.Fatal(err)
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	return n.send(t, http.MethodPost, "/nodes/pve1/storage/local/upload", form.FormDataContentType(), &body)
}

// send sends a request.
func (n *node) send(t *testing.T, method, path, kind string, body io.Reader) reply {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, n.server.URL()+path, body)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(request.Header, n.header)
	request.Header.Set("Content-Type", kind)
	response, err := n.client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	got := reply{
		status: response.StatusCode,
		reason: strings.TrimPrefix(response.Status, fmt.Sprint(response.StatusCode, " ")),
	}
	if err := json.NewDecoder(response.Body).Decode(&got.body); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return got
}

// task makes a call and returns its task's exit status.
func (n *node) task(t *testing.T, method, path string, form map[string]string) string {
	t.Helper()
	r := n.call(t, method, path, form)
	upid, ok := r.body["data"].(string)
	if r.status != http.StatusOK || !ok {
		t.Fatalf("%s %s: %d %s %v", method, path, r.status, r.reason, r.body)
	}
	return n.exit(t, upid)
}

// exit returns a task's exit status, or "running".
func (n *node) exit(t *testing.T, upid string) string {
	t.Helper()
	status := n.call(t, http.MethodGet, "/nodes/pve1/tasks/"+upid+"/status", nil)
	data, _ := status.body["data"].(map[string]any)
	if data["status"] == "running" {
		return "running"
	}
	return fmt.Sprint(data["exitstatus"])
}

// vm returns the machine of a number.
func (n *node) vm(t *testing.T, id int) proxmox.VM {
	t.Helper()
	for _, v := range n.server.VMs() {
		if v.ID == id {
			return v
		}
	}
	t.Fatalf("there is no machine %d", id)
	return proxmox.VM{}
}

// ids are the numbers of all machines.
func (n *node) ids() []int {
	list := []int{}
	for _, v := range n.server.VMs() {
		list = append(list, v.ID)
	}
	return list
}

// hardware is what the simulator's machines run on in tests: a guest answers with its name on a port.
type hardware struct {
	mu       sync.Mutex
	machines map[string]*machine
	clones   []string
	removed  []string
}

// machine is one of them.
type machine struct {
	mu       sync.Mutex
	listener net.Listener
	boots    []proxmox.Boot
	down     func()
}

func (h *hardware) Machine(ref string) proxmox.Machine { return h.machine(ref) }

// machine returns the machine of a reference.
func (h *hardware) machine(ref string) *machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.machines[ref] == nil {
		h.machines[ref] = &machine{}
	}
	return h.machines[ref]
}

func (h *hardware) Clone(source, clone string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clones = append(h.clones, source+" "+clone)
	return nil
}

func (h *hardware) Remove(ref string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removed = append(h.removed, ref)
	return nil
}

// close ends all guests.
func (h *hardware) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range h.machines {
		m.PowerOff()
	}
}

// PowerOn listens on a loopback address of its own and greets with the machine's name.
func (m *machine) PowerOn(boot proxmox.Boot, up func(string), down func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.boots, m.down = append(m.boots, boot), down
	listener, err := net.Listen("tcp4", fmt.Sprintf("127.7.7.%d:0", 1+len(boot.Name)))
	if err != nil {
		go down()
		return
	}
	m.listener = listener
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, err = io.WriteString(c, boot.Name+"\n")
			_ = errors.Join(err, c.Close())
		}
	}()
	go up(strings.Split(listener.Addr().String(), ":")[0])
}

func (m *machine) Shutdown() { m.PowerOff() }

func (m *machine) PowerOff() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.listener != nil {
		_ = m.listener.Close()
		m.listener = nil
	}
}

// port is the port of the guest.
func (m *machine) port() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if address, ok := m.listener.Addr().(*net.TCPAddr); ok {
		return address.Port
	}
	return 0
}
