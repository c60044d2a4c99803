// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:55:00Z
// Spec: openspec/specs/leases/spec.md#requirement-marks-on-vsphere
// Diagram: openspec/specs/leases/diagram.md#reap-on-vsphere

package vsphere

import (
	"context"
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/vmware/govmomi/fault"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/property"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// uploadedFloppy is the name of a floppy image that the plugin uploads into the
// folder of the machine.
var uploadedFloppy = regexp.MustCompile(`^packer-([0-9]+|tmp-created-floppy)\.flp$`)

// uploadFolder is where the vSphere plugin uploads CDs. The installation media
// in it are shared, and stay.
const uploadFolder = "packer_cache"

// isUploadedCD says whether a path in a datastore is that of a CD that Packer
// made for one build.
func isUploadedCD(file string) bool {
	return path.Dir(file) == uploadFolder && hybridcore.IsMedium(path.Base(file))
}

// uploads lists the datastore paths of what was uploaded for a machine: its CDs,
// and the floppy images in its folder, which need not be attached yet.
func (c *client) uploads(ctx context.Context, m mo.VirtualMachine) ([]string, error) {
	var found []string
	for _, device := range devices(m).SelectByType((*types.VirtualCdrom)(nil)) {
		backing, ok := device.GetVirtualDevice().Backing.(*types.VirtualCdromIsoBackingInfo)
		var at object.DatastorePath
		if ok && at.FromString(backing.FileName) && isUploadedCD(at.Path) {
			found = append(found, backing.FileName)
		}
	}
	home := folder(m.Config.Files.VmPathName)
	if home.Path == "" || len(m.Datastore) == 0 {
		return found, nil
	}
	var stores []mo.Datastore
	if err := property.DefaultCollector(c.soap.Client).
		Retrieve(ctx, m.Datastore, []string{"name", "browser"}, &stores); err != nil {
		return nil, fmt.Errorf("reading its datastores: %w", err)
	}
	for _, store := range stores {
		if store.Name != home.Datastore {
			continue
		}
		names, err := c.list(ctx, store.Browser, home.String(), "packer-*.flp")
		if err != nil {
			return nil, fmt.Errorf("listing %s: %w", home.String(), err)
		}
		for _, name := range names {
			if uploadedFloppy.MatchString(name) {
				found = append(found, home.String()+"/"+name)
			}
		}
	}
	return found, nil
}

// folder is the folder of a file in a datastore; without a path when it is none.
func folder(file string) object.DatastorePath {
	var at object.DatastorePath
	if !at.FromString(file) || path.Dir(at.Path) == "." {
		return object.DatastorePath{}
	}
	at.Path = path.Dir(at.Path)
	return at
}

// list lists files of a folder. A folder that is gone has none.
func (c *client) list(
	ctx context.Context, browser types.ManagedObjectReference, folder string, patterns ...string,
) ([]string, error) {
	task, err := object.NewHostDatastoreBrowser(c.soap.Client, browser).
		SearchDatastore(ctx, folder, &types.HostDatastoreBrowserSearchSpec{MatchPattern: patterns})
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what was listed
	}
	info, err := task.WaitForResult(ctx)
	if fault.Is(err, &types.FileNotFound{}) {
		return nil, nil
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // the caller says what was listed
	}
	result, ok := info.Result.(types.HostDatastoreBrowserSearchResults)
	if !ok {
		return nil, errors.New("the answer is no list of files")
	}
	var names []string
	for _, file := range result.File {
		if file == nil {
			return nil, errors.New("the answer has a file of no type")
		}
		names = append(names, file.GetFileInfo().Path)
	}
	return names, nil
}

// devices are the devices of a machine that have a type; the library follows those
// that have none.
func devices(m mo.VirtualMachine) object.VirtualDeviceList {
	return slices.DeleteFunc(
		object.VirtualDeviceList(m.Config.Hardware.Device), func(d types.BaseVirtualDevice) bool { return d == nil },
	)
}

// foreignDisks lists the disks of a machine that lie in somebody else's folder
// and do not carry the machine's name: vCenter would delete them with it.
func foreignDisks(m mo.VirtualMachine) []types.BaseVirtualDevice {
	home := folder(m.Config.Files.VmPathName)
	var foreign []types.BaseVirtualDevice
	for _, device := range devices(m).SelectByType((*types.VirtualDisk)(nil)) {
		backing, ok := device.GetVirtualDevice().Backing.(types.BaseVirtualDeviceFileBackingInfo)
		if !ok {
			continue
		}
		file := backing.GetVirtualDeviceFileBackingInfo().FileName
		at := folder(file)
		own := at == home || strings.HasPrefix(path.Base(at.Path), m.Name) || strings.HasPrefix(path.Base(file), m.Name)
		if at.Path != "" && !own {
			foreign = append(foreign, device)
		}
	}
	return foreign
}

// deleteFile deletes a file of the data center in which something is. One that is gone
// already is no error: an earlier reap may have come this far.
func (c *client) deleteFile(ctx context.Context, in types.ManagedObjectReference, path string) error {
	ancestors, err := mo.Ancestors(ctx, c.soap.Client, c.soap.ServiceContent.PropertyCollector, in)
	if err != nil {
		return fmt.Errorf("finding the data center: %w", err)
	}
	for _, a := range ancestors {
		if a.Self.Type != "Datacenter" {
			continue
		}
		task, err := object.NewFileManager(c.soap.Client).
			DeleteDatastoreFile(ctx, path, object.NewDatacenter(c.soap.Client, a.Self))
		if err == nil {
			err = task.Wait(ctx)
		}
		if err != nil && !fault.Is(err, &types.FileNotFound{}) {
			return fmt.Errorf("in %s: %w", a.Name, err)
		}
		return nil
	}
	return errors.New("it is in no data center")
}
