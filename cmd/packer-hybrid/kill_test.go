// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:38:00Z
// Spec: openspec/specs/leases/spec.md#requirement-reap-exactly-what-a-dead-run-left
// Diagram: openspec/specs/leases/diagram.md#reap

package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/azure"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
)

// moment is a point of a build at which everybody is killed. Each platform's
// build is stopped there by a call that it makes, or by the recipe.
type moment struct {
	name string
	// hold is the rule, by platform, that keeps a call from being answered: the
	// build is at its moment when the call has come.
	hold map[hybridcore.Platform]string
	// text is what each build without a hold prints at its moment.
	text string
	// recipe has shell commands that run in the guest, in this order, and one that
	// runs here when the image is made.
	recipe [3]string
	env    []string
	job    *jobOf                         // the build is that of a CI job; nil: of the verb build
	left   map[hybridcore.Platform]string // kinds that must be there, sorted
	loose  []hybridcore.Platform          // where a CD is that no machine leads to, yet or any more
	change bool                           // tried with every change; others by make test-nightly
}

// stop is a command that prints that its moment has come and does not end.
const stop = "echo the moment has come; exec sleep 600"

// never is longer than any test.
const never = " delay=20m"

// The calls at which builds are held.
const (
	azureGroup   = "/subscriptions/*/resourceGroups/ph-*"
	azureMachine = azureGroup + "/providers/Microsoft.Compute/virtualMachines/*"
	azureImages  = "/subscriptions/*/resourceGroups/golden-images/providers/Microsoft.Compute"
	pveMachine   = "/nodes/*/qemu/*"
)

type held = map[hybridcore.Platform]string

// moments are in the order in which a build comes by.
var moments = []moment{
	{
		name: "lease written", change: true,
		left: held{"proxmox": "", "vsphere": "", "azure": ""},
	},
	{
		name: "before the first call",
		hold: held{
			"proxmox": "POST /nodes/*/storage/*/upload" + never, "vsphere": "POST /sdk/Login" + never,
			"azure": "GET /subscriptions/*/resourceGroups/golden-images" + never,
		},
		left: held{"proxmox": "", "vsphere": "", "azure": ""},
	},
	{
		name: "CD uploaded, before the machine exists", change: true,
		hold: held{
			"proxmox": "POST /nodes/*/qemu" + never, "vsphere": "POST /sdk/CreateVM_Task" + never,
			"azure": "PUT " + azureGroup + never,
		},
		left: held{"proxmox": "", "vsphere": "", "azure": ""}, loose: []hybridcore.Platform{hybridcore.Proxmox, hybridcore.VSphere},
	},
	{
		name: "machine being created", change: true, // Proxmox VE goes on with it for a second
		hold: held{
			"proxmox": "POST /nodes/*/qemu task delay=1s", "vsphere": "POST /sdk/ReconfigVM_Task" + never,
			"azure": "PUT " + azureGroup + "/providers/Microsoft.Resources/deployments/* task delay=1s",
		},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "resource-group"}, loose: []hybridcore.Platform{hybridcore.VSphere},
	},
	{
		name: "created, before its start",
		hold: held{
			"proxmox": "POST " + pveMachine + "/status/start" + never, "vsphere": "POST /sdk/PowerOnVM_Task" + never,
			"azure": "PUT " + azureGroup + "/providers/Microsoft.Resources/deployments/*" + never,
		},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "resource-group"},
	},
	{
		name: "booting",
		hold: held{
			"proxmox": "PUT " + pveMachine + "/sendkey" + never, "vsphere": "POST /sdk/PutUsbScanCodes" + never,
			"azure": "GET " + azureGroup + "/providers/Microsoft.Network/publicIPAddresses/*" + never,
		},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "resource-group"},
	},
	{
		name: "SSH connecting", text: "Waiting for SSH to become available",
		env:  []string{"PKR_VAR_communicator_port=1"},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "resource-group"},
	},
	{
		name: "early in the provisioning", text: "the moment has come", recipe: [3]string{stop},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "resource-group"},
	},
	{
		name: "late in the provisioning", change: true, text: "the moment has come", recipe: [3]string{"echo early", stop},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "resource-group"},
	},
	{
		name: "shutdown",
		hold: held{
			"proxmox": "POST " + pveMachine + "/status/shutdown" + never, "vsphere": "POST /sdk/ShutdownGuest" + never,
			"azure": "POST " + azureMachine + "/deallocate" + never,
		},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "resource-group"},
	},
	{
		name: "conversion, capture of the managed image",
		hold: held{
			"proxmox": "POST " + pveMachine + "/template" + never, "vsphere": "POST /sdk/MarkAsTemplate" + never,
			"azure": "PUT " + azureImages + "/images/* task" + never,
		},
		left: held{"proxmox": "vm", "vsphere": "vm", "azure": "incomplete-managed-image resource-group"}, loose: []hybridcore.Platform{hybridcore.VSphere},
	},
	{
		name: "template made, capture of the gallery version", change: true,
		hold: held{
			"proxmox": "POST " + pveMachine + "/config" + never, "vsphere": "POST /rest/com/vmware/vcenter/ovf/library-item" + never,
			"azure": "PUT " + azureImages + "/galleries/*/images/*/versions/* task" + never,
		},
		left: held{"proxmox": "vm-template", "vsphere": "vm-template", "azure": "incomplete-gallery-image-version managed-image resource-group"}, loose: []hybridcore.Platform{hybridcore.VSphere},
	},
	{
		name: "image made, before the record", text: "the moment has come", recipe: [3]string{"echo early", "echo late", stop},
		left: held{"proxmox": "vm-template", "vsphere": "content-library-item vm-template", "azure": "gallery-image-version managed-image"},
	},
}

