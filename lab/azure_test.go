// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:36:53Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-deployments
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package lab

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// azureClient calls a lab's Azure as a command in the lab's environment would.
type azureClient struct {
	t      *testing.T
	client *http.Client
	env    map[string]string
	token  string
}

func newAzureClient(t *testing.T, l *Lab) *azureClient {
	t.Helper()
	c := &azureClient{t: t, env: make(map[string]string)}
	for _, one := range l.Env() {
		name, value, _ := strings.Cut(one, "=")
		c.env[strings.TrimPrefix(name, "PKR_VAR_azure_")] = value
	}
	authorities, err := os.ReadFile(c.env["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(authorities)
	c.client = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}, Timeout: time.Minute}
	t.Cleanup(c.client.CloseIdleConnections)
	response, err := c.client.PostForm(c.env["metadata_host"]+"/"+c.env["tenant_id"]+"/oauth2/v2.0/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.env["client_id"]}, "client_secret": {c.env["client_secret"]},
		"scope": {c.env["metadata_host"] + "/.default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("no token: %d, %v", response.StatusCode, err)
	}
	c.token = answer.Token
	return c
}

// send sends a request below the subscription and follows what it starts to its end.
func (c *azureClient) send(method, path string, body any) map[string]any {
	c.t.Helper()
	content, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	if strings.HasPrefix(path, "/") {
		path = c.env["metadata_host"] + "/subscriptions/" + c.env["subscription_id"] + path
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, path, bytes.NewReader(content))
	if err != nil {
		c.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+c.token)
	response, err := c.client.Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil && response.ContentLength != 0 ||
		response.StatusCode >= 300 {
		c.t.Fatalf("%s %s: status %d, %v, %v", method, path, response.StatusCode, answer, err)
	}
	place := response.Header.Get("Azure-AsyncOperation")
	if place == "" {
		return answer
	}
	var last map[string]any
	eventually(c.t, "the operation ends", func() bool {
		last = c.send(http.MethodGet, place, nil)
		return last["status"] == "Succeeded" || last["status"] == "Failed"
	})
	if last["status"] != "Succeeded" {
		c.t.Fatalf("%s %s ended with %v", method, path, last)
	}
	return answer
}

// azureTemplate is a machine of the name vm with a card, a network and an address.
func azureTemplate(key string) map[string]any {
	resource := func(kind, version string, dependsOn []string, properties map[string]any) map[string]any {
		return map[string]any{
			"type": kind, "name": "vm", "apiVersion": version, "location": "[resourceGroup().location]",
			"dependsOn": dependsOn, "properties": properties,
		}
	}
	id := func(id string) map[string]any { return map[string]any{"id": id} }
	network := "[resourceId('Microsoft.Network/virtualNetworks', 'vm')]"
	address := "[resourceId('Microsoft.Network/publicIPAddresses', 'vm')]"
	card := "[resourceId('Microsoft.Network/networkInterfaces', 'vm')]"
	return map[string]any{"properties": map[string]any{
		"mode": "Incremental",
		"template": map[string]any{"resources": []any{
			resource("Microsoft.Compute/virtualMachines", "2023-03-01", []string{card}, map[string]any{
				"osProfile": map[string]any{
					"computerName": "vm", "adminUsername": "azureuser",
					"linuxConfiguration": map[string]any{"ssh": map[string]any{"publicKeys": []any{map[string]any{"keyData": key}}}},
				},
				"storageProfile": map[string]any{"imageReference": map[string]any{
					"publisher": "Debian", "offer": "debian-12",
					"sku": "12-gen2",
				}},
				"networkProfile": map[string]any{"networkInterfaces": []any{id(card)}},
			}),
			resource("Microsoft.Network/networkInterfaces", "2023-04-01", []string{network, address}, map[string]any{
				"ipConfigurations": []any{map[string]any{"properties": map[string]any{
					"publicIPAddress": id(address),
					"subnet":          id("[concat(resourceId('Microsoft.Network/virtualNetworks', 'vm'), '/subnets/default')]"),
				}}},
			}),
			resource("Microsoft.Network/publicIPAddresses", "2023-04-01", nil, map[string]any{}),
			resource("Microsoft.Network/virtualNetworks", "2023-04-01", nil, map[string]any{}),
		}},
	}}
}

// newKey makes a key to sign in with.
func newKey(t *testing.T) ssh.Signer {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// inGuest runs a command in a guest.
func inGuest(address, user, command string, key ssh.Signer) (string, error) {
	client, err := ssh.Dial("tcp", address, &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(key)}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
		Timeout: 10 * time.Second,
	})
	if err != nil {
		return "", err
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		return "", err
	}
	defer session.Close()
	out, err := session.CombinedOutput(command)
	return string(out), err
}

