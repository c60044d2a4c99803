// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:55:00Z
// Spec: openspec/specs/runner/spec.md#requirement-one-record-of-many-parts
// Diagram: openspec/specs/runner/diagram.md#fan-out

package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// onlyFor leaves of an environment what a job for one platform has.
func onlyFor(platform string, environ []string) []string {
	return slices.DeleteFunc(slices.Clone(environ), func(entry string) bool {
		for _, other := range hybridcore.PlatformNames() {
			if other != platform && strings.HasPrefix(entry, "PKR_VAR_"+other+"_") {
				return true
			}
		}
		return false
	})
}

// part runs one job of a matrix: another checkout, another state, and the
// credentials of its own platform only.
func (b *bed) part(t *testing.T, platform, command, parts string) {
	t.Helper()
	s := site{t, t.TempDir()}
	s.git("clone", "-q", b.dir, ".")
	cmd := b.command(strings.Fields(command)...)
	cmd.Dir, cmd.Env = s.dir, onlyFor(platform, cmd.Env)
	out, err := cmd.CombinedOutput()
	if code := exitCode(t, err); code != 0 || !strings.Contains(string(out), "artifacts/parts/debian-12@"+platform) {
		t.Errorf("%s: exit %d\n%s", command, code, out)
		return
	}
	if err := os.CopyFS(filepath.Join(parts, "part-"+platform), os.DirFS(filepath.Join(s.dir, "artifacts"))); err != nil {
		t.Error(err)
	}
}

// testFanOut builds an image for three platforms in three jobs, collects them
// into one record, and publishes what they built.
func testFanOut(t *testing.T, b *bed) {
	t.Helper()
	s := site{t, b.dir}
	s.git("init", "-q", "-b", "main", "--template=")
	s.git("add", "-A")
	s.git("commit", "-q", "-m", "base")
	cmd := b.command("plan", "debian-12", "--matrix", "github")
	text, err := cmd.Output()
	var matrix struct {
		Include []struct{ Image, Platform, Digest string }
	}
	if err != nil || json.Unmarshal(text, &matrix) != nil || len(matrix.Include) != 3 {
		t.Fatalf("%v: %s", err, text)
	}
	parts := filepath.Join(t.TempDir(), "parts")
	var jobs sync.WaitGroup
	for _, row := range matrix.Include {
		jobs.Go(func() {
			b.part(t, row.Platform, "build "+row.Image+" --targets "+row.Platform+" --part "+row.Digest+" --commit "+s.head(),
				parts)
		})
	}
	jobs.Wait()
	if code, out := b.run(t, "publish", "debian-12", "--release", "v1.0.0"); code != hybridcore.ExitFailed ||
		!strings.Contains(out, "it is not built from this tree: never built in lab") {
		t.Errorf("before it is collected: exit %d\n%s", code, out)
	}
	collector := b.command("collect", parts, "--image", "debian-12")
	collector.Env = onlyFor("none", collector.Env)
	out, err := collector.CombinedOutput()
	if code := exitCode(t, err); code != 0 {
		t.Fatalf("collect: exit %d\n%s", code, out)
	}
	rec := b.record(t)
	want(t, string(out), "debian-12@proxmox  built", "debian-12@vsphere  built", "debian-12@azure    built",
		"identical in what is compared, but for", "record  "+rec.RunID)
	if len(rec.Results) != 3 || len(rec.Parity) != 1 || len(rec.Parity[0].Manifests) != 3 ||
		rec.Request.Action != hybridcore.ActionBuild {
		t.Errorf("the record: %+v", rec)
	}
	b.releasedInJobs(t)
	s.git("tag", "v1.0.0")
	b.released(t, rec)
	b.withdrawn(t)
	b.nothingOn(t)
	b.noSecret(t, string(out))
}