// TestKilled kills packer-hybrid, Packer and the plugins at five moments of a build
// for three platforms, and in make test-nightly at all, so that nobody cleans up.
func TestKilled(t *testing.T) {
	b := newBed(t, startLab(t))
	b.bare(t, moment{})
	if code, out := b.run(t, "build", "debian-12"); code != 0 { // images of another run
		t.Fatalf("exit %d\n%s", code, out)
	}
	for _, m := range moments {
		if !m.change && !*nightly {
			continue
		}
		t.Run(m.name, func(t *testing.T) { b.testKilledAt(t, m) })
	}
	t.Run("clone without a name", func(t *testing.T) { b.testNamelessClone(t) })
}

var (
	buildBlock  = regexp.MustCompile(`(?s)\nbuild \{.*?(\n  post-processor)`)
	pluginBlock = regexp.MustCompile(`(?s)  required_plugins \{.*?\n  \}\n`)
)

// bare replaces the project's provisioning with the commands of a moment, and
// makes gallery versions on Azure too.
func (b *bed) bare(t *testing.T, m moment) {
	t.Helper()
	linux := filepath.Join(b.dir, "templates/os/linux.pkr.hcl")
	text, err := os.ReadFile(linux)
	if err != nil {
		t.Fatal(err)
	}
	provision := "\nbuild {\n  sources = local.sources\n"
	for _, command := range m.recipe[:2] {
		provision += "  provisioner \"shell\" {\n    inline = [\"" + command + "\"]\n  }\n"
	}
	if m.recipe[2] != "" {
		provision += "  post-processor \"shell-local\" {\n    inline = [\"" + m.recipe[2] + "\"]\n  }\n"
	}
	text = buildBlock.ReplaceAll(text, []byte(provision+"$1"))
	if err := os.WriteFile(linux, pluginBlock.ReplaceAll(text, nil), 0o600); err != nil {
		t.Fatal(err)
	}
	settings := "azure_location = \"westeurope\"\nazure_resource_group = \"golden-images\"\nazure_gallery = \"" + azure.Gallery + "\"\n"
	if err := os.WriteFile(filepath.Join(b.dir, "configs/lab/azure.pkrvars.hcl"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
}

// at starts a build and returns when it is at a moment on every platform.
func (b *bed) at(t *testing.T, m moment) *running {
	t.Helper()
	b.bare(t, m)
	injectors := b.injectors()
	for p := range injectors {
		if text, held := m.hold[p]; held {
			b.hold(t, p, text)
		} else if m.hold != nil {
			delete(injectors, p)
		}
	}
	platforms := []string{}
	for p := range injectors {
		platforms = append(platforms, string(p))
	}
	words := []string{"build", "debian-12", "--rebuild", "--platforms", strings.Join(platforms, ",")}
	if m.job != nil {
		env, _ := m.job.env(t, b.dir, strings.Join(words, " "))
		words, m.env = []string{"ci"}, append(env, m.env...)
	}
	r := &running{cmd: b.command(append(words, "-v")...), out: &follower{}, done: make(chan error, 1)}
	r.cmd.Env = append(r.cmd.Env, m.env...)
	r.cmd.Stdout, r.cmd.Stderr = r.out, r.out
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { r.done <- r.cmd.Wait() }()
	arrived := func(p hybridcore.Platform) bool {
		switch {
		case m.hold != nil:
			return slices.Max(injectors[p].Hits()) > 0
		case m.text != "":
			return regexp.MustCompile(`debian-12@` + string(p) + ` .*` + m.text).MatchString(r.out.String())
		}
		return len(b.leases(t)) == len(injectors)
	}
	deadline := time.After(2 * time.Minute)
	for p := range injectors {
		for !arrived(p) {
			select {
			case err := <-r.done:
				t.Fatalf("the build ended before its moment came on %s: %v\n%s", p, err, r.out)
			case <-deadline:
				kill(t, r.cmd.Process.Pid)
				t.Fatalf("the moment did not come on %s\n%s", p, r.out)
			case <-time.After(5 * time.Millisecond):
			}
		}
	}
	return r
}

// hold adds a fault rule to a platform.
func (b *bed) hold(t *testing.T, p hybridcore.Platform, text string) {
	t.Helper()
	rule, err := fault.ParseRule(text)
	if err != nil {
		t.Fatal(err)
	}
	b.injectors()[p].Add(rule)
}

func (b *bed) injectors() map[hybridcore.Platform]*fault.Injector {
	return map[hybridcore.Platform]*fault.Injector{
		hybridcore.Proxmox: b.lab.Proxmox().Faults(), hybridcore.VSphere: b.lab.VSphere().Faults(), hybridcore.Azure: b.lab.Azure().Faults(),
	}
}

// kill ends a process and all below it with SIGKILL. They are stopped first: the
// end of one is a signal to clean up for the next.
func kill(t *testing.T, pid int) {
	t.Helper()
	stopped := map[int]bool{}
	for before := -1; before < len(stopped); {
		before = len(stopped)
		for _, p := range append([]int{pid}, descendants(t, pid)...) {
			if !stopped[p] {
				_ = syscall.Kill(p, syscall.SIGSTOP) // it may have ended
				stopped[p] = true
			}
		}
	}
	for p := range stopped {
		_ = syscall.Kill(p, syscall.SIGKILL) // it may have ended
	}
}

func (b *bed) testKilledAt(t *testing.T, m moment) {
	t.Helper()
	began := time.Now()
	before := b.holdings(t)
	r := b.at(t, m)
	kill(t, r.cmd.Process.Pid)
	r.end(t)
	for _, faults := range b.injectors() {
		faults.Clear()
	}
	leases := b.leases(t)
	if len(leases) != 3 {
		t.Fatalf("the leases are %+v, want one for each platform", leases)
	}
	left, nameless := b.holdings(t).without(before)
	for p, kinds := range m.left {
		if got := kindsOf(p, left); got != kinds {
			t.Errorf("%s was killed with %q there, want %q: this is another moment\n%s", p, got, kinds, r.out)
		}
	}
	t.Logf("after %v there is %q, and without a name %q", time.Since(began).Round(time.Millisecond), left, nameless)
	var loose []hybridcore.Platform
	nameless = slices.DeleteFunc(nameless, func(one string) bool {
		words := strings.Fields(one)
		platform := hybridcore.Platform(words[0])
		if words[1] == kindCD && slices.Contains(m.loose, platform) {
			left, loose = append(left, one), append(loose, platform)
			return true
		}
		return m.left[platform] == "vm-template" // what belongs to a template stays with it
	})
	slices.Sort(loose)
	if diff := cmp.Diff(m.loose, loose, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("CDs without a machine (-want +got):\n%s", diff)
	}
	b.reapAll(t, leases[0], left, nameless)
	for _, l := range leases {
		if _, err := os.Lstat(l.Scratch); l.Scratch == "" || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the scratch directory %q of %s is there: %v", l.Scratch, l.Key, err)
		}
	}
}

// testNamelessClone kills everybody while Proxmox VE clones: until it names the
// clone nothing tells whose it is, and then the next reap has to know.
func (b *bed) testNamelessClone(t *testing.T) {
	t.Helper()
	before := b.holdings(t)
	r := b.at(t, moment{
		hold: held{hybridcore.Proxmox: "POST " + pveMachine + "/clone task delay=3s"}, env: []string{"PKR_VAR_build_from=clone"},
	})
	kill(t, r.cmd.Process.Pid)
	r.end(t)
	b.lab.Proxmox().Faults().Clear()
	leases := b.leases(t)
	if len(leases) != 1 {
		t.Fatalf("the leases are %+v", leases)
	}
	left, _ := b.holdings(t).without(before)
	if got := kindsOf("", left); got != "vm" {
		t.Fatalf("the kill left %q", left)
	}
	early, _ := b.reaped(t, leases[0].RunID)
	named := func() bool {
		vms := b.lab.Proxmox().VMs()
		return !slices.ContainsFunc(vms, func(vm proxmox.VM) bool { return vm.Name == "" })
	}
	for deadline := time.Now().Add(time.Minute); !named(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the clone gets no name")
		}
	}
	late, _ := b.reaped(t, leases[0].RunID)
	t.Logf("removed without a name %q, later %q", early, late)
	if diff := cmp.Diff(left, append(early, late...)); diff != "" {
		t.Errorf("removed (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(before, b.holdings(t)); diff != "" {
		t.Errorf("on the platforms (-want +got):\n%s", diff)
	}
}

// kindsOf lists the kinds of a platform's things, sorted; of all platforms for an empty one.
func kindsOf(p hybridcore.Platform, all []string) string {
	var kinds []string
	for _, one := range all {
		if words := strings.Fields(one); p == "" || words[0] == string(p) {
			kinds = append(kinds, words[1])
		}
	}
	slices.Sort(kinds)
	return strings.Join(kinds, " ")
}

// reapAll holds what reap promises: it lists what is left of a run, removes it
// with its CDs and disks, and touches nothing else.
func (b *bed) reapAll(t *testing.T, l hybridcore.Lease, left, nameless []string) {
	t.Helper()
	complete, all := b.plant(t, l, b.holdings(t))
	for _, one := range left {
		if kind := strings.Fields(one)[1]; kind != "vm" && kind != kindCD && kind != "resource-group" && !strings.HasPrefix(kind, "incomplete-") {
			complete = append(complete, one)
		}
	}
	remove := slices.DeleteFunc(slices.Clone(left), func(one string) bool { return slices.Contains(complete, one) })
	settled := maps.Clone(all)
	for _, one := range remove {
		delete(settled, one)
	}
	sorted := cmpopts.SortSlices(strings.Compare)
	check := func(doing string, removed []string, now holdings, args ...string) {
		t.Helper()
		gone, kept := b.reaped(t, l.RunID, args...)
		if diff := cmp.Diff(removed, gone, sorted, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", doing, diff)
		}
		if diff := cmp.Diff(complete, kept, sorted, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s, kept (-want +got):\n%s", doing, diff)
		}
		found := b.holdings(t)
		for _, one := range left { // a platform may go on with what the run asked for
			if _, there := found[one]; there {
				found[one] = now[one]
			}
		}
		if diff := cmp.Diff(now, found); diff != "" {
			t.Errorf("%s: on the platforms (-want +got):\n%s", doing, diff)
		}
	}
	check("dry run", remove, all, "--dry-run")
	for _, one := range nameless {
		delete(settled, one)
	}
	check("reap", remove, settled)
	check("second reap", nil, settled)
	// The next run would look for late arrivals of this one, and reap name its images, for ten minutes.
	if err := os.RemoveAll(filepath.Join(b.dir, "state", "leases")); err != nil {
		t.Fatal(err)
	}
}

// reaped runs reap and returns what it says about one run: what it removed, and
// what it named as complete.
func (b *bed) reaped(t *testing.T, run string, args ...string) (removed, kept []string) {
	t.Helper()
	out, err := b.command(append([]string{"reap", "-o", "json"}, args...)...).Output()
	if err != nil {
		t.Fatalf("reap %v: %v\n%s", args, err, out)
	}
	var doc hybridcore.Answer
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	for _, one := range *doc.Reaped {
		if one.Lease.RunID != run {
			continue
		}
		_, platform, _ := strings.Cut(one.Lease.Key, "@")
		removed = append(removed, keys(hybridcore.Platform(platform), one.Removed)...)
		kept = append(kept, keys(hybridcore.Platform(platform), one.Kept)...)
	}
	return removed, kept
}
