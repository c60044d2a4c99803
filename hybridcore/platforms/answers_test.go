// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:50:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package platforms

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

const (
	strangeRun  = "20261130t170000-1a2b3c4d"
	strangeName = "debian-12-" + strangeRun
)

// plain answers of a platform, by what the address of a request matches.
type plain [][2]string

var plainProxmox = plain{
	{`GET .*/access/permissions$`, `{"data":{"/":{"VM.Audit":1}}}`},
	{`GET .*/cluster/resources`, `{"data":[{"vmid":100,"type":"qemu","node":"pve1","name":"` + strangeName + `"}]}`},
	{`GET .*/qemu/100/config$`, `{"data":{"name":"` + strangeName + `","description":"x","ide2":"local:iso/packer1.iso,media=cdrom","digest":"d"}}`},
	{`GET .*/qemu/100/status/current$`, `{"data":{"status":"running"}}`},
	{`GET .*/tasks/.*/status$`, `{"data":{"status":"stopped","exitstatus":"OK"}}`},
	{`GET .*/content`, `{"data":[{"volid":"local:iso/packer2.iso"}]}`},
	{`DELETE .*`, `{"data":"UPID:pve1:0:0:0:x:x:x:"}`},
	{`POST .*/access/ticket$`, `{"data":{"ticket":"PVE:x","CSRFPreventionToken":"x"}}`},
	{`POST .*`, `{"data":null}`},
}

var plainAzure = plain{
	{`GET .*/metadata/endpoints`, `{"resourceManager":"SELF","authentication":{"loginEndpoint":"SELF","audiences":["https://x"]}}`},
	{`GET .*/openid-configuration`, `{"token_endpoint":"SELF/t/oauth2/v2.0/token","authorization_endpoint":"SELF/t/a","issuer":"SELF/t/v2.0"}`},
	{`POST .*/token$`, `{"access_token":"x","token_type":"Bearer","expires_in":3600}`},
	{`GET .*/tags/default`, `{"properties":{"tags":{}}}`},
	{`PATCH .*/tags/default`, `{"properties":{"tags":{}}}`},
	{`GET .*/versions`, `{"value":[{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/galleries/y/images/d/versions/1.0.0","tags":{"ph_run":"` + strangeRun +
		`","artifact":"` + strangeName + `"},"properties":{"provisioningState":"Failed"}}]}`},
	{`GET .*/providers/Microsoft.Compute/images`, `{"value":[{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/i","name":"` + strangeName +
		`","properties":{"provisioningState":"Succeeded"}}]}`},
	{`GET .*/resourcegroups\?`, `{"value":[{"id":"/subscriptions/s/resourceGroups/ph-x","name":"ph-x","tags":{"ph_run":"` + strangeRun + `","artifact":"` + strangeName + `"}}]}`},
	{`GET .*/resources\?`, `{"value":[{"id":"/subscriptions/s/resourceGroups/h/providers/Microsoft.Compute/disks/d","type":"Microsoft.Compute/disks","name":"d","tags":{"ph_run":"` +
		strangeRun + `","artifact":"` + strangeName + `"}}]}`},
	{`DELETE .*`, ``},
	{`GET .*`, `{}`},
}

// serve serves plain answers, and one of its own to requests of the kind at.
func (p plain) serve(t *testing.T, config *tls.Config, at, status int, body []byte) string {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i, one := range p {
			if !regexp.MustCompile(`(?i)^` + one[0]).MatchString(r.Method + " " + r.URL.RequestURI()) {
				continue
			}
			if i == at {
				w.WriteHeader(status)
				_, _ = w.Write(body)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, strings.ReplaceAll(one[1], "SELF", server.URL))
			return
		}
		http.NotFound(w, r)
	})
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL
}

// everything asks a platform for everything, and returns what went wrong. A panic
// in our own code fails the test; one in a library is an error, which is tested
// for itself.
func everything(t *testing.T, target hybridcore.Target) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	var said []string
	add := func(err error) {
		if panicked, ok := errors.AsType[*hybridcore.PanicError](err); ok && ours(panicked.Stack) {
			t.Errorf("%v\n%s", err, panicked.Stack)
		}
		if err != nil {
			said = append(said, err.Error())
		}
	}
	c, err := Open(ctx, target)
	if add(err); err != nil {
		return err.Error()
	}
	marking, ok := c.(Marker)
	if !ok {
		t.Fatalf("a %T marks nothing", c)
	}
	found, err := c.Find(ctx, strangeName)
	add(err)
	for _, one := range found {
		_, err := marking.Mark(ctx, one, hybridcore.Mark{Release: "r", Image: "debian-12", RunID: strangeRun})
		add(err)
	}
	_, err = c.Reap(ctx, hybridcore.Remains{Name: strangeName, RunID: strangeRun, Media: []string{"packer2.iso"}}, false)
	add(err)
	add(c.Close(ctx))
	return strings.Join(said, "\n")
}

