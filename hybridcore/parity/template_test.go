// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:46:00Z
// Spec: openspec/specs/parity/spec.md#requirement-the-entries-to-paste
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"errors"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// What is pasted is refused as it is; with reason and owner it makes all expected.
func TestTemplateAllowsWhatDiffers(t *testing.T) {
	a := made{packages: map[string]string{"x": "1"}, paths: map[string]string{
		"/etc/both": "0644 root:root " + sumA, `/etc/${odd} "name" %{x}\\`: "0644 root:root " + sumA,
	}}
	b := made{packages: map[string]string{"x": "2"}, paths: map[string]string{
		"/etc/both": "0644 root:root " + sumB, "/etc/one": "root:root link /x",
	}}
	text := Template([]hybridcore.Parity{compared(t, "", a, b)})
	var findings *hybridcore.FindingsError
	if _, err := ParseAllow([]byte(text), AllowFile); !errors.As(err, &findings) ||
		!strings.Contains(err.Error(), "reason is empty") {
		t.Errorf("as it is printed: %v\n%s", err, text)
	}
	filled := strings.NewReplacer(`reason    = ""`, `reason = "it is so"`, `owner     = ""`, `owner = "me"`).Replace(text)
	if p := compared(t, filled, a, b); len(p.Unexpected) > 0 || len(p.Findings) > 0 ||
		p.Manifests[0].SHA256 != p.Manifests[1].SHA256 {
		t.Errorf("filled in: %+v\n%s", p, filled)
	}
}

func TestTemplateSaysWhatCannotBeAllowed(t *testing.T) {
	a := made{paths: map[string]string{"/opt/x": "not read: it changes"}}
	p := compared(t, "", a, a)
	p.Unexpected = append(p.Unexpected,
		hybridcore.Difference{
			Category: "files", Key: hybridcore.WholeSection, A: "proxmox", B: "vsphere", InA: "x", InB: "y",
		},
		hybridcore.Difference{Category: "flags", Key: "a", A: "proxmox", B: "vsphere", InA: "x", InB: "y"},
		hybridcore.Difference{
			Category: "files", Key: "/" + strings.Repeat("a", 300), A: "proxmox", B: "vsphere", InA: "x\ny",
		})
	text := Template([]hybridcore.Parity{p})
	for _, want := range []string{
		"files /opt/x could not be read", "files was not compared", "nothing knows the section flags", "the key is too long",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("it lacks %q:\n%s", want, text)
		}
	}
	if _, err := ParseAllow([]byte(text), AllowFile); err != nil || strings.Contains(text, "\nallow") {
		t.Errorf("%v\n%s", err, text)
	}
	if text := Template(nil); text != "# Nothing is unexpected.\n" {
		t.Errorf("of nothing: %q", text)
	}
}
