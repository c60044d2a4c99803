// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:57:00Z
// Spec: openspec/specs/leases/spec.md#requirement-marks-on-vsphere
// Diagram: openspec/specs/leases/diagram.md#reap-on-vsphere

package vsphere

import (
	"bytes"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/view"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// faulty serves another server's interface with fault rules before it. A SOAP call's path in rules is /sdk/METHOD.
func faulty(t *testing.T, host string, faults *fault.Injector) string {
	t.Helper()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: host})
			if strings.HasPrefix(r.In.URL.Path, "/sdk/") && r.In.Method == http.MethodPost {
				r.Out.URL.Path = "/sdk"
			}
		},
		Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}},
	}
	rules := faults.Handler("", proxy, soapAnswer)
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if r.URL.Path == "/sdk" {
			r.URL.Path += "/" + soapMethod(body)
		}
		rules.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "https://")
}

// soapMethod is the name of the element in a SOAP body.
func soapMethod(body []byte) string {
	var envelope struct {
		Body struct {
			Call struct{ XMLName xml.Name } `xml:",any"`
		} `xml:"Body"`
	}
	_ = xml.Unmarshal(body, &envelope) // no SOAP: no method
	return envelope.Body.Call.XMLName.Local
}

// soapAnswer answers as vCenter does: a refused call is a fault. A rule's reason is the type of another fault.
func soapAnswer(w http.ResponseWriter, r *http.Request, rule fault.Rule) {
	kind := rule.Reason
	if kind == "" {
		kind = "NoPermission"
	}
	if rule.Status == http.StatusTooManyRequests || !strings.HasPrefix(r.URL.Path, "/sdk/") {
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(rule.Status)
		return
	}
	w.WriteHeader(http.StatusInternalServerError)
	fmt.Fprintf(
		w,
		`<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" `+
			`xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body><soapenv:Fault>`+
			`<faultcode>ServerFaultCode</faultcode><faultstring>%s.</faultstring><detail>`+
			`<%sFault xmlns="urn:vim25" xsi:type="%s">`+
			`<object type="VirtualMachine">vm-1</object><privilegeId>VirtualMachine.Inventory.Delete</privilegeId>`+
			`</%sFault></detail></soapenv:Fault></soapenv:Body></soapenv:Envelope>`,
		"Permission to perform this operation was denied",
		kind,
		kind,
		kind,
	)
}

// center is a simulated vCenter as its owner sees it.
type center struct {
	*testing.T
	direct *client // past the fault rules
	dir    string  // of LocalDS_0
	pool   *object.ResourcePool
	items  *library.Manager
	golden string // identifier of the library
}

func newCenter(t *testing.T, settings map[string]string) *center {
	t.Helper()
	v := &center{T: t, direct: open(t, settings)}
	finder := find.NewFinder(v.direct.soap.Client)
	var err error
	v.pool, err = finder.ResourcePool(t.Context(), "/DC0/host/DC0_C0/Resources")
	if err != nil {
		t.Fatal(err)
	}
	store, err := finder.Datastore(t.Context(), "/DC0/datastore/LocalDS_0")
	if err != nil {
		t.Fatal(err)
	}
	var known mo.Datastore
	if err := store.Properties(t.Context(), store.Reference(), []string{"info"}, &known); err != nil {
		t.Fatal(err)
	}
	v.dir = known.Info.GetDatastoreInfo().Url
	v.items = library.NewManager(v.direct.rest)
	lib, err := v.items.GetLibraryByName(t.Context(), "golden")
	if err != nil {
		t.Fatal(err)
	}
	v.golden = lib.ID
	return v
}

// must waits for a task.
func (v *center) must(task *object.Task, err error) {
	v.Helper()
	if err == nil {
		err = task.Wait(v.Context())
	}
	if err != nil {
		v.Fatal(err)
	}
}

// file puts a file into the datastore.
func (v *center) file(name string) {
	v.Helper()
	path := filepath.Join(v.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		v.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("content"), 0o600); err != nil {
		v.Fatal(err)
	}
}

