// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:29:54Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// testIdentity is the account of the recorded builds.
var testIdentity = Identity{
	Subscription: "22222222-2222-2222-2222-222222222222",
	Tenant:       "11111111-1111-1111-1111-111111111111",
	Client:       "55555555-5555-5555-5555-555555555555",
	Object:       "66666666-6666-6666-6666-666666666666",
	Secret:       "the lab's secret",
}

// hardware remembers what it is told to do. The lab's own tests use real guests.
type hardware struct {
	address string // of every guest; empty: guests do not start

	mu      sync.Mutex
	booted  []Guest
	running map[string]bool
	copies  map[string]string // by copy
	removed []string
}

func (h *hardware) Boot(g Guest, up func(string), down func()) {
	h.mu.Lock()
	h.booted = append(h.booted, g)
	h.running[g.Disk] = h.address != ""
	h.mu.Unlock()
	if h.address == "" {
		go down()
		return
	}
	go up(h.address)
}

func (h *hardware) Shutdown(disk string) { h.PowerOff(disk) }

func (h *hardware) PowerOff(disk string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running[disk] = false
}

func (h *hardware) Copy(from, to string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running[from] {
		return errors.New("the guest runs")
	}
	h.copies[to] = from
	return nil
}

func (h *hardware) Remove(disk string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.removed = append(h.removed, disk)
	return nil
}

func (h *hardware) Delta(disk string) string { return "delta of " + disk }

// bed is a simulated Azure and a client of it.
type bed struct {
	t        *testing.T
	server   *Server
	hardware *hardware
	faults   *fault.Injector
	client   *http.Client
	token    string
}

// newBed starts an Azure and signs in.
func newBed(t *testing.T, faithful bool) *bed {
	t.Helper()
	certificate, pool := newTestCertificate(t)
	b := &bed{
		t:        t,
		hardware: &hardware{address: "127.0.0.1", running: map[string]bool{}, copies: map[string]string{}},
		client: &http.Client{
			Transport:     &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
			Timeout:       30 * time.Second,
		},
	}
	var err error
	b.server, err = Start(Config{
		Identity: testIdentity, TLS: &tls.Config{Certificates: []tls.Certificate{certificate}}, Guests: b.hardware,
		Disks: b.hardware, Faithful: faithful,
	})
	if err != nil {
		t.Fatal(err)
	}
	b.faults = b.server.Faults()
	t.Cleanup(func() {
		b.client.CloseIdleConnections()
		if err := b.server.Close(); err != nil {
			t.Error(err)
		}
	})
	answer := b.send(http.MethodPost, "/"+testIdentity.Tenant+"/oauth2/v2.0/token",
		tokenForm(b.server.URL(), testIdentity.Secret))
	answer.want(http.StatusOK, "")
	b.token, _ = answer.body["access_token"].(string)
	return b
}

// tokenForm is the body of a request for a token.
func tokenForm(base, secret string) string {
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {testIdentity.Client}, "client_secret": {secret},
		"scope": {base + "/.default"},
	}.Encode()
}

// newTestCertificate makes a certificate for 127.0.0.1 that signs itself.
func newTestCertificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, pool
}

// answer is what the simulator answered.
type answer struct {
	t      *testing.T
	call   string
	status int
	header http.Header
	body   map[string]any
}

// send sends a request: body is a form when it is a string, and JSON otherwise. A path without a host is
// that of the simulator.
func (b *bed) send(method, path string, body any) *answer {
	b.t.Helper()
	var content io.Reader
	kind := "application/json"
	switch body := body.(type) {
	case nil:
	case string:
		content, kind = strings.NewReader(body), "application/x-www-form-urlencoded"
	default:
		text, err := json.Marshal(body)
		if err != nil {
			b.t.Fatal(err)
		}
		content = bytes.NewReader(text)
	}
	if strings.HasPrefix(path, "/") {
		path = b.server.URL() + path
	}
	request, err := http.NewRequestWithContext(b.t.Context(), method, path, content)
	if err != nil {
		b.t.Fatal(err)
	}
	request.Header.Set("Content-Type", kind)
	if b.token != "" {
		request.Header.Set("Authorization", "Bearer "+b.token)
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := &answer{t: b.t, call: method + " " + path, status: response.StatusCode, header: response.Header}
	if len(text) != 0 {
		if err := json.Unmarshal(text, &a.body); err != nil {
			b.t.Fatalf("%s answered %q: %v", a.call, text, err)
		}
	}
	return a
}

// want checks the status and, if it is not empty, the error's code.
func (a *answer) want(status int, code string) *answer {
	a.t.Helper()
	if got := arm.Text(a.body, "error", "code"); a.status != status || code != "" && got != code {
		a.t.Fatalf("%s: status %d, %v; want %d %s", a.call, a.status, a.body, status, code)
	}
	return a
}

// settle follows a long-running operation to its end and returns the last status.
func (b *bed) settle(a *answer) *answer {
	b.t.Helper()
	if place := a.header.Get("Location"); place != "" && a.header.Get("Azure-AsyncOperation") == "" {
		a = b.send(http.MethodGet, place, nil)
	}
	place := a.header.Get("Azure-AsyncOperation")
	if place == "" {
		b.t.Fatalf("%s leads to no operation: %d %v", a.call, a.status, a.header)
	}
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		a = b.send(http.MethodGet, place, nil).want(http.StatusOK, "")
		if status := arm.Text(a.body, "status"); status == "Succeeded" || status == "Failed" {
			return a
		}
	}
	b.t.Fatalf("%s does not end", place)
	return nil
}

