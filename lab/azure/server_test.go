// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:35:00Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

func TestTokens(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	good := b.token
	path := "/" + testIdentity.Tenant + "/oauth2/v2.0/token"
	b.token = ""
	form := tokenForm(b.server.URL(), testIdentity.Secret)
	for name, test := range map[string]struct {
		path, form string
		status     int
		code       string
	}{
		"secret": {path, tokenForm(b.server.URL(), "guessed"), http.StatusUnauthorized, "invalid_client"},
		"none":   {path, tokenForm(b.server.URL(), ""), http.StatusUnauthorized, "invalid_client"},
		"client": {
			path, strings.Replace(form, testIdentity.Client, "other", 1), http.StatusBadRequest,
			"unauthorized_client",
		},
		"tenant": {"/other/oauth2/v2.0/token", form, http.StatusBadRequest, "invalid_request"},
		"scope": {
			path, tokenForm("https://management.azure.com", testIdentity.Secret), http.StatusBadRequest,
			"invalid_scope",
		},
		"grant": {
			path, strings.Replace(form, "client_credentials", "password", 1), http.StatusBadRequest,
			"unsupported_grant_type",
		},
	} {
		a := b.send(http.MethodPost, test.path, test.form).want(test.status, "")
		if got := arm.Text(a.body, "error"); got != test.code ||
			strings.Contains(arm.Text(a.body, "error_description"), testIdentity.Secret) {
			t.Errorf("%s: %v, want %s", name, a.body, test.code)
		}
	}
	// as its libraries ask
	microsoft := strings.Replace(form, "%2F.default", "%2F.default+openid+offline_access+profile", 1)
	if a := b.send(http.MethodPost, path, microsoft).want(http.StatusOK, ""); arm.Text(a.body, "access_token") == "" {
		t.Errorf("no token: %v", a.body)
	}
	a := b.send(http.MethodGet, groupPath("g"), nil).want(http.StatusUnauthorized, "AuthenticationFailed")
	if header := a.header.Get("WWW-Authenticate"); !strings.Contains(header,
		`authorization_uri="`+b.server.URL()+"/"+testIdentity.Tenant+`"`) {
		t.Errorf("WWW-Authenticate is %q", header)
	}
	cut := strings.LastIndexByte(good, '.')
	for _, b.token = range []string{"x", good[:cut], good + "x", "x" + good, good[:cut] + "." + good[:cut]} {
		b.send(http.MethodGet, groupPath("g"), nil).want(http.StatusUnauthorized, "InvalidAuthenticationToken")
	}
	b.token = good
	b.send(http.MethodGet, groupPath("g"), nil).want(http.StatusNotFound, "ResourceGroupNotFound")
	b.send(http.MethodGet, "/"+testIdentity.Tenant+"/v2.0/.well-known/openid-configuration", nil).want(http.StatusOK, "")
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.makeGroup("g", nil)
	base := "/subscriptions/" + testIdentity.Subscription
	for _, test := range []struct {
		method, path string
		status       int
		code         string
	}{
		{http.MethodGet, base + "/resourceGroups/g", 400, "MissingApiVersionParameter"},
		{http.MethodGet, base + "/resourceGroups/g?api-version=2099-01-01", 400, "NoRegisteredProviderFound"},
		{http.MethodGet, resourcePath("g", arm.Images+"/i", "2022-09-01"), 400, "NoRegisteredProviderFound"},
		{http.MethodGet, resourcePath("g", arm.Images+"/i", "2022-03-01"), 404, "ResourceNotFound"},
		{http.MethodGet, resourcePath("other", arm.Images+"/i", "2022-03-01"), 404, "ResourceGroupNotFound"},
		{http.MethodGet, resourcePath("g", "Microsoft.Web/sites/i", "2022-03-01"), 400, "InvalidResourceType"},
		{http.MethodGet, base + "/nothing?api-version=2022-09-01", 404, "InvalidResourceType"},
		{http.MethodGet, strings.Replace(groupPath("g"), "2222", "3333", 1), 404, "SubscriptionNotFound"},
		{http.MethodGet, "/nothing", 404, "NotFound"},
		{http.MethodPut, groupPath("bad."), 400, "InvalidRequestContent"},
		{http.MethodDelete, groupPath("other"), 404, "ResourceGroupNotFound"},
		{http.MethodDelete, resourcePath("g", arm.Disks+"/i", "2022-03-02"), 303, ""},
		{http.MethodPut, resourcePath("g", arm.VirtualMachines+"/i", "2022-03-01"), 405, "MethodNotAllowed"},
		{http.MethodPost, resourcePath("g", arm.VirtualMachines+"/i/deallocate", "2022-03-01"), 404, "ResourceNotFound"},
		{http.MethodGet, base + "/operationresults/none?api-version=2022-09-01", 404, "OperationNotFound"},
		{http.MethodGet, groupPath("g") + "&$filter=x", 200, ""},
		{http.MethodGet, base + "/resourceGroups?api-version=2022-09-01&$filter=name", 400, "InvalidFilterInQueryString"},
	} {
		b.send(test.method, test.path, nil).want(test.status, test.code)
	}
	bad := map[string]any{"location": "westeurope"}
	b.send(http.MethodPut, groupPath("bad."), bad).want(http.StatusBadRequest, "InvalidResourceGroup")
	b.send(http.MethodPut, groupPath("g"), map[string]any{"location": "elsewhere"}).want(http.StatusConflict,
		"InvalidResourceGroupLocation")
	b.send(http.MethodPut, groupPath("h"), map[string]any{}).want(http.StatusBadRequest, "LocationRequired")
}

