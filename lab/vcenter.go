// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package lab

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/session"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	_ "github.com/vmware/govmomi/vapi/simulator" // registers the REST endpoints
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"

	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// The inventory that every lab's vCenter starts with, beside govmomi's defaults (DC0, DC0_C0, "VM Network").
const (
	datastoreName = "LocalDS_0"
	libraryName   = "golden"
	folderName    = "golden"
	isoFolder     = "iso"
	cacheFolder   = "packer_cache" // where the plugin uploads the CDs of builds
)

// isoFiles are the installation media in the datastore. Nothing boots from them: they only have to exist.
var isoFiles = []string{"debian-12.iso", "ubuntu-24.04.iso"}

// vcenterUser is the only account of a lab's vCenter.
const vcenterUser = "packer@lab.local"

// closeGrace bounds the wait for requests that are under way when the lab closes.
const closeGrace = 2 * time.Second

// vcenter is the simulated vCenter.
type vcenter struct {
	lab       *Lab
	model     *simulator.Model
	server    *simulator.Server
	trust     trust
	password  string
	datastore string // directory of LocalDS_0
	keys      *keyboard
	faults    fault.Injector
}

// startVCenter starts a vCenter on a free port of 127.0.0.1.
func startVCenter(l *Lab) (*vcenter, error) {
	v := &vcenter{lab: l, password: newSecret("vcenter"), keys: newKeyboard()}
	var err error
	if v.trust, err = newTrust(l.dir); err != nil {
		return nil, err
	}
	if err := v.createModel(); err != nil {
		return nil, fmt.Errorf("making vCenter's inventory: %w", err)
	}
	service := v.model.Service
	service.TLS = v.trust.config
	service.RegisterEndpoints = true
	service.Listen = &url.URL{Host: "127.0.0.1:0", User: url.UserPassword(vcenterUser, v.password)}
	service.ServeMux = http.NewServeMux()
	newOVFImporter(service.ServeMux)
	v.server = service.NewServer()
	v.server.Config.Handler = v.faulty(v.server.Config.Handler) // nobody knows the port yet
	if err := v.createLibrary(); err != nil {
		v.close()
		return nil, fmt.Errorf("making the content library: %w", err)
	}
	return v, nil
}

// createModel makes the inventory: a data center and a cluster without virtual machines. The simulator's
// own Create would put the datastore below the system's temporary directory and leave it there when the
// process is killed, so the datastore is made here.
func (v *vcenter) createModel() error {
	m := simulator.VPX()
	m.Machine, m.Host, m.Datastore = 0, 0, 0
	ctx := simulator.NewContext()
	m.Service = simulator.New(simulator.NewServiceInstance(ctx, m.ServiceContent, m.RootFolder))
	v.model = m
	if err := m.CreateInfrastructure(ctx); err != nil {
		return fmt.Errorf("creating objects: %w", err)
	}
	if err := v.createDatastore(); err != nil {
		return err
	}
	if err := v.createFolder(); err != nil {
		return err
	}
	if err := v.createBase(); err != nil {
		return err
	}
	watch := &powerWatch{vcenter: v}
	m.Map().AddHandler(watch)
	m.Map().Handler = v.intercept
	return nil
}

// createDatastore mounts one directory as the datastore of every host.
func (v *vcenter) createDatastore() error {
	dir, err := v.lab.dir.make(0o700, "datastore")
	if err != nil {
		return err
	}
	v.datastore = dir
	for _, folder := range []string{isoFolder, cacheFolder} {
		if _, err := v.lab.dir.make(0o700, "datastore", folder); err != nil {
			return err
		}
	}
	for _, name := range isoFiles {
		content := []byte("stands for the installation medium " + name + "\n")
		if err := os.WriteFile(filepath.Join(dir, isoFolder, name), content, 0o600); err != nil {
			return fmt.Errorf("writing an installation medium: %w", err)
		}
	}
	ctx, client := context.Background(), v.internalClient()
	finder := find.NewFinder(client)
	datacenter, err := finder.DefaultDatacenter(ctx)
	if err != nil {
		return fmt.Errorf("finding the data center: %w", err)
	}
	hosts, err := finder.SetDatacenter(datacenter).HostSystemList(ctx, "*/*")
	if err != nil {
		return fmt.Errorf("finding hosts: %w", err)
	}
	for _, host := range hosts {
		system, err := host.ConfigManager().DatastoreSystem(ctx)
		if err != nil {
			return fmt.Errorf("making the datastore: %w", err)
		}
		if _, err := system.CreateLocalDatastore(ctx, datastoreName, dir); err != nil {
			return fmt.Errorf("making the datastore: %w", err)
		}
	}
	return nil
}