// groupPath and the others make paths with a version.
func groupPath(name string) string {
	return "/subscriptions/" + testIdentity.Subscription + "/resourceGroups/" + name + "?api-version=2022-09-01"
}

func resourcePath(group, rest, version string) string {
	return "/subscriptions/" + testIdentity.Subscription + "/resourceGroups/" + group +
		"/providers/" + rest + "?api-version=" + version
}

// makeGroup makes a resource group.
func (b *bed) makeGroup(name string, tags map[string]string) {
	b.t.Helper()
	b.send(http.MethodPut, groupPath(name),
		map[string]any{"location": "westeurope", "tags": tags}).want(http.StatusCreated, "")
}

// simpleTemplate is a virtual machine with a card, a network and an address, all of the same name.
func simpleTemplate(change func(resources map[string]map[string]any)) map[string]any {
	const network = "[resourceId('Microsoft.Network/virtualNetworks', parameters('n'))]"
	resources := map[string]map[string]any{
		"vm": {
			"type": arm.VirtualMachines, "apiVersion": "2023-03-01",
			"dependsOn": []string{"[concat('Microsoft.Network/networkInterfaces/', parameters('n'))]"},
			"properties": map[string]any{
				"osProfile": map[string]any{
					"computerName": "[parameters('n')]", "adminUsername": "packer", "adminPassword": "[parameters('p')]",
					"linuxConfiguration": map[string]any{"ssh": map[string]any{
						"publicKeys": []any{map[string]any{"keyData": "ssh-rsa AAAA one"}},
					}},
				},
				"storageProfile": map[string]any{"imageReference": map[string]any{
					"publisher": "Debian", "offer": "debian-12",
					"sku": "12-gen2", "version": "latest",
				}},
				"networkProfile": map[string]any{"networkInterfaces": []any{map[string]any{
					"id": "[resourceId('Microsoft.Network/networkInterfaces', parameters('n'))]",
				}}},
			},
		},
		"nic": {
			"type": arm.NetworkInterfaces, "apiVersion": "2023-04-01",
			"dependsOn": []string{network, "[concat('Microsoft.Network/publicIPAddresses/', parameters('n'))]"},
			"properties": map[string]any{"ipConfigurations": []any{map[string]any{"properties": map[string]any{
				"subnet": map[string]any{"id": "[concat(resourceId('Microsoft.Network/virtualNetworks', " +
					"parameters('n')), '/subnets/default')]"},
				"publicIPAddress": map[string]any{"id": "[resourceId('Microsoft.Network/publicIPAddresses', parameters('n'))]"},
			}}}},
		},
		"ip":   {"type": arm.PublicIPs, "apiVersion": "2023-04-01", "properties": map[string]any{}},
		"vnet": {"type": arm.VirtualNetworks, "apiVersion": "2023-04-01", "properties": map[string]any{}},
	}
	for _, r := range resources {
		r["name"], r["location"] = "[parameters('n')]", "[resourceGroup().location]"
	}
	if change != nil {
		change(resources)
	}
	var listed []any
	for _, name := range []string{"vm", "nic", "ip", "vnet", "more"} {
		if r, ok := resources[name]; ok {
			listed = append(listed, r)
		}
	}
	return map[string]any{"properties": map[string]any{
		"mode":       "Incremental",
		"parameters": map[string]any{"n": map[string]any{"value": "m"}, "p": map[string]any{"value": "a secret"}},
		"template": map[string]any{
			"parameters": map[string]any{"n": map[string]any{"type": "string"}, "p": map[string]any{"type": "securestring"}},
			"resources":  listed,
		},
	}}
}

// deployMachine makes a group with a running machine m.
func (b *bed) deployMachine(group string) {
	b.t.Helper()
	b.makeGroup(group, nil)
	a := b.send(http.MethodPut, resourcePath(group, arm.Deployments+"/d", "2022-09-01"),
		simpleTemplate(nil)).want(http.StatusCreated, "")
	if last := b.settle(a); arm.Text(last.body, "status") != "Succeeded" {
		b.t.Fatalf("the deployment ended with %v", last.body)
	}
}

// resources lists the resources of a group.
func (b *bed) resources(group string) []string {
	for _, g := range b.server.ResourceGroups() {
		if g.Name == group {
			return g.Resources
		}
	}
	return []string{fmt.Sprintf("no group %s", group)}
}

// has reports whether a group has a resource.
func (b *bed) has(group, typeAndName string) bool {
	return slices.Contains(b.resources(group), typeAndName)
}