// released publishes what was built under the name of the tag, twice.
func (b *bed) released(t *testing.T, built hybridcore.Record) {
	t.Helper()
	code, out := b.run(t, "publish", "debian-12", "--dry-run")
	if code != 0 || strings.Contains(strings.Join(b.marks(t), "\n"), "v1.0.0") {
		t.Errorf("dry run: exit %d, marks %v\n%s", code, b.marks(t), out)
	}
	want(t, out, "would be marked as release v1.0.0")
	// The network breaks when Azure has its tag: the next publish completes the release.
	rule, err := fault.ParseRule(`PATCH /subscriptions/** status=403 reason="no write"`)
	if err != nil {
		t.Fatal(err)
	}
	b.lab.Azure().Faults().Add(rule)
	code, out = b.run(t, "publish", "debian-12")
	b.lab.Azure().Faults().Clear()
	if code != hybridcore.ExitFailed {
		t.Errorf("with a refusal: exit %d\n%s", code, out)
	}
	want(t, out, "debian-12@azure    failed", "no write", "it completes the release v1.0.0")
	if code, out = b.run(t, "publish", "debian-12"); code != 0 {
		t.Fatalf("publish: exit %d\n%s", code, out)
	}
	want(t, out, "debian-12@proxmox  published", "debian-12@vsphere  published", "debian-12@azure    published",
		"release v1.0.0 of lab in artifacts/release.json")
	file, err := os.ReadFile(filepath.Join(b.dir, "artifacts", "release.json"))
	if err != nil {
		t.Fatal(err)
	}
	valid(t, compileSchema(t, "release"), string(file))
	marks := b.marks(t)
	for i, res := range built.Results {
		run := strings.TrimPrefix(res.Artifact.URIs[0].Name, "debian-12-")
		text := "debian-12, run " + built.RunID + ", commit " + built.Commit
		if n := len(slices.DeleteFunc(slices.Clone(marks), func(m string) bool {
			return !strings.HasPrefix(m, string(res.Platform)) || !strings.Contains(m, text) || !strings.Contains(m, "v1.0.0")
		})); n != len(res.Artifact.URIs) || run == "" {
			t.Errorf("%s (%d): %d marks of %d objects in\n%s", res.Target, i, n, len(res.Artifact.URIs),
				strings.Join(marks, "\n"))
		}
	}
	_, status := b.run(t, "status")
	want(t, status, "released: lab/debian-12@azure is v1.0.0")
	code, out = b.run(t, "publish", "debian-12")
	again, err := os.ReadFile(filepath.Join(b.dir, "artifacts", "release.json"))
	if code != 0 || err != nil || string(again) != string(file) || !slices.Equal(b.marks(t), marks) {
		t.Errorf("again: exit %d, %v\n%s\n%s", code, err, out, again)
	}
	want(t, out, "debian-12@azure    unchanged", "release v1.0.0 of lab in artifacts/release.json")
	b.noSecret(t, out+status)
}

// marks lists what people see of the images of debian-12.
func (b *bed) marks(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, vm := range b.lab.Proxmox().VMs() {
		all = append(all, fmt.Sprintf("proxmox %s %q tags %s", vm.Name, vm.Settings["description"], vm.Settings["tags"]))
	}
	machines, err := b.lab.VSphere().Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range machines {
		all = append(all, fmt.Sprintf("vsphere %s %q", m.Name, m.Notes))
	}
	items, err := b.lab.VSphere().LibraryItems(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		all = append(all, fmt.Sprintf("vsphere item %s %q", i.Name, i.Notes))
	}
	for _, i := range b.lab.Azure().Images() {
		all = append(all, fmt.Sprintf("azure %s %v", i.Name, i.Tags))
	}
	for _, v := range b.lab.Azure().GalleryVersions() {
		all = append(all, fmt.Sprintf("azure version %s %v", v.ID, v.Tags))
	}
	return all
}

// withdrawn deletes the template on Proxmox VE: the next release fails by name,
// and marks nothing.
func (b *bed) withdrawn(t *testing.T) {
	t.Helper()
	name := ""
	for _, vm := range b.lab.Proxmox().VMs() {
		if strings.HasPrefix(vm.Name, "debian-12-") && strings.Contains(vm.Settings["tags"], "release-v1.0.0") {
			name = vm.Name
			b.deleteVM(t, vm.ID)
		}
	}
	before := b.marks(t)
	code, out := b.run(t, "publish", "debian-12", "--release", "v1.0.1")
	if code != hybridcore.ExitFailed || name == "" || !slices.Equal(before, b.marks(t)) {
		t.Errorf("with a missing template: exit %d\n%s", code, out)
	}
	want(t, out, "Proxmox VE has no vm-template "+name, "not released, because of debian-12@proxmox")
}

// deleteVM deletes a machine as its owner would.
func (b *bed) deleteVM(t *testing.T, id int) {
	t.Helper()
	b.callProxmox(t, http.MethodDelete, id, "", nil)
}

// callProxmox calls the API about a machine of Proxmox VE, as somebody with its token may.
func (b *bed) callProxmox(t *testing.T, method string, id int, call string, form url.Values) {
	t.Helper()
	env := map[string]string{}
	for _, entry := range b.lab.Env() {
		key, value, _ := strings.Cut(entry, "=")
		env[key] = value
	}
	req, err := http.NewRequestWithContext(t.Context(), method,
		fmt.Sprintf("%s/nodes/pve1/qemu/%d%s", env["PKR_VAR_proxmox_url"], id, call), strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "PVEAPIToken="+env["PKR_VAR_proxmox_username"]+"="+env["PKR_VAR_proxmox_token"])
	authority, err := os.ReadFile(env["SSL_CERT_FILE"])
	if err != nil {
		t.Fatal(err)
	}
	known := x509.NewCertPool()
	known.AppendCertsFromPEM(authority)
	client := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{
		RootCAs:    known,
		MinVersion: tls.VersionTLS12,
	}}}
	defer client.CloseIdleConnections()
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s of machine %d: %s", method, id, res.Status)
	}
}