func TestGroupsAndTags(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.makeGroup("One", map[string]string{"Run": "1"})
	b.makeGroup("two", map[string]string{"run": "2"})
	b.makeGroup("three", nil)
	all := "/subscriptions/" + testIdentity.Subscription + "/resourcegroups?api-version=2021-04-01"
	for query, want := range map[string]int{
		"": 4, "&$filter=tagName%20eq%20'run'": 2, "&$filter=tagName%20eq%20'run'%20and%20tagValue%20eq%20'1'": 1,
		"&$filter=tagName%20eq%20'run'%20and%20tagValue%20eq%20'3'": 0,
	} {
		if got := arm.List(b.send(http.MethodGet, all+query, nil).want(http.StatusOK, "").body, "value"); len(got) != want {
			t.Errorf("%q lists %v, want %d", query, got, want)
		}
	}
	a := b.send(http.MethodGet, groupPath("ONE"), nil).want(http.StatusOK, "")
	if arm.Text(a.body, "name") != "One" || arm.Text(a.body, "tags", "Run") != "1" || arm.Text(a.body,
		"location") != "westeurope" {
		t.Errorf("the group is %v", a.body)
	}
	b.send(http.MethodHead, groupPath("one"), nil).want(http.StatusNoContent, "")
	b.send(http.MethodHead, groupPath("none"), nil).want(http.StatusNotFound, "")
	b.send(http.MethodPatch, groupPath("one"), map[string]any{"tags": map[string]string{"a": "b"}}).want(http.StatusOK, "")
	b.settle(b.send(http.MethodDelete, groupPath("two"), nil).want(http.StatusSeeOther, ""))
	groups := b.server.ResourceGroups()
	if len(groups) != 3 || groups[0].Name != Group || groups[1].Tags["a"] != "b" || groups[2].Name != "three" {
		t.Errorf("groups are %+v", groups)
	}
}