// ours says whether the function that panicked is one of this package.
func ours(stack string) bool {
	_, below, _ := strings.Cut(stack, "\npanic(")
	for line := range strings.Lines(below) {
		if !strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "runtime.") && !strings.HasPrefix(line, "{") && strings.Contains(line, ".") {
			return strings.Contains(line, "packer-hybrid/hybridcore/platforms.")
		}
	}
	return false
}

func onProxmox(address string, more ...string) hybridcore.Target {
	target := hybridcore.Target{Platform: hybridcore.Proxmox}
	return with(target, append([]string{
		"proxmox_url", address + "/api2/json", "proxmox_username", "packer@pve!x", "proxmox_token", "of-a-test", "proxmox_insecure_connection", "true",
		"proxmox_node", "pve1", "iso_storage", "local",
	}, more...)...)
}

func onAzure(address string) hybridcore.Target {
	return with(hybridcore.Target{Platform: hybridcore.Azure},
		"azure_subscription_id", "22222222-2222-2222-2222-222222222222", "azure_tenant_id", "11111111-1111-1111-1111-111111111111",
		"azure_client_id", "55555555-5555-5555-5555-555555555555", "azure_client_secret", azureSecret, "azure_metadata_host", address,
		"azure_resource_group", "g", "azure_gallery", "y", "image", "d")
}

// TestNullIsNoAnswer checks that a platform's null is not taken for an empty list
// or for an object of which nothing is known.
func TestNullIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"null", "[null]", `{"data":[null],"value":[null]}`, `{"data":{"x":[null]},"value":[{"x":[[null]]}]}`} {
		for at, one := range plainProxmox[:7] {
			t.Run("Proxmox "+one[0]+body, func(t *testing.T) {
				t.Parallel()
				said := everything(t, onProxmox(plainProxmox.serve(t, nil, at, http.StatusOK, []byte(body))))
				if !strings.Contains(said, "null") && !strings.Contains(said, "cannot unmarshal") && at != 5 {
					t.Errorf("it says %q", said)
				}
			})
		}
		for at, one := range plainAzure[3:9] {
			t.Run("Azure "+one[0]+body, func(t *testing.T) {
				t.Parallel()
				said := everything(t, onAzure(plainAzure.serve(t, trusted(t), at+3, http.StatusOK, []byte(body))))
				if !strings.Contains(said, "null") {
					t.Errorf("it says %q", said)
				}
			})
		}
	}
}

var strangeAnswers = []string{
	"null", "[null]", "{}", "[]", "", "<html>", `{"data":null}`, `{"data":[null]}`, `{"data":{}}`, `{"data":[{"vmid":null,"type":"qemu","node":null}]}`, `{"data":"UPID:a"}`,
	`{"data":{"name":null,"description":null,"ide2":null,"template":null}}`, `{"value":null}`, `{"value":[null]}`, `{"value":[{"id":null,"tags":null,"properties":null}]}`,
	`{"value":[{"id":"x","tags":{"ph_run":null},"properties":{"storageProfile":null,"provisioningState":null}}]}`, `{"properties":null}`, `{"error":null}`,
	`{"access_token":null}`, `{"authentication":{"audiences":[null]}}`, `{"data":[{"vmid":1`, strings.Repeat("[", 100_000), `{"data":{"x":[null]}}`,
	`{"value":[{"properties":{"storageProfile":{"dataDisks":[null]}}}]}`, `{"value":[` + strings.Repeat(`{},`, 70_000) + `{}]}`,
}

