// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:00:12Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#lookup-on-proxmox-ve

package proxmox

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	lab "github.com/packer-hybrid/packer-hybrid/lab/proxmox"
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

// credentials are those of the simulated node.
var credentials = lab.Credentials{
	User:     "packer@pve",
	Password: "lab-password",
	TokenID:  "packer@pve!lab",
	Secret:   "lab-secret-token",
}

// bare is hardware without guests: a machine is on until it is powered off.
type bare struct{}

func (bare) Machine(string) lab.Machine                    { return bare{} }
func (bare) Clone(string, string) error                    { return nil }
func (bare) Remove(string) error                           { return nil }
func (bare) PowerOn(_ lab.Boot, up func(string), _ func()) { go up("127.0.0.1") }
func (bare) Shutdown()                                     {}
func (bare) PowerOff()                                     {}

// node serves a simulated Proxmox VE and returns the settings that reach it.
func node(t *testing.T) (*lab.Server, map[string]string) {
	t.Helper()
	helper := httptest.NewUnstartedServer(nil)
	helper.StartTLS() // for its certificate
	helper.Close()
	server, err := lab.Start(
		lab.Config{
			Hardware:    bare{},
			Credentials: credentials,
			Dir:         t.TempDir(),
			TLS:         helper.TLS,
			TaskWait:    2 * time.Second,
			Log:         t.Logf,
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	return server, map[string]string{
		"proxmox_url": server.URL(), "proxmox_insecure_connection": "true",
		"proxmox_username": credentials.TokenID, "proxmox_token": credentials.Secret,
		"proxmox_node": lab.NodeName, "iso_storage": lab.ISOStorage,
	}
}

// open connects to the node.
func open(t *testing.T, settings map[string]string) *client {
	t.Helper()
	opened, err := Open(t.Context(), settings, platform.Anywhere)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := opened.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	c, ok := opened.(*client)
	if !ok {
		t.Fatalf("a %T", opened)
	}
	return c
}

// plant puts a machine there: setting, value, and so on.
func plant(t *testing.T, server *lab.Server, id int, name string, pairs ...string) {
	t.Helper()
	settings := map[string]string{"name": name, "scsi0": lab.DiskStorage + ":vm-" + strconv.Itoa(id) + "-disk-0,size=8G"}
	for pair := range slices.Chunk(pairs, 2) {
		settings[pair[0]] = pair[1]
	}
	if err := server.Plant(id, settings); err != nil {
		t.Fatal(err)
	}
}

// powerOn starts a machine.
func powerOn(t *testing.T, c *client, id int) {
	t.Helper()
	at := machine{Node: lab.NodeName, VMID: id}
	if err := c.work(t.Context(), http.MethodPost, at.path("status", "start"), nil); err != nil {
		t.Fatal(err)
	}
}

// rules makes the node fail.
func rules(t *testing.T, server *lab.Server, text string) {
	t.Helper()
	if err := server.Faults().Load(text); err != nil {
		t.Fatal(err)
	}
}

// reap is one call of Reap.
type reap struct {
	name, run string
	dry       bool
}

// of expects these machines from a call.
func (r reap) of(t *testing.T, c *client, want ...string) {
	t.Helper()
	got, err := c.Reap(t.Context(), hybridcore.Remains{Name: r.name, RunID: r.run}, r.dry)
	if err != nil {
		t.Errorf("%+v: %v", r, err)
	}
	uris := make([]hybridcore.URI, 0, len(want))
	for _, id := range want {
		uris = append(uris, hybridcore.URI{Kind: "vm", Name: r.name, ID: id})
	}
	if diff := cmp.Diff(uris, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%+v (-want +got):\n%s", r, diff)
	}
}

// ids are the numbers of the machines that are there.
func ids(server *lab.Server) []int {
	var list []int
	for _, v := range server.VMs() {
		list = append(list, v.ID)
	}
	return list
}

func TestFind(t *testing.T) {
	server, settings := node(t)
	plant(t, server, 100, "golden", "template", "1")
	plant(t, server, 101, "golden")
	plant(t, server, 102, "golden-2")
	plant(t, server, 103, "older", "template", "1")
	tokenless := platformtest.With(
		settings, "proxmox_token", "", "proxmox_username", credentials.User, "proxmox_password", credentials.Password,
	)
	for door, settings := range map[string]map[string]string{"token": settings, "password": tokenless} {
		c := open(t, settings)
		for name, want := range map[string][]hybridcore.URI{
			"golden":   {{Kind: "vm-template", Name: "golden", ID: "pve1/100"}, {Kind: "vm", Name: "golden", ID: "pve1/101"}},
			"golden-2": {{Kind: "vm", Name: "golden-2", ID: "pve1/102"}},
			"older":    {{Kind: "vm-template", Name: "older", ID: "pve1/103"}},
			"gold":     {}, "golden*": {}, "GOLDEN": {}, "": {}, "nothing": {},
		} {
			found, err := c.Find(t.Context(), name)
			if err != nil {
				t.Errorf("by %s: Find(%q): %v", door, name, err)
			}
			if diff := cmp.Diff(want, found); diff != "" {
				t.Errorf("by %s: Find(%q) (-want +got):\n%s", door, name, diff)
			}
		}
	}
}

// TestFindIsSure checks that an answer that is no list is never taken for an empty one.
func TestFindIsSure(t *testing.T) {
	for _, status := range []string{"302", "400", "403", "500", "502", "595", "596"} {
		server, settings := node(t)
		c := open(t, settings)
		rules(t, server, `GET /cluster/resources status=`+status)
		if found, err := c.Find(t.Context(), "golden"); err == nil {
			t.Errorf("status %s: found %v, want an error", status, found)
		}
	}
}

// TestGone checks a list that is older than a removal.
func TestGone(t *testing.T) {
	server, settings := node(t)
	plant(t, server, 100, deadName)
	c := open(t, settings)
	rules(
		t, server,
		`GET /nodes/pve1/qemu/100/config status=500 `+
			`reason="Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist"`,
	)
	found, err := c.Find(t.Context(), deadName)
	if err != nil || len(found) != 0 {
		t.Errorf("found %v, %v; want nothing", found, err)
	}
	reap{deadName, deadRun, false}.of(t, c)
}

func TestOpenRefuses(t *testing.T) {
	server, settings := node(t)
	host := strings.TrimSuffix(strings.TrimPrefix(server.URL(), "https://"), "/api2/json")
	tests := []struct {
		name    string
		changes []string
		want    string
	}{
		{"wrong token", []string{"proxmox_token", "wrong-secret-value"}, "401"},
		{
			"wrong password",
			[]string{"proxmox_token", "", "proxmox_password", "wrong-secret-value"},
			"401 authentication failure",
		},
		{"no secret", []string{"proxmox_token", ""}, "export PKR_VAR_proxmox_token"},
		{"no user", []string{"proxmox_username", ""}, "export PKR_VAR_proxmox_username"},
		{"no address", []string{"proxmox_url", "https://a b:secret-in-url@%zz"}, "is not an address"},
		{"not encrypted", []string{"proxmox_url", "http://me:secret-in-url@" + host}, "want https://"},
		{"nobody there", []string{"proxmox_url", "https://me:secret-in-url@127.0.0.1:1/api2/json"}, "127.0.0.1:1"},
		{"not the API", []string{"proxmox_url", "https://me:secret-in-url@" + host + "/?secret-in-url"}, "Proxmox VE says"},
		{"untrusted certificate", []string{"proxmox_insecure_connection", "false"}, "certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Open(t.Context(), platformtest.With(settings, tt.changes...), platform.Anywhere)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want it to contain %q", err, tt.want)
			}
			for _, secret := range []string{credentials.Secret, "wrong-secret-value", "secret-in-url"} {
				if strings.Contains(err.Error(), secret) {
					t.Errorf("the error shows a secret: %v", err)
				}
			}
		})
	}
	t.Run("no permissions", func(t *testing.T) {
		blind := httptest.NewTLSServer(
			http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"data":{}}`)) }),
		)
		t.Cleanup(blind.Close)
		_, err := Open(t.Context(), platformtest.With(settings, "proxmox_url", blind.URL), platform.Anywhere)
		if err == nil || !strings.Contains(err.Error(), "may see nothing") {
			t.Errorf("error %v, want one about permissions", err)
		}
	})
	t.Run("repeats the token", func(t *testing.T) {
		rules(t, server, `GET /access/permissions status=500 reason="bad token lab-secret-token"`)
		if _, err := Open(t.Context(), settings, platform.Anywhere); err == nil ||
			strings.Contains(err.Error(), credentials.Secret) {
			t.Errorf("error %v, want one without the token", err)
		}
	})
}

// TestBounded checks that a node that does not answer does not hold a lookup.
func TestBounded(t *testing.T) {
	server, settings := node(t)
	c := open(t, settings)
	rules(t, server, `GET /cluster/resources delay=30s`)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := c.Find(ctx, "golden"); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("error %v after %s", err, time.Since(began))
	}
}

func TestReap(t *testing.T) {
	server, settings := node(t)
	if err := server.PutISO("packer1902627640.iso", "a CD"); err != nil {
		t.Fatal(err)
	}
	if err := server.PutISO("debian.iso", "an installer"); err != nil {
		t.Fatal(err)
	}
	plant(
		t, server, 100, deadName, "description", notes, "ide0", "local:iso/packer1902627640.iso,media=cdrom", "ide1",
		"local:iso/debian.iso,media=cdrom",
	)
	plant(
		t, server, 101, deadName,
	) // a clone that nobody marked
	plant(
		t, server, 102, deadName, "template", "1", "description", notes,
	) // built, not recorded
	plant(t, server, 103, deadName+"-copy", "description", notes, "tags", "ph-run-"+deadRun)           // a similar name
	plant(t, server, 104, "debian-12-other", "description", "run "+deadRun+", by hand", "tags", "lab") // no mark of ours
	plant(t, server, 105, "short", "tags", "golden;ph-run-"+deadRun)
	plant(t, server, 106, "short", "tags", "ph-run-"+deadRun+"0")
	c := open(t, settings)
	powerOn(t, c, 100)
	powerOn(t, c, 103)
	reap{deadName, "20261101t000000-other000", false}.of(t, c)
	reap{"debian-12-other", deadRun, false}.of(t, c)
	reap{"debian-12-*", deadRun, false}.of(t, c)
	reap{"short", deadRun, true}.of(t, c, "pve1/105")
	for range 2 {
		reap{deadName, deadRun, true}.of(t, c, "pve1/100", "pve1/101")
	}
	if diff := cmp.Diff([]int{100, 101, 102, 103, 104, 105, 106}, ids(server)); diff != "" {
		t.Fatalf("after dry runs (-want +got):\n%s", diff)
	}
	reap{deadName, deadRun, false}.of(t, c, "pve1/100", "pve1/101")
	reap{deadName, deadRun, false}.of(t, c)
	reap{"short", deadRun, false}.of(t, c, "pve1/105")
	if diff := cmp.Diff([]int{102, 103, 104, 106}, ids(server)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if v := server.VMs()[1]; !v.Running {
		t.Errorf("%s was powered off", v.Name)
	}
	volumes, err := server.Volumes(lab.ISOStorage)
	if diff := cmp.Diff([]string{"local:iso/debian.iso"}, volumes); diff != "" || err != nil {
		t.Errorf("images (-want +got):\n%s%v", diff, err)
	}
	if _, err := c.Reap(t.Context(), hybridcore.Remains{Name: "debian-12-", RunID: ""}, false); err == nil {
		t.Error("a run without ID was reaped")
	}
}

// TestReapFails checks that what cannot be removed is an error, and stays a leftover.
func TestReapFails(t *testing.T) {
	for name, tt := range map[string]struct{ rule, want string }{
		"delete refused":     {`DELETE /nodes/pve1/qemu/100 status=500 reason="storage is offline"`, "storage is offline"},
		"delete fails":       {`DELETE /nodes/pve1/qemu/100 task reason="volume is busy"`, "volume is busy"},
		"stop fails":         {`POST /nodes/pve1/qemu/100/status/stop task reason="got timeout"`, "powering it off"},
		"task unknown":       {`GET /nodes/pve1/tasks/*/status status=500`, "asking for task"},
		"CD cannot go":       {`DELETE /nodes/pve1/storage/** status=500 reason="denied"`, "its CD local:iso/packer7.iso"},
		"list without state": {`GET /nodes/pve1/qemu/100/status/current status=595`, "power state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, settings := node(t)
			plant(t, server, 100, deadName, "description", notes, "ide0", "local:iso/packer7.iso,media=cdrom")
			c := open(t, settings)
			powerOn(t, c, 100)
			rules(t, server, tt.rule)
			if got, err := c.Reap(t.Context(), hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil ||
				len(got) != 0 || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "pve1/100") {
				t.Errorf("Reap() = %v, %v; want an error about pve1/100 with %q", got, err, tt.want)
			}
			reap{deadName, deadRun, true}.of(t, c, "pve1/100")
			server.Faults().Clear()
			reap{deadName, deadRun, false}.of(t, c, "pve1/100") // its CD may be gone already
			reap{deadName, deadRun, false}.of(t, c)
		})
	}
}

// TestReapWaits checks machines that a task holds: a clone under way, and a lock for a moment.
func TestReapWaits(t *testing.T) {
	server, settings := node(t)
	plant(t, server, 9000, "base", "template", "1", "scsi0", "local-lvm:base-9000-disk-0,size=8G")
	c := open(t, settings)
	rules(t, server, `POST /nodes/pve1/qemu/9000/clone task delay=4s`)
	form := url.Values{"newid": {"100"}, "name": {deadName}, "full": {"1"}}
	cloned := make(chan error, 1) // the answer takes its time too
	go func() {
		cloned <- c.call(t.Context(), http.MethodPost, machine{Node: lab.NodeName, VMID: 9000}.path("clone"), form, nil)
	}()
	until := func(what func() bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !what(); time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("no clone, or none with a name: %+v", server.VMs())
			}
		}
	}
	until(func() bool { return len(server.VMs()) == 2 })
	reap{deadName, deadRun, false}.of(t, c) // it has no name yet
	until(func() bool { return server.VMs()[0].Name == deadName })
	short, cancel := context.WithTimeout(t.Context(), 700*time.Millisecond)
	defer cancel()
	if got, err := c.Reap(short, hybridcore.Remains{Name: deadName, RunID: deadRun}, false); err == nil || len(got) != 0 ||
		!strings.Contains(err.Error(), "locked") || !strings.Contains(err.Error(), "clone") {
		t.Errorf("Reap() = %v, %v; want an error about the lock", got, err)
	}
	reap{deadName, deadRun, true}.of(t, c, "pve1/100")
	rules(
		t, server,
		`DELETE /nodes/pve1/qemu/100 nth=1 status=500 `+
			`reason="can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"`,
	)
	reap{deadName, deadRun, false}.of(t, c, "pve1/100")
	if diff := cmp.Diff([]int{9000}, ids(server)); diff != "" {
		t.Errorf("what is left (-want +got):\n%s", diff)
	}
	if err := <-cloned; err != nil {
		t.Error(err)
	}
}

// TestOldList checks that the configuration decides: of a new machine whose name the list lacks or
// has as VM and its number, of one that was renamed since, and not of a container.
func TestOldList(t *testing.T) {
	answers := map[string]string{
		"/access/permissions": `{"/":{"VM.Audit":1}}`,
		"/cluster/resources": `[{"vmid":102,"node":"a","type":"qemu","name":"golden"},{"vmid":100,"node":"b","type":"qemu"},
			{"vmid":103,"node":"a","type":"qemu"},{"vmid":104,"node":"a","type":"qemu","name":"VM 104"},
			{"vmid":101,"node":"a","type":"lxc","name":"golden"}]`,
		"/nodes/b/qemu/100/config": `{"name":"golden","template":1}`,
		"/nodes/a/qemu/102/config": `{"name":"renamed"}`,
		"/nodes/a/qemu/103/config": `{"lock":"create"}`,
		"/nodes/a/qemu/104/config": `{"name":"golden"}`,
	}
	old := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte(`{"data":` + answers[strings.TrimPrefix(r.URL.Path, "/api2/json")] + `}`))
	}))
	t.Cleanup(old.Close)
	_, settings := node(t)
	found, err := open(t, platformtest.With(settings, "proxmox_url", old.URL+"/api2/json")).Find(t.Context(), "golden")
	want := []hybridcore.URI{{Kind: "vm-template", Name: "golden", ID: "b/100"}, {Kind: "vm", Name: "golden", ID: "a/104"}}
	if diff := cmp.Diff(want, found); diff != "" || err != nil {
		t.Errorf("found (-want +got):\n%s%v", diff, err)
	}
}