func TestLifeOfAMachine(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.deployMachine("g")
	vm, version := arm.VirtualMachines+"/m", "2022-03-01"
	shown := b.send(http.MethodGet, resourcePath("g", vm, version)+"&$expand=instanceView", nil).want(http.StatusOK, "")
	raw, err := json.Marshal(shown.body)
	if err != nil {
		t.Fatal(err)
	}
	if content := string(raw); strings.Contains(content, "a secret") || !strings.Contains(content, "PowerState/running") {
		t.Errorf("the machine is %s", content)
	}
	deployment := b.send(http.MethodGet, resourcePath("g", arm.Deployments+"/d", "2022-09-01"), nil).want(http.StatusOK,
		"")
	if raw, err = json.Marshal(deployment.body); err != nil || strings.Contains(string(raw), "a secret") {
		t.Errorf("the deployment is %s, %v", raw, err)
	}
	address := b.send(http.MethodGet, resourcePath("g", arm.PublicIPs+"/m", "2023-09-01"), nil).want(http.StatusOK, "")
	card := b.send(http.MethodGet, resourcePath("g", arm.NetworkInterfaces+"/m", "2023-09-01"), nil).want(http.StatusOK,
		"")
	private := arm.Text(arm.List(card.body, "properties", "ipConfigurations")[0], "properties", "privateIPAddress")
	if public := arm.Text(address.body, "properties", "ipAddress"); public != "127.0.0.1" || private != public {
		t.Errorf("addresses are %q and %q", public, private)
	}
	if g := b.hardware.booted[0]; g.Hostname != "m" || g.User != "packer" || g.Password != "a secret" ||
		len(g.Keys) != 1 || g.Keys[0] != "ssh-rsa AAAA one" {
		t.Errorf("booted %+v", g)
	}

	source := map[string]any{
		"location":   "westeurope",
		"properties": map[string]any{"sourceVirtualMachine": map[string]any{"id": arm.Text(shown.body, "id")}},
	}
	image := resourcePath(Group, arm.Images+"/golden", version)
	b.send(http.MethodPut, image, source).want(http.StatusConflict, "OperationNotAllowed")
	b.send(http.MethodPost, resourcePath("g", vm+"/generalize", version), nil).want(http.StatusConflict,
		"OperationNotAllowed")
	b.send(http.MethodDelete, resourcePath("g", arm.NetworkInterfaces+"/m", "2023-09-01"),
		nil).want(http.StatusBadRequest, "NicInUse")
	b.send(http.MethodDelete, resourcePath("g", arm.Disks+"/m_OsDisk_1", "2022-03-02"), nil).want(http.StatusConflict,
		"OperationNotAllowed")
	b.send(http.MethodDelete, resourcePath("g", arm.PublicIPs+"/m", "2023-09-01"), nil).want(http.StatusBadRequest,
		"PublicIPAddressCannotBeDeleted")
	b.send(http.MethodDelete, resourcePath("g", arm.VirtualNetworks+"/m", "2023-09-01"), nil).want(http.StatusBadRequest,
		"InUseSubnetCannotBeDeleted")

	b.settle(b.send(http.MethodPost, resourcePath("g", vm+"/deallocate", version)+"&hibernate=false",
		nil).want(http.StatusAccepted, ""))
	b.send(http.MethodPut, image, source).want(http.StatusConflict, "OperationNotAllowed")
	b.send(http.MethodPost, resourcePath("g", vm+"/generalize", version), nil).want(http.StatusOK, "")
	b.settle(b.send(http.MethodPut, image, source).want(http.StatusCreated, ""))

	b.settle(b.send(http.MethodDelete, groupPath("g"), nil).want(http.StatusSeeOther, ""))
	images := b.server.Images()
	if len(images) != 1 || images[0].State != "Succeeded" || b.hardware.copies["azure-2"] != "azure-1" ||
		images[0].Delta != "delta of azure-2" {
		t.Errorf("images are %+v, copies %v", images, b.hardware.copies)
	}
	if len(b.hardware.removed) != 1 || b.hardware.removed[0] != "azure-1" {
		t.Errorf("removed %v", b.hardware.removed)
	}
}

// captured makes a machine ready for capture and returns its identifier.
func (b *bed) captured(group string) string {
	b.t.Helper()
	b.deployMachine(group)
	b.settle(b.send(http.MethodPost, resourcePath(group, arm.VirtualMachines+"/m/deallocate", "2022-03-01"),
		nil).want(http.StatusAccepted, ""))
	b.send(http.MethodPost, resourcePath(group, arm.VirtualMachines+"/m/generalize", "2022-03-01"),
		nil).want(http.StatusOK, "")
	return strings.TrimSuffix(resourcePath(group, arm.VirtualMachines+"/m", ""), "?api-version=")
}

func TestGalleryVersion(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	source := b.captured("g")
	body := map[string]any{"location": "West Europe", "tags": map[string]string{"a": "b"}, "properties": map[string]any{
		"storageProfile": map[string]any{"source": map[string]any{"virtualMachineId": source}},
		"publishingProfile": map[string]any{"targetRegions": []any{
			map[string]any{"name": "North Europe"},
			map[string]any{"name": "westeurope"},
		}},
	}}
	definition := arm.Galleries + "/" + Gallery + "/images/debian-12"
	b.send(http.MethodPut, resourcePath(Group, definition+"/versions/1.0", "2023-07-03"), body).want(http.StatusBadRequest,
		"InvalidParameter")
	b.send(http.MethodPut, resourcePath(Group, arm.Galleries+"/"+Gallery+"/images/none/versions/1.0.0", "2023-07-03"),
		body).want(http.StatusNotFound, "ParentResourceNotFound")
	place := resourcePath(Group, definition+"/versions/1.0.0", "2023-07-03")
	b.settle(b.send(http.MethodPut, place, body).want(http.StatusCreated, ""))
	a := b.send(http.MethodGet, place+"&$expand=ReplicationStatus", nil).want(http.StatusOK, "")
	if arm.Text(a.body, "properties", "replicationStatus", "aggregatedState") != "Completed" {
		t.Errorf("the version is %v", a.body)
	}
	b.send(http.MethodPatch, place,
		map[string]any{"properties": map[string]any{"publishingProfile": map[string]any{"excludeFromLatest": true}}}).want(
		http.StatusOK, "")
	b.send(http.MethodDelete, resourcePath(Group, definition, "2023-07-03"), nil).want(http.StatusConflict,
		"CannotDeleteResource")
	versions := b.server.GalleryVersions()
	if len(versions) != 1 || strings.Join(versions[0].Regions, " ") != "northeurope westeurope" ||
		versions[0].Tags["a"] != "b" || versions[0].State != "Succeeded" {
		t.Errorf("versions are %+v", versions)
	}
	listed := b.send(http.MethodGet, resourcePath(Group, definition+"/versions", "2023-07-03"), nil).want(http.StatusOK,
		"")
	if got := arm.List(listed.body, "value"); len(got) != 1 ||
		arm.Dig(got[0], "properties", "publishingProfile", "excludeFromLatest") != true {
		t.Errorf("the list is %v", got)
	}
	other := b.send(http.MethodGet,
		resourcePath(Group, arm.Galleries+"/"+Gallery+"/images/ubuntu-24.04/versions", "2023-07-03"), nil)
	if got := arm.List(other.want(http.StatusOK, "").body, "value"); len(got) != 0 {
		t.Errorf("the other definition has %v", got)
	}
	b.settle(b.send(http.MethodDelete, place, nil).want(http.StatusSeeOther, ""))
	if left := b.server.GalleryVersions(); len(left) != 0 {
		t.Errorf("left %+v", left)
	}
}