func TestAzureMachineIsAGuest(t *testing.T) {
	own, other := newKey(t), newKey(t)
	config := testConfig(t)
	config.AuthorizedKeys = []string{string(ssh.MarshalAuthorizedKey(other.PublicKey()))}
	l, err := Start(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
	c := newAzureClient(t, l)
	const group = "/resourceGroups/run-1"
	const networks, compute = "/providers/Microsoft.Network", "/providers/Microsoft.Compute"
	c.send(http.MethodPut, group+"?api-version=2022-09-01",
		map[string]any{"location": "westeurope", "tags": map[string]string{"run": "1"}})
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(own.PublicKey())))
	c.send(http.MethodPut, group+"/providers/Microsoft.Resources/deployments/d?api-version=2022-09-01", azureTemplate(key))
	public := c.send(http.MethodGet, group+networks+"/publicIPAddresses/vm?api-version=2023-09-01", nil)
	properties, _ := public["properties"].(map[string]any)
	ip, _ := properties["ipAddress"].(string)
	address := net.JoinHostPort(ip, strconv.Itoa(l.machines.port))

	out, err := inGuest(address, "azureuser",
		"cat ~/.ssh/authorized_keys; hostname; echo captured | sudo tee /etc/captured", own)
	if want := key + "\nvm\ncaptured\n"; err != nil || out != want {
		t.Errorf("the guest said %q, %v; want %q", out, err, want)
	}
	for user, with := range map[string]ssh.Signer{"azureuser": other, l.config.User: own, "root": own} {
		if out, err := inGuest(address, user, "id", with); err == nil {
			t.Errorf("%s signed in: %q", user, out)
		}
	}

	machine := group + compute + "/virtualMachines/vm"
	c.send(http.MethodPost, machine+"/deallocate?api-version=2022-03-01", nil)
	if left := guestsOf(l.Dir()); len(left) != 0 {
		t.Errorf("guests run after the deallocation: %v", left)
	}
	c.send(http.MethodPost, machine+"/generalize?api-version=2022-03-01", nil)
	source := map[string]any{"id": "/subscriptions/" + c.env["subscription_id"] + machine}
	c.send(http.MethodPut, "/resourceGroups/golden-images"+compute+"/images/golden?api-version=2022-03-01",
		map[string]any{"location": "westeurope", "properties": map[string]any{"sourceVirtualMachine": source}})
	c.send(http.MethodDelete, group+"?api-version=2022-09-01", nil)

	images, groups := l.Azure().Images(), l.Azure().ResourceGroups()
	if len(images) != 1 || images[0].State != "Succeeded" || len(groups) != 1 {
		t.Fatalf("images %+v, groups %+v", images, groups)
	}
	if content, err := os.ReadFile(filepath.Join(images[0].Delta, "etc/captured")); err != nil ||
		string(content) != "captured\n" {
		t.Errorf("the image holds %q, %v", content, err)
	}
	c.send(http.MethodDelete, "/resourceGroups/golden-images"+compute+"/images/golden?api-version=2022-03-01", nil)
	if left, _ := os.ReadDir(filepath.Join(l.Dir(), "disks")); len(left) != 0 {
		t.Errorf("disks left: %v", left)
	}
}

func TestAzureDeletionEndsTheGuest(t *testing.T) {
	l := startLab(t)
	c := newAzureClient(t, l)
	const group = "/resourceGroups/run-2"
	c.send(http.MethodPut, group+"?api-version=2022-09-01", map[string]any{"location": "westeurope"})
	key := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newKey(t).PublicKey())))
	c.send(http.MethodPut, group+"/providers/Microsoft.Resources/deployments/d?api-version=2022-09-01", azureTemplate(key))
	if len(guestsOf(l.Dir())) == 0 {
		t.Error("no guest runs")
	}
	c.send(http.MethodDelete, group+"?api-version=2022-09-01", nil)
	if left := guestsOf(l.Dir()); len(left) != 0 {
		t.Errorf("guests left: %v", left)
	}
	if left, _ := os.ReadDir(filepath.Join(l.Dir(), "disks")); len(left) != 0 {
		t.Errorf("disks left: %v", left)
	}
}