// machine makes a machine in a folder below /DC0/vm.
func (v *center) machine(folder, name, notes string, devices ...types.BaseVirtualDevice) *object.VirtualMachine {
	v.Helper()
	finder := find.NewFinder(v.direct.soap.Client)
	place, err := finder.Folder(v.Context(), "/DC0/vm/"+folder)
	if err != nil {
		root, err := finder.Folder(v.Context(), "/DC0/vm")
		if err != nil {
			v.Fatal(err)
		}
		if place, err = root.CreateFolder(v.Context(), folder); err != nil {
			v.Fatal(err)
		}
	}
	changes, err := object.VirtualDeviceList(devices).ConfigSpec(types.VirtualDeviceConfigSpecOperationAdd)
	if err != nil {
		v.Fatal(err)
	}
	task, err := place.CreateVM(v.Context(), types.VirtualMachineConfigSpec{
		Name:         name,
		Annotation:   notes,
		GuestId:      "otherGuest",
		Files:        &types.VirtualMachineFileInfo{VmPathName: "[LocalDS_0]"},
		DeviceChange: changes,
	}, v.pool, nil)
	if err != nil {
		v.Fatal(err)
	}
	info, err := task.WaitForResult(v.Context())
	if err != nil {
		v.Fatal(err)
	}
	made, ok := info.Result.(types.ManagedObjectReference)
	if !ok {
		v.Fatalf("made %v", info.Result)
	}
	return object.NewVirtualMachine(v.direct.soap.Client, made)
}

// drives are drives with CDs in the folder for uploads.
func (v *center) drives(cds ...string) []types.BaseVirtualDevice {
	v.Helper()
	var list object.VirtualDeviceList
	ide, err := list.CreateIDEController()
	if err != nil {
		v.Fatal(err)
	}
	list = append(list, ide)
	for n, file := range cds {
		list = append(list, &types.VirtualCdrom{VirtualDevice: types.VirtualDevice{
			Key:           int32(-100 - n),
			ControllerKey: ide.GetVirtualDevice().Key,
			UnitNumber:    new(int32(n)),
			Backing: &types.VirtualCdromIsoBackingInfo{
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{FileName: "[LocalDS_0] packer_cache/" + file},
			},
		}})
	}
	return list
}

// disk is a disk that exists.
func (v *center) disk(file string) []types.BaseVirtualDevice {
	v.Helper()
	var list object.VirtualDeviceList
	scsi, err := list.CreateSCSIController("pvscsi")
	if err != nil {
		v.Fatal(err)
	}
	controller, ok := scsi.(types.BaseVirtualController)
	if !ok {
		v.Fatalf("a %T", scsi)
	}
	return append(list, scsi, list.CreateDisk(controller, types.ManagedObjectReference{}, "[LocalDS_0] "+file))
}

// addItem makes a library item; a whole one has a descriptor.
func (v *center) addItem(name, notes string, whole bool) string {
	v.Helper()
	id, err := v.items.CreateLibraryItem(
		v.Context(), library.Item{Name: name, Description: &notes, Type: library.ItemTypeOVF, LibraryID: v.golden},
	)
	if err != nil {
		v.Fatal(err)
	}
	if !whole {
		return id
	}
	session, err := v.items.CreateLibraryItemUpdateSession(v.Context(), library.Session{LibraryItemID: id})
	if err != nil {
		v.Fatal(err)
	}
	file, err := v.items.AddLibraryItemFile(
		v.Context(), session, library.UpdateFile{Name: name + ".ovf", SourceType: "PUSH"},
	)
	if err != nil {
		v.Fatal(err)
	}
	address, err := url.Parse(file.UploadEndpoint.URI)
	if err != nil {
		v.Fatal(err)
	}
	if err := v.direct.rest.Upload(
		v.Context(), strings.NewReader("ovf"), address, &soap.Upload{Method: http.MethodPut, ContentLength: 3},
	); err != nil {
		v.Fatal(err)
	}
	if err := v.items.CompleteLibraryItemUpdateSession(v.Context(), session); err != nil {
		v.Fatal(err)
	}
	return id
}

