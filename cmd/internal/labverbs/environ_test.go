// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:29:00Z
// Spec: openspec/specs/lab/spec.md#requirement-what-a-command-is-given
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package labverbs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// credentials are variables by which accounts are named and opened, of every
// provider that a build can meet, and some that nobody has thought of.
var credentials = []string{
	"GITHUB_TOKEN", "GH_TOKEN", "GITLAB_TOKEN", "CI_JOB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL",
	"SSH_AUTH_SOCK",
	"AZURE_CLIENT_SECRET", "AZURE_TENANT_ID", "ARM_SUBSCRIPTION_ID", "VSPHERE_SERVER", "GOVC_URL", "GOVC_USERNAME",
	"PROXMOX_URL", "PROXMOX_USERNAME",
	"AWS_ACCESS_KEY_ID", "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "HCP_CLIENT_ID", "VAULT_ADDR", "VAULT_TOKEN",
	"CONSUL_HTTP_ADDR",
	"PKR_VAR_proxmox_password", "PKR_VAR_vsphere_datacenter", "KUBECONFIG", "DOCKER_HOST", "NETRC", "PGPASSFILE",
	"ACME_ADMIN_PW",
	"HTTPS_PROXY", "https_proxy", "LD_PRELOAD", "PACKER_GITHUB_API_TOKEN", "PACKER_HYBRID_TICKET_KEY",
}

func TestEnviron(t *testing.T) {
	caller := []string{
		"PATH=/old", "PATH=/bin", "HOME=/home/u", "LC_ALL=C.UTF-8", "=weird", "noequals",
		"TMPDIR=https://u:password-in-it@proxy",
		"PKR_VAR_vsphere_endpoint=vcenter.corp", "PKR_VAR_vsphere_password=real", "SSL_CERT_FILE=/lab/ca", "WANTED=a=b",
	}
	for _, name := range credentials {
		caller = append(caller, name+"=canary-"+name)
	}
	caller = append(caller, "LS_COLORS=di=34", "DEBIAN_FRONTEND=noninteractive", "GITHUB_RUN_ID=7") // nobody's account
	lab := []string{
		"PKR_VAR_vsphere_endpoint=127.0.0.1:1", "PKR_VAR_vsphere_password=lab-1", "SSL_CERT_FILE=/lab/ca",
		"PACKER_HYBRID_LAB=/lab",
	}
	got := environ(caller, lab, []string{"WANTED", "GITLAB_TOKEN", "PKR_VAR_vsphere_password"})
	want := []string{
		"GITLAB_TOKEN=canary-GITLAB_TOKEN", "HOME=/home/u", "LC_ALL=C.UTF-8", "PACKER_HYBRID_LAB=/lab", "PATH=/bin",
		"PKR_VAR_vsphere_endpoint=127.0.0.1:1", "PKR_VAR_vsphere_password=lab-1", "SSL_CERT_FILE=/lab/ca", "WANTED=a=b",
	}
	if diff := cmp.Diff(want, got.entries); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"PKR_VAR_vsphere_endpoint", "PKR_VAR_vsphere_password"}, got.replaced); diff != "" {
		t.Error(diff)
	}
	var said strings.Builder
	got.tell(&said)
	for _, name := range append(credentials, "TMPDIR") {
		if name != "GITLAB_TOKEN" && !strings.Contains(said.String(), name) {
			t.Errorf("%s is not named:\n%s", name, &said)
		}
	}
	if !strings.Contains(said.String(), " and 3 other variables (--pass") || strings.Contains(said.String(), "LS_COLORS") {
		t.Errorf("what is nobody's account is not counted:\n%s", &said)
	}
	for _, value := range []string{"canary", "real", "corp", "password-in-it"} {
		if strings.Contains(said.String(), value) {
			t.Errorf("a value is told: %s", &said)
		}
	}
}

func TestPassTakesNames(t *testing.T) {
	for _, name := range []string{"", "A=b", "A B"} {
		if checkPass([]string{"OK", name}) == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if err := checkPass([]string{"GITHUB_TOKEN"}); err != nil {
		t.Error(err)
	}
}