func FuzzProxmoxClient(f *testing.F) {
	for n, body := range strangeAnswers {
		for at := range 4 {
			f.Add(uint8(at*2+n%2), uint16(n%3*(at%2)*100), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, status uint16, body []byte) {
		said := everything(t, onProxmox(plainProxmox.serve(t, nil, int(at)%len(plainProxmox), http.StatusOK+int(status)%229, body)))
		if strings.Contains(said, "of-a-test") && !bytes.Contains(body, []byte("of-a")) {
			t.Errorf("the token is shown: %q", said)
		}
	})
}

func FuzzAzureClient(f *testing.F) {
	for n, body := range strangeAnswers {
		for at := range 5 {
			f.Add(uint8(at*2+n%2), uint16(n%3*(at%2)*100), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, status uint16, body []byte) {
		said := everything(t, onAzure(plainAzure.serve(t, trusted(t), int(at)%len(plainAzure), http.StatusOK+int(status)%208, body))) // of 408 and 5xx it asks again
		if strings.Contains(said, azureSecret) {
			t.Errorf("the secret is shown: %q", said)
		}
	})
}

// spoiled serves a vCenter, of whose answers one has some bytes replaced.
func spoiled(t *testing.T, host string, n int, change func([]byte) []byte) string {
	t.Helper()
	var count atomic.Int32
	proxy := &httputil.ReverseProxy{
		Rewrite:   func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "https", Host: host}) },
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Del("Accept-Encoding")
		recorded := httptest.NewRecorder()
		proxy.ServeHTTP(recorded, r)
		body := recorded.Body.Bytes()
		if int(count.Add(1)) == n+1 {
			body = change(body)
		}
		for key, values := range recorded.Header() {
			if key != "Content-Length" {
				w.Header()[key] = values
			}
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(body)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "https://")
}

// TestVCenterWithoutManagers checks that a server that names no manager of sessions,
// views or files is refused: govmomi follows what it does not name.
func TestVCenterWithoutManagers(t *testing.T) {
	target := vcenter(t)
	host := target.Variables[0].Plain()
	for _, name := range []string{"sessionManager", "viewManager", "fileManager"} {
		element := regexp.MustCompile(`<` + name + `[ >].*?</` + name + `>`)
		found := 0
		address := spoiled(t, host, 0, func(body []byte) []byte {
			found = len(element.FindAll(body, -1))
			return element.ReplaceAll(body, nil)
		})
		said := everything(t, with(target, "vsphere_endpoint", address))
		if found != 1 || !strings.Contains(said, "names no manager of sessions, views or files") {
			t.Errorf("%s was there %d times, and it says %q", name, found, said)
		}
	}
}

// broken is a client of a platform that panics.
type broken struct{}

func (broken) Find(context.Context, string) ([]hybridcore.URI, error) { panic("no find") }

func (broken) Reap(context.Context, hybridcore.Remains, bool) ([]hybridcore.URI, error) {
	panic("no reap")
}

func (broken) Mark(context.Context, hybridcore.URI, hybridcore.Mark) (bool, error) { panic("no mark") }

func (broken) Close(context.Context) error { panic("no close") }

// TestLibraryPanics checks that a panic inside of a client is an error of each call.
func TestLibraryPanics(t *testing.T) {
	t.Parallel()
	c := contained{broken{}}
	found, find := c.Find(t.Context(), "x")
	done, reap := c.Reap(t.Context(), hybridcore.Remains{}, false)
	changed, mark := c.Mark(t.Context(), hybridcore.URI{}, hybridcore.Mark{})
	for want, err := range map[string]error{"no find": find, "no reap": reap, "no mark": mark, "no close": c.Close(t.Context())} {
		if err == nil || !strings.Contains(err.Error(), "the platform's answer could not be used") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
	if len(found) > 0 || len(done) > 0 || changed {
		t.Error(found, done, changed)
	}
}

func FuzzVSphereClient(f *testing.F) {
	target := vcenter(f)
	host := target.Variables[0].Plain()
	for n := range 24 {
		f.Add(uint8(n), uint16(0), uint16(60_000), []byte([]string{"null", `{"value":null}`, `{"value":[null]}`, "<x/>", ""}[n%5]))
		f.Add(uint8(n), uint16(300+n*20), uint16(80), []byte(""))
	}
	element := regexp.MustCompile(`<([A-Za-z]+)[^>]*>[^<]*</[A-Za-z]+>`)
	f.Fuzz(func(t *testing.T, n uint8, from, length uint16, insert []byte) {
		address := spoiled(t, host, int(n)%40, func(body []byte) []byte {
			if length%7 == 0 { // whole elements, so that it stays XML
				all := element.FindAllIndex(body, -1)
				if len(all) > 0 {
					one := all[int(from)%len(all)]
					return append(append(bytes.Clone(body[:one[0]]), insert...), body[one[1]:]...)
				}
			}
			start := min(int(from), len(body))
			return append(append(bytes.Clone(body[:start]), insert...), body[min(start+int(length), len(body)):]...)
		})
		said := everything(t, with(target, "vsphere_endpoint", address, "vsphere_datastore", "LocalDS_0"))
		if strings.Contains(said, password) {
			t.Errorf("the password is shown: %q", said)
		}
	})
}