// inventory lists machines, files and library items.
func (v *center) inventory() []string {
	v.Helper()
	all, err := view.NewManager(v.direct.soap.Client).
		CreateContainerView(v.Context(), v.direct.soap.ServiceContent.RootFolder, []string{"VirtualMachine"}, true)
	if err != nil {
		v.Fatal(err)
	}
	var machines []mo.VirtualMachine
	if err := all.Retrieve(
		v.Context(), []string{"VirtualMachine"}, []string{"name", "config.template", "runtime.powerState", "snapshot"},
		&machines,
	); err != nil {
		v.Fatal(err)
	}
	var lines []string
	for _, m := range machines {
		lines = append(
			lines,
			fmt.Sprintf(
				"%s %s %s template=%v snapshot=%v", m.Self.Value, m.Name, m.Runtime.PowerState, m.Config.Template,
				m.Snapshot != nil,
			),
		)
	}
	err = filepath.WalkDir(v.dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a task whose caller is gone goes on
		}
		if err == nil && !d.IsDir() {
			lines = append(lines, strings.TrimPrefix(path, v.dir))
		}
		return err
	})
	if err != nil {
		v.Fatal(err)
	}
	items, err := v.items.GetLibraryItems(v.Context(), v.golden)
	if err != nil {
		v.Fatal(err)
	}
	for _, i := range items {
		lines = append(lines, "item "+i.ID+" "+i.Name)
	}
	return lines
}

// leave makes everything that a killed build can leave.
func (v *center) leave() []string {
	v.Helper()
	v.file("packer_cache/" + builtISO)
	m := v.machine("", deadName, notes, v.drives(builtISO, "debian-12.iso")...)
	v.must(m.PowerOn(v.Context()))
	v.must(m.CreateSnapshot(v.Context(), "before sealing", "", false, false))
	var known mo.VirtualMachine
	if err := m.Properties(v.Context(), m.Reference(), []string{"config.files"}, &known); err != nil {
		v.Fatal(err)
	}
	home := folder(known.Config.Files.VmPathName)
	v.file(home.Path + "/packer-1234567890.flp")
	item := v.addItem(deadName, notes, false)
	return []string{"vm " + m.Reference().Value, "incomplete-content-library-item " + item, v.loose()}
}

// loose is a CD without a machine.
func (v *center) loose() string {
	v.Helper()
	v.file("packer_cache/" + looseISO)
	return "uploaded-cd [LocalDS_0] packer_cache/" + looseISO
}