func TestSourceGoesAwayDuringCapture(t *testing.T) {
	t.Parallel()
	b := newBed(t, true)
	source := b.captured("g")
	image := resourcePath(Group, arm.Images+"/golden", "2022-03-01")
	body := map[string]any{
		"location":   "westeurope",
		"properties": map[string]any{"sourceVirtualMachine": map[string]any{"id": source}},
	}
	started := b.send(http.MethodPut, image, body).want(http.StatusCreated, "")
	b.send(http.MethodDelete, groupPath("g"), nil).want(http.StatusAccepted, "")
	if state := arm.Text(b.send(http.MethodGet, groupPath("g"), nil).want(http.StatusOK, "").body, "properties",
		"provisioningState"); state != "Deleting" {
		t.Errorf("the group is %s", state)
	}
	if state := b.server.Images()[0].State; state != "Creating" {
		t.Errorf("the image is %s", state)
	}
	if last := b.settle(started); arm.Text(last.body, "status") != "Failed" || arm.Text(last.body, "error",
		"code") != "NotFound" {
		t.Errorf("the capture ended with %v", last.body)
	}
	if state := b.server.Images()[0].State; state != "Failed" {
		t.Errorf("the image is %s", state)
	}
}

func TestGuestThatDoesNotStart(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.hardware.address = ""
	b.makeGroup("g", nil)
	a := b.settle(b.send(http.MethodPut, resourcePath("g", arm.Deployments+"/d", "2022-09-01"),
		simpleTemplate(nil)).want(http.StatusCreated, ""))
	details := arm.List(a.body, "error", "details")
	if arm.Text(a.body, "status") != "Failed" || len(details) != 1 ||
		arm.Text(details[0], "code") != "OSProvisioningInternalError" {
		t.Errorf("the deployment ended with %v", a.body)
	}
	if !b.has("g", arm.VirtualMachines+"/m") || !b.has("g", arm.Disks+"/m_OsDisk_1") {
		t.Errorf("resources are %v", b.resources("g"))
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	b := newBed(t, false)
	b.deployMachine("g")
	if err := b.faults.Load(`
		DELETE /subscriptions/*/resourceGroups/g nth=1 status=403 reason="no"
		DELETE /subscriptions/*/resourceGroups/g nth=2 reason="locked" task
		GET /subscriptions/** nth=1 status=429`); err != nil {
		t.Fatal(err)
	}
	if a := b.send(http.MethodGet, groupPath("g"), nil).want(http.StatusTooManyRequests,
		"TooManyRequests"); a.header.Get("Retry-After") != "1" {
		t.Errorf("headers are %v", a.header)
	}
	b.send(http.MethodDelete, groupPath("g"), nil).want(http.StatusForbidden, "AuthorizationFailed")
	if last := b.settle(b.send(http.MethodDelete, groupPath("g"), nil)); arm.Text(last.body, "status") != "Failed" ||
		arm.Text(last.body, "error", "message") != "locked" {
		t.Errorf("the deletion ended with %v", last.body)
	}
	if !b.has("g", arm.VirtualMachines+"/m") {
		t.Errorf("resources are %v", b.resources("g"))
	}
	b.settle(b.send(http.MethodDelete, groupPath("g"), nil))
	if len(b.server.ResourceGroups()) != 1 {
		t.Errorf("left %+v", b.server.ResourceGroups())
	}
}
