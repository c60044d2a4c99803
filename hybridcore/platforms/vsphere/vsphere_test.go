// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:00:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-after-a-build

package vsphere

import (
	"context"
	"crypto/tls"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	_ "github.com/vmware/govmomi/vapi/simulator" // serves the content library
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	labvsphere "github.com/packer-hybrid/packer-hybrid/lab/vsphere"
)

// What the suite of all platforms uses.
const (
	deadRun    = platformtest.DeadRun
	deadName   = platformtest.DeadName
	notes      = platformtest.Notes
	builtISO   = platformtest.BuiltISO
	looseISO   = platformtest.LooseISO
	mountedISO = platformtest.MountedISO
	released   = platformtest.Released
	theirs     = platformtest.Theirs
)

const (
	user     = "packer@vsphere.local"
	password = "correct-horse-battery"
)

// modelling lets one test at a time make a vCenter.
var modelling sync.Mutex

// vcenter serves a simulated vCenter with one template, one machine and one
// library item, and returns the settings that reach it.
func vcenter(tb testing.TB) map[string]string {
	tb.Helper()
	model := simulator.VPX()
	modelling.Lock() // the simulator fills a list of the whole process
	err := model.Create()
	modelling.Unlock()
	if err != nil {
		tb.Fatal(err)
	}
	model.Service.ServeMux = http.NewServeMux()
	labvsphere.NewContentVersions(model.Service.ServeMux)
	model.Service.TLS = new(tls.Config)
	model.Service.RegisterEndpoints = true
	model.Service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(user, password)}
	model.Map().Handler = func(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
		return nil, labvsphere.CheckVersion(ctx, method)
	}
	server := model.Service.NewServer()
	tb.Cleanup(func() { server.Close(); model.Remove() })

	client, err := govmomi.NewClient(tb.Context(), server.URL, true)
	if err != nil {
		tb.Fatal(err)
	}
	machine, err := find.NewFinder(client.Client).VirtualMachine(tb.Context(), "/DC0/vm/DC0_H0_VM0")
	if err != nil {
		tb.Fatal(err)
	}
	task, err := machine.PowerOff(tb.Context())
	if err == nil {
		err = task.Wait(tb.Context())
	}
	if err == nil {
		err = machine.MarkAsTemplate(tb.Context())
	}
	if err != nil {
		tb.Fatal(err)
	}
	restClient := rest.NewClient(client.Client)
	if err := restClient.Login(tb.Context(), server.URL.User); err != nil {
		tb.Fatal(err)
	}
	store, err := find.NewFinder(client.Client).Datastore(tb.Context(), "/DC0/datastore/LocalDS_0")
	if err != nil {
		tb.Fatal(err)
	}
	manager := library.NewManager(restClient)
	id, err := manager.CreateLibrary(tb.Context(), library.Library{
		Name: "golden", Type: "LOCAL",
		Storage: []library.StorageBacking{{DatastoreID: store.Reference().Value, Type: "DATASTORE"}},
	})
	if err == nil {
		_, err = manager.CreateLibraryItem(
			tb.Context(), library.Item{Name: "DC0_H0_VM0", Type: library.ItemTypeVMTX, LibraryID: id},
		)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return map[string]string{
		"vsphere_endpoint": server.URL.Host, "vsphere_insecure_connection": "true",
		"vsphere_username": user, "vsphere_password": password,
		"vsphere_content_library": "golden",
	}
}

// open connects to a vCenter past the containment of panics.
func open(t *testing.T, settings map[string]string) *client {
	t.Helper()
	opened, err := Open(t.Context(), settings, platform.Anywhere)
	if err != nil {
		t.Fatal(err)
	}
	c, ok := opened.(*client)
	if !ok {
		t.Fatalf("a %T", opened)
	}
	return c
}

