// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:42:00Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-rules-for-a-whole-lab
// Diagram: openspec/specs/lab-faults/diagram.md#from-a-flag-to-a-platform

package lab

import (
	"context"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
	"github.com/packer-hybrid/packer-hybrid/lab/vsphere"
)

func TestFaultsParse(t *testing.T) {
	t.Parallel()
	got := Faults{}
	if err := got.Parse("f", "# two platforms\n\n  proxmox GET /nodes drop\nvsphere POST /sdk/Login status=500 "+
		"reason=\"a b\"\nproxmox * /x delay=1s\n"); err != nil {
		t.Fatal(err)
	}
	want := Faults{
		hybridcore.Proxmox: {{Method: "GET", Path: "/nodes", Drop: true}, {Method: "*", Path: "/x", Delay: 1e9}},
		hybridcore.VSphere: {{Method: "POST", Path: "/sdk/Login", Status: 500, Reason: "a b"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"vspere GET /x drop":                `did you mean "vsphere"`,
		"GET /x drop":                       "begins with its platform",
		"azure GET /x drop oftn":            `column 19: unknown word "oftn"`,
		"azure":                             "want METHOD PATH",
		"vsphere POST /sdk/X task delay=1s": "not for vSphere",
	} {
		if err := (Faults{}).Parse("f.txt", "\n"+text); err == nil || !strings.HasPrefix(err.Error(), "f.txt:2: ") ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: got error %v, want f.txt:2 and %q", text, err, want)
		}
	}
	if err := (Faults{}).Add(""); err == nil {
		t.Error("an empty rule is no error")
	}
}

// said keeps what a lab tells.
type said struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// startFaulty starts a lab whose vCenter fails by rules.
func startFaulty(t *testing.T, rules string) (*Lab, *said) {
	t.Helper()
	config := testConfig(t)
	messages := &said{}
	config.Log, config.Faults = messages, Faults{}
	if err := config.Faults.Parse("rules", rules); err != nil {
		t.Fatal(err)
	}
	l, err := Start(context.Background(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l, messages
}

// TestVSphereFaults plants failures of each kind and lets the real plugin run into the first.
func TestVSphereFaults(t *testing.T) {
	l, messages := startFaulty(t, `
		vsphere POST /sdk/CreateVM_Task status=500 reason="no <space> left"
		vsphere POST /sdk/CreateContainerView nth=1 drop
		vsphere POST /rest/com/vmware/cis/session nth=2 status=503`)
	b := startBuild(t, l, "iso.pkr.hcl", "vm_name=never", "library_item=x", "out="+filepath.Join(t.TempDir(), "x"),
		"script=true")
	code, out := b.wait()
	if code == 0 || !strings.Contains(out, "error creating virtual machine: ServerFaultCode: no <space> left") {
		t.Errorf("exit %d\n%s", code, out)
	}
	if _, err := l.VSphere().Machines(t.Context()); err == nil || !strings.Contains(err.Error(), "EOF") {
		t.Errorf("a dropped call: %v", err)
	}
	if _, err := l.VSphere().Machines(t.Context()); err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("a refused call of the REST interface: %v", err)
	}
	machines, err := l.VSphere().Machines(t.Context())
	if err != nil || len(machines) != 1 || machines[0].Name != vsphere.BaseName { // every lab has it
		t.Errorf("after the faults: %v, %v", machines, err)
	}
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	want := "lab: fault rule vsphere POST /sdk/CreateVM_Task status=500 reason=\"no <space> left\": hits 1\n"
	if !strings.Contains(messages.text.String(), want) {
		t.Errorf("the lab said %q, want %q", messages.text.String(), want)
	}
}

func TestFaultsReachEveryPlatform(t *testing.T) {
	l, _ := startFaulty(t, "azure GET /a drop\nproxmox GET /p drop\nproxmox GET /q drop\nvsphere GET /v drop")
	got := map[hybridcore.Platform]int{}
	for platform, injector := range map[hybridcore.Platform]*fault.Injector{
		hybridcore.Azure: l.Azure().Faults(), hybridcore.Proxmox: l.Proxmox().Faults(),
		hybridcore.VSphere: l.VSphere().Faults(),
	} {
		got[platform] = len(injector.Hits())
	}
	if diff := cmp.Diff(map[hybridcore.Platform]int{hybridcore.Azure: 1, hybridcore.Proxmox: 2, hybridcore.VSphere: 1},
		got); diff != "" {
		t.Errorf("rules (-want +got):\n%s", diff)
	}
}