// reapBed is a simulated vCenter with what belongs to others.
func reapBed(t *testing.T) *platformtest.Bed {
	t.Helper()
	settings := platformtest.With(vcenter(t), "vsphere_datastore", "LocalDS_0")
	v := newCenter(t, settings)
	faults := &fault.Injector{}
	c := open(t, platformtest.With(settings, "vsphere_endpoint", faulty(t, settings["vsphere_endpoint"], faults)))
	for _, name := range []string{
		"packer_cache/debian-12.iso", "packer_cache/packer777.iso", "packer_cache/" + mountedISO, "iso/" + looseISO,
		"packer_cache/packer1902627640.iso.txt", "iso/packer1902627640.iso", "database/database.vmdk",
	} {
		v.file(name)
	}
	v.machine("", "web", "", v.drives(mountedISO)...)
	v.machine("", deadName+"-copy", notes)
	v.machine("", deadName[:len(deadName)-1], notes)
	v.machine("", strings.ToUpper(deadName), notes)
	v.machine("mine", deadName, "the same name, without a mark")
	v.machine("theirs", deadName, strings.ReplaceAll(notes, deadRun, deadRun+"0"))
	if err := v.machine("built", deadName, notes).MarkAsTemplate(t.Context()); err != nil {
		t.Fatal(err)
	}
	v.addItem(deadName+"-copy", notes, false)
	v.addItem(strings.ToUpper(deadName), notes, false)
	foreign := func() []string {
		return []string{"vm " + v.machine("", deadName, notes, v.disk("database/database.vmdk")...).Reference().Value}
	}
	return &platformtest.Bed{
		Client:  c,
		Faults:  faults,
		Prefix:  "/**",
		Effects: "* /sdk/[^S]*_Task", // a search changes nothing

		Denied: "* /sdk/Destroy_Task status=403\n* /sdk/PowerOffVM_Task status=403\n" +
			"* /sdk/DeleteDatastoreFile_Task status=403\nDELETE /** status=403",
		Hands: []string{
			"govc object.destroy 'VirtualMachine:vm-",
			"govc library.rm '",
			"govc datastore.rm '[LocalDS_0] packer_cache/" + looseISO + "'",
			"Permission to perform this operation was denied",
			"lacks the privilege VirtualMachine.Inventory.Delete",
		},
		Inventory: v.inventory,
		Orphans: []platformtest.Orphan{
			{Name: "killed during provisioning", Leave: v.leave},
			{Name: "powered off", Leave: func() []string {
				return []string{"vm " + v.machine("", deadName, notes).Reference().Value}
			}},
			{Name: "with a disk of somebody else", Leave: foreign},
			{Name: "CD without a machine", Leave: func() []string { return []string{v.loose()} }},
			{Name: "while it is being created", Leave: func() []string {
				left := v.machine("", deadName, notes).Reference().Value
				if err := faults.Load("* /sdk/Destroy_Task nth=1 status=500 reason=TaskInProgress"); err != nil {
					t.Fatal(err)
				}
				return []string{"vm " + left}
			}},
		},
	}
}

// TestConformanceReap holds the client to what every platform's reap does.
func TestConformanceReap(t *testing.T) {
	t.Parallel()
	platformtest.Reap(t, reapBed)
}

// TestCalls checks calls that make no difference in the simulator. Unlike it, vCenter keeps files in a
// machine's folder that it does not know, and destroys every disk that is attached, wherever it lies.
func TestCalls(t *testing.T) {
	t.Parallel()
	b := reapBed(t)
	for _, tt := range []struct {
		orphan         int
		files, changes int // deleted by name; taken off
	}{{0, 3, 0}, {2, 0, 1}, {3, 1, 0}} {
		b.Orphans[tt.orphan].Leave()
		b.Inject(t, "* /sdk/DeleteDatastoreFile_Task delay=1ms\n* /sdk/ReconfigVM_Task delay=1ms")
		b.ReapDead(t, false)
		if diff := cmp.Diff([]int{tt.files, tt.changes}, b.Faults.Hits()); diff != "" {
			t.Errorf("%s: files deleted, disks taken off (-want +got):\n%s", b.Orphans[tt.orphan].Name, diff)
		}
	}
}

// TestItemsOfOthers checks items of exactly the name that stay: a whole one, and one without the mark.
func TestItemsOfOthers(t *testing.T) {
	t.Parallel()
	v := newCenter(t, vcenter(t))
	for name, tt := range map[string]struct {
		notes string
		whole bool
		kind  string
	}{
		"whole":          {notes, true, libraryItem},
		"without a mark": {"run " + deadRun + ", by hand", false, hybridcore.KindIncomplete + libraryItem},
	} {
		id := v.addItem(deadName, tt.notes, tt.whole)
		if got, err := v.direct.Reap(t.Context(), hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err != nil ||
			len(got) != 0 {
			t.Errorf("%s: removed %v, %v", name, got, err)
		}
		found, err := v.direct.Find(t.Context(), deadName)
		platformtest.Same(t, name+": found is", []string{tt.kind + " " + id}, platformtest.Lines(found))
		if err := errors.Join(err, v.items.DeleteLibraryItem(t.Context(), &library.Item{ID: id})); err != nil {
			t.Error(err)
		}
	}
}