func TestFind(t *testing.T) {
	client := open(t, vcenter(t))
	defer func() {
		if err := client.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	for name, want := range map[string][]string{
		"DC0_H0_VM0": {"vm-template", "content-library-item"},
		"DC0_H0_VM1": {"vm"},
		"DC0_H0_VM":  nil, // only resembles
		"DC0_H0_VM*": nil,
		"nothing":    nil,
	} {
		found, err := client.Find(t.Context(), name)
		if err != nil {
			t.Errorf("Find(%q): %v", name, err)
		}
		var kinds []string
		for _, uri := range found {
			kinds = append(kinds, uri.Kind)
			if uri.ID == "" || uri.Name != name {
				t.Errorf("Find(%q) = %+v", name, uri)
			}
		}
		if diff := cmp.Diff(want, kinds, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("Find(%q) kinds (-want +got):\n%s", name, diff)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	tests := []struct{ name, variable, value, want string }{
		{"wrong password", "vsphere_password", "wrong-password-value", "refuses vsphere_username and vsphere_password"},
		{"no password", "vsphere_password", "", "export PKR_VAR_vsphere_password"},
		{"nobody there", "vsphere_endpoint", "127.0.0.1:1", "connecting to vCenter 127.0.0.1:1"},
		{"no address", "vsphere_endpoint", "https://a b:secret-in-url@%zz", "is not an address"},
		{"untrusted certificate", "vsphere_insecure_connection", "false", "certificate"},
	}
	settings := vcenter(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), platformtest.With(settings, tt.variable, tt.value), platform.Anywhere)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want it to contain %q", err, tt.want)
			}
			for _, secret := range []string{password, "wrong-password-value", "secret-in-url"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
}

// annotate gives a machine of the simulator a name and notes.
func annotate(t *testing.T, settings map[string]string, from, name, notes string) {
	t.Helper()
	c := open(t, settings)
	machine, err := find.NewFinder(c.soap.Client).VirtualMachine(t.Context(), "/DC0/vm/"+from)
	if err != nil {
		t.Fatal(err)
	}
	task, err := machine.Reconfigure(t.Context(), types.VirtualMachineConfigSpec{Name: name, Annotation: notes})
	if err == nil {
		err = task.Wait(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestReap(t *testing.T) {
	const run, name = "20261101t000000-dead0000", "debian-12-20261101t000000-dead0000"
	notes := "debian-12 for lab, run " + run + ", built by packer-hybrid with Packer 1.15.0"
	settings := vcenter(t)
	annotate(
		t, settings, "DC0_H0_VM1", name, notes,
	) // the leftover, powered on
	annotate(t, settings, "DC0_C0_RP0_VM0", name+"-copy", notes)                                        // a similar name
	annotate(t, settings, "DC0_C0_RP0_VM1", "debian-12-other", "run 20261101t000000-other000, foreign") // no mark of ours
	client := open(t, settings)
	reap := func(name, run string, dry bool, want int) {
		t.Helper()
		got, err := client.Reap(t.Context(), hybridcore.Remains{Name: name, RunID: run}, dry)
		if err != nil || len(got) != want {
			t.Errorf("Reap(%s, %s, dry %v) = %+v, %v; want %d machines", name, run, dry, got, err, want)
		}
	}
	reap(name, "20261101t000000-other000", false, 0) // the name without this run's mark
	reap("DC0_H0_VM0", run, false, 0)                // a template
	reap("debian-12-*", run, false, 0)               // a name is no pattern
	reap(name, run, true, 1)
	reap(name, run, true, 1)
	reap(name, run, false, 1)
	reap(name, run, false, 0)
	for _, kept := range []string{name + "-copy", "debian-12-other", "DC0_H0_VM0"} {
		if found, err := client.Find(t.Context(), kept); err != nil || len(found) == 0 {
			t.Errorf("%s is gone: %v, %v", kept, found, err)
		}
	}
}

// TestGoneMeanwhile checks that a machine which is deleted between the list and the look at it
// does not hide the others.
func TestGoneMeanwhile(t *testing.T) {
	c := open(t, vcenter(t))
	machine, err := find.NewFinder(c.soap.Client).VirtualMachine(t.Context(), "/DC0/vm/DC0_H0_VM1")
	if err != nil {
		t.Fatal(err)
	}
	gone := types.ManagedObjectReference{Type: "VirtualMachine", Value: "vm-999999"}
	found, err := c.read(t.Context(), []types.ManagedObjectReference{gone, machine.Reference()}, "name")
	if err != nil || len(found) != 1 || found[0].Name != "DC0_H0_VM1" {
		t.Errorf("read %+v, %v", found, err)
	}
}