// createFolder makes the folder of the images. The plugin would make it too, but two first builds at once
// then both try, and one fails.
func (v *vcenter) createFolder() error {
	ctx := context.Background()
	datacenter, err := find.NewFinder(v.internalClient()).DefaultDatacenter(ctx)
	if err != nil {
		return fmt.Errorf("finding the data center: %w", err)
	}
	folders, err := datacenter.Folders(ctx)
	if err != nil {
		return fmt.Errorf("finding the folder of virtual machines: %w", err)
	}
	if _, err := folders.VmFolder.CreateFolder(ctx, folderName); err != nil {
		return fmt.Errorf("making the folder %s: %w", folderName, err)
	}
	return nil
}

// internalClient speaks to the simulator in process, without signing in.
func (v *vcenter) internalClient() *vim25.Client {
	client, err := vim25.NewClient(context.Background(), v.model.Service)
	if err != nil {
		panic("lab: the simulator refuses its own client: " + err.Error())
	}
	return client
}

// createLibrary makes the content library that receives OVF items.
func (v *vcenter) createLibrary() error {
	ctx := context.Background()
	client, err := v.signIn(ctx)
	if err != nil {
		return err
	}
	defer client.signOut(ctx)
	store, err := find.NewFinder(client.vim.Client).Datastore(ctx, "/*/datastore/"+datastoreName)
	if err != nil {
		return fmt.Errorf("finding the datastore: %w", err)
	}
	_, err = library.NewManager(client.rest).CreateLibrary(ctx, library.Library{
		Name: libraryName, Type: "LOCAL",
		Storage: []library.StorageBacking{{DatastoreID: store.Reference().Value, Type: "DATASTORE"}},
	})
	if err != nil {
		return fmt.Errorf("creating %s: %w", libraryName, err)
	}
	return nil
}

// client is a signed-in client of both of vCenter's interfaces.
type client struct {
	vim  *govmomi.Client
	rest *rest.Client
}

// signIn signs in over the network, checking the lab's certificate, as any other client does.
func (v *vcenter) signIn(ctx context.Context) (*client, error) {
	transport := soap.NewClient(v.server.URL, false)
	if err := transport.SetRootCAs(v.trust.authorityFile); err != nil {
		return nil, fmt.Errorf("trusting the lab's certificate: %w", err)
	}
	vim, err := vim25.NewClient(ctx, transport)
	if err != nil {
		return nil, fmt.Errorf("connecting to vCenter: %w", err)
	}
	user := url.UserPassword(vcenterUser, v.password)
	manager := session.NewManager(vim)
	if err := manager.Login(ctx, user); err != nil {
		return nil, fmt.Errorf("signing in to vCenter: %w", err)
	}
	c := &client{vim: &govmomi.Client{Client: vim, SessionManager: manager}, rest: rest.NewClient(vim)}
	if err := c.rest.Login(ctx, user); err != nil {
		return nil, fmt.Errorf("signing in to vCenter's REST interface: %w", err)
	}
	return c, nil
}

// signOut ends both sessions. It cannot fail in a way that matters: sessions end with the lab.
func (c *client) signOut(ctx context.Context) {
	_ = c.rest.Logout(ctx)
	_ = c.vim.Logout(ctx)
}

// env is the part of a lab's environment that leads to its vCenter.
func (v *vcenter) env() []string {
	return []string{
		"PKR_VAR_vsphere_endpoint=" + v.server.URL.Host,
		"PKR_VAR_vsphere_username=" + vcenterUser,
		"PKR_VAR_vsphere_password=" + v.password,
		"PKR_VAR_vsphere_insecure_connection=false",
		"SSL_CERT_FILE=" + v.trust.bundleFile,
	}
}

// powerOff powers a virtual machine off in vCenter, as its hardware tells.
func (v *vcenter) powerOff(ref string) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	vm := object.NewVirtualMachine(v.internalClient(), vmReference(ref))
	task, err := vm.PowerOff(ctx)
	if err == nil {
		err = task.Wait(ctx)
	}
	if err != nil && !isGone(err) {
		v.lab.logf("powering off %s in vCenter: %v", ref, err)
	}
}

// close stops serving. The datastore goes with the lab's directory.
func (v *vcenter) close() {
	if v.server == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
	defer cancel()
	if err := v.server.Config.Shutdown(ctx); err != nil {
		v.server.CloseClientConnections() // a client still waits for updates: it will not get any
		_ = v.server.Config.Close()
	}
}
