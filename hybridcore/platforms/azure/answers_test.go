// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:50:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package azure

import (
	"net/http"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
)

// plain answers of Azure, by the addresses of requests.
var plain = platformtest.Plain{
	{
		`GET .*/metadata/endpoints`,
		`{"resourceManager":"SELF","authentication":{"loginEndpoint":"SELF","audiences":["https://x"]}}`,
	},
	{
		`GET .*/openid-configuration`,
		`{"token_endpoint":"SELF/t/oauth2/v2.0/token","authorization_endpoint":"SELF/t/a","issuer":"SELF/t/v2.0"}`,
	},
	{`POST .*/token$`, `{"access_token":"x","token_type":"Bearer","expires_in":3600}`},
	{`GET .*/tags/default`, `{"properties":{"tags":{}}}`},
	{`PATCH .*/tags/default`, `{"properties":{"tags":{}}}`},
	{
		`GET .*/versions`,
		`{"value":[{"id":"/subscriptions/s/resourceGroups/g/providers/` +
			`Microsoft.Compute/galleries/y/images/d/versions/1.0.0",` +
			`"tags":{"ph_run":"` + platformtest.StrangeRun +
			`","artifact":"` + platformtest.StrangeName + `"},"properties":{"provisioningState":"Failed"}}]}`,
	},
	{
		`GET .*/providers/Microsoft.Compute/images`,
		`{"value":[{"id":"/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/i",` +
			`"name":"` + platformtest.StrangeName +
			`","properties":{"provisioningState":"Succeeded"}}]}`,
	},
	{
		`GET .*/resourcegroups\?`,
		`{"value":[{"id":"/subscriptions/s/resourceGroups/ph-x","name":"ph-x","tags":{"ph_run":"` +
			platformtest.StrangeRun + `","artifact":"` + platformtest.StrangeName + `"}}]}`,
	},
	{
		`GET .*/resources\?`,
		`{"value":[{"id":"/subscriptions/s/resourceGroups/h/providers/Microsoft.Compute/disks/d",` +
			`"type":"Microsoft.Compute/disks","name":"d","tags":{"ph_run":"` +
			platformtest.StrangeRun + `","artifact":"` + platformtest.StrangeName + `"}}]}`,
	},
	{`DELETE .*`, ``},
	{`GET .*`, `{}`},
}

// settingsAt lead to an address.
func settingsAt(address string) map[string]string {
	return platformtest.With(
		nil, "azure_subscription_id", "22222222-2222-2222-2222-222222222222", "azure_tenant_id",
		"11111111-1111-1111-1111-111111111111", "azure_client_id", "55555555-5555-5555-5555-555555555555",
		"azure_client_secret", azureSecret, "azure_metadata_host", address, "azure_resource_group", "g", "azure_gallery", "y",
		"image", "d",
	)
}

// TestNullIsNoAnswer checks that Azure's null is not taken for an empty list or for
// an object of which nothing is known.
func TestNullIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"null", "[null]", `{"data":[null],"value":[null]}`, `{"data":{"x":[null]},"value":[{"x":[[null]]}]}`,
	} {
		for at, one := range plain[3:9] {
			t.Run(one[0]+body, func(t *testing.T) {
				t.Parallel()
				address := plain.Serve(t, trusted(t), at+3, http.StatusOK, []byte(body))
				if said := platformtest.Everything(t, Open, settingsAt(address)); !strings.Contains(said, "null") {
					t.Errorf("it says %q", said)
				}
			})
		}
	}
}

func FuzzClient(f *testing.F) {
	for n, body := range platformtest.StrangeAnswers() {
		for at := range 5 {
			f.Add(uint8(at*2+n%2), uint16(n%3*(at%2)*100), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, status uint16, body []byte) {
		said := platformtest.Everything(
			t, Open, settingsAt(plain.Serve(t, trusted(t), int(at)%len(plain), http.StatusOK+int(status)%208, body)),
		) // of 408 and 5xx it asks again
		if strings.Contains(said, azureSecret) {
			t.Errorf("the secret is shown: %q", said)
		}
	})
}
