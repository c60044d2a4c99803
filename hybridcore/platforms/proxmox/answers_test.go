// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:50:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package proxmox

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
)

// plain answers of Proxmox VE, by the addresses of requests.
var plain = platformtest.Plain{
	{`GET .*/access/permissions$`, `{"data":{"/":{"VM.Audit":1}}}`},
	{
		`GET .*/cluster/resources`,
		`{"data":[{"vmid":100,"type":"qemu","node":"pve1","name":"` + platformtest.StrangeName + `"}]}`,
	},
	{
		`GET .*/qemu/100/config$`,
		`{"data":{"name":"` + platformtest.StrangeName + `","description":"x",` +
			`"ide2":"local:iso/packer1.iso,media=cdrom","digest":"d"}}`,
	},
	{`GET .*/qemu/100/status/current$`, `{"data":{"status":"running"}}`},
	{`GET .*/tasks/.*/status$`, `{"data":{"status":"stopped","exitstatus":"OK"}}`},
	{`GET .*/content`, `{"data":[{"volid":"local:iso/packer2.iso"}]}`},
	{`DELETE .*`, `{"data":"UPID:pve1:0:0:0:x:x:x:"}`},
	{`POST .*/access/ticket$`, `{"data":{"ticket":"PVE:x","CSRFPreventionToken":"x"}}`},
	{`POST .*`, `{"data":null}`},
}

// settingsAt lead to an address.
func settingsAt(address string) map[string]string {
	return map[string]string{
		"proxmox_url": address + "/api2/json", "proxmox_insecure_connection": "true",
		"proxmox_username": "packer@pve!x", "proxmox_token": "of-a-test",
		"proxmox_node": "pve1", "iso_storage": "local",
	}
}

// TestNullIsNoAnswer checks that Proxmox VE's null is not taken for an empty list or
// for an object of which nothing is known.
func TestNullIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"null", "[null]", `{"data":[null],"value":[null]}`, `{"data":{"x":[null]},"value":[{"x":[[null]]}]}`,
	} {
		for at, one := range plain[:7] {
			t.Run(one[0]+body, func(t *testing.T) {
				t.Parallel()
				said := platformtest.Everything(t, Open, settingsAt(plain.Serve(t, nil, at, http.StatusOK, []byte(body))))
				if !strings.Contains(said, "null") && !strings.Contains(said, "cannot unmarshal") && at != 5 {
					t.Errorf("it says %q", said)
				}
			})
		}
	}
}

func FuzzClient(f *testing.F) {
	for n, body := range platformtest.StrangeAnswers() {
		for at := range 4 {
			f.Add(uint8(at*2+n%2), uint16(n%3*(at%2)*100), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, status uint16, body []byte) {
		said := platformtest.Everything(
			t, Open, settingsAt(plain.Serve(t, nil, int(at)%len(plain), http.StatusOK+int(status)%229, body)),
		)
		if strings.Contains(said, "of-a-test") && !bytes.Contains(body, []byte("of-a")) {
			t.Errorf("the token is shown: %q", said)
		}
	})
}
