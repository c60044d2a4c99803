// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:00:59Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package azure

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	simulator "github.com/packer-hybrid/packer-hybrid/lab/azure"
)

// reap checks what Reap returns.
func (b *cloudBed) reap(name, run string, dry bool, want ...string) {
	b.Helper()
	got, err := b.client.Reap(b.Context(), hybridcore.Remains{Name: name, RunID: run}, dry)
	if err != nil {
		b.Fatal(err)
	}
	if diff := cmp.Diff(append([]string{}, want...), names(got)); diff != "" {
		b.Errorf("Reap(%s, %s, dry %v) (-want +got):\n%s", name, run, dry, diff)
	}
}

func TestFind(t *testing.T) {
	b := newCloudBed(t)
	machine := b.machine("ph-x", nil)
	for _, name := range []string{deadName, deadName + "-copy"} {
		if err := b.image(simulator.Group, name, machine, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.version("1.2.3", machine, marks(deadRun, deadName)); err != nil {
		t.Fatal(err)
	}
	if err := b.version("1.2.4", machine, marks(deadRun, deadName+"-copy")); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]string{
		deadName:       {"gallery-image-version 1.2.3", "managed-image " + deadName},
		deadName[:12]:  {},
		deadName + "*": {},
		"nothing":      {},
	} {
		found, err := b.client.Find(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, names(found)); diff != "" {
			t.Errorf("Find(%s) (-want +got):\n%s", name, diff)
		}
		for _, u := range found {
			if u.Name != name || !strings.HasPrefix(u.ID, "/subscriptions/") {
				t.Errorf("Find(%s) = %+v", name, u)
			}
		}
	}
	b.client.group, b.client.gallery = "", "" // of the whole subscription
	if found, err := b.client.Find(t.Context(), deadName); err != nil || len(found) != 1 {
		t.Errorf("found %v, %v", found, err)
	}
}

func TestOpenRefuses(t *testing.T) {
	b := newCloudBed(t)
	for _, tt := range []struct{ name, variable, value, want string }{
		{"wrong secret", "azure_client_secret", "wrong-secret-value", `_secret: Azure answers 401, "invalid_client"`},
		{"no secret", "azure_client_secret", "", "export PKR_VAR_azure_client_secret"},
		{"nobody there", "azure_metadata_host", "https://127.0.0.1:1", "connection refused"},
		{"not https", "azure_metadata_host", "http://127.0.0.1:1", "is not an address"},
		{"secret in address", "azure_metadata_host", "https://u:secret-in-url@127.0.0.1", "is not an address"},
		{"gallery without group", "azure_resource_group", "", "export PKR_VAR_azure_resource_group"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), platformtest.With(b.settings, tt.variable, tt.value), platform.Anywhere)
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("error %v, want it to contain %q", err, tt.want)
			}
			for _, secret := range []string{azureSecret, "wrong-secret-value", "secret-in-url"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
	if _, err := findCloud(t.Context(), nil, "", "LabCloud"); err == nil {
		t.Error("an unknown cloud is taken for a known one")
	}
}

func TestReap(t *testing.T) {
	b := newCloudBed(t)
	mine := marks(deadRun, deadName)
	machine := b.machine("ph-left", mine)
	b.group("Ph-left-2", mine)
	b.group("ph-left-3", nil)                                  // no tag
	b.group("ph-left-4", marks(deadRun+"0", deadName))         // another run's
	b.group("ph-left-5", marks(deadRun, "ubuntu-24.04-other")) // another target of the run, which may live
	b.group("left-ph-", mine)                                  // no temporary name
	if err := b.image(simulator.Group, deadName, machine, mine); err != nil {
		t.Fatal(err)
	}
	b.fail(`PUT /subscriptions/**/versions/* reason="broken" task`)
	if err := b.version("1.0.0", machine, mine); err == nil {
		t.Fatal("the version is whole")
	}
	if err := b.version("1.0.1", machine, marks(deadRun+"0", deadName)); err == nil {
		t.Fatal("the version is whole")
	}
	b.faults.Clear()
	left := []string{"incomplete-gallery-image-version 1.0.0", "resource-group Ph-left-2", "resource-group ph-left"}
	if got, err := b.client.Reap(t.Context(), hybridcore.Remains{Name: deadName, RunID: ""}, true); err == nil {
		t.Errorf("without a run %v would be reaped", got)
	}
	b.reap(deadName, deadRun, true, left...)
	b.reap(deadName, deadRun, true, left...)
	b.reap(deadName, deadRun, false, left...)
	b.reap(deadName, deadRun, false)
	var groups []string
	for _, g := range b.server.ResourceGroups() {
		groups = append(groups, g.Name)
	}
	if diff := cmp.Diff([]string{"golden-images", "left-ph-", "ph-left-3", "ph-left-4", "ph-left-5"}, groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if images, versions := b.server.Images(), b.server.GalleryVersions(); len(images) != 1 || len(versions) != 1 {
		t.Errorf("left are %+v, %+v", images, versions)
	}
}

func TestReapFails(t *testing.T) {
	b := newCloudBed(t)
	mine := marks(deadRun, deadName)
	machine := b.machine("ph-left", mine)
	b.fail(`DELETE /subscriptions/*/resourceGroups/ph-left status=403 reason="no permission for ` + azureSecret + `"`)
	if got, err := b.client.Reap(t.Context(), hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil ||
		len(got) != 0 || !strings.Contains(err.Error(), "Azure answers 403") || strings.Contains(err.Error(), azureSecret) {
		t.Errorf("reaped %v, %v", got, err)
	}
	b.reap(deadName, deadRun, true, "resource-group ph-left")
	b.faults.Clear()
	b.fail(`DELETE /subscriptions/*/resourceGroups/ph-left reason="locked" task`) // fails after it has begun
	if got, err := b.client.Reap(t.Context(), hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil ||
		len(got) != 0 || !strings.Contains(err.Error(), "locked") {
		t.Errorf("reaped %v, %v", got, err)
	}
	b.faults.Clear()
	if err := b.image("ph-left", "precious", machine, nil); err != nil {
		t.Fatal(err)
	}
	if got, err := b.client.Reap(t.Context(), hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil ||
		len(got) != 0 || !strings.Contains(err.Error(), "it holds image precious") {
		t.Errorf("reaped %v, %v", got, err)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(`{"resourceManager":"https://a","authentication":{"loginEndpoint":"https://b","audiences":["c"]}}`)
	f.Add(`{"resourceManager":"http://a","authentication":{"loginEndpoint":"https://b","audiences":["c"]}}`)
	f.Add(`{"error":{"code":"a","message":"b"}}`)
	f.Add(`{"error":"a","error_description":"b"}`)
	f.Fuzz(func(t *testing.T, body string) {
		parseError([]byte(body))
		found, err := parseMetadata([]byte(body))
		if err != nil {
			return
		}
		for _, address := range []string{found.ActiveDirectoryAuthorityHost, found.Services["resourceManager"].Endpoint} {
			if !strings.HasPrefix(strings.ToLower(address), "https://") {
				t.Errorf("credentials would go to %q", address)
			}
		}
	})
}
