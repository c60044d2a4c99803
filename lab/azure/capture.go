// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-capture
// Diagram: openspec/specs/lab-azure/diagram.md#one-build

package azure

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// imageAPI makes managed images and versions in galleries.
type imageAPI struct {
	store *store
	work  *operations
	disks Disks
}

// putImage captures a virtual machine as a managed image.
func (a *imageAPI) putImage(c *call) (*reply, error) {
	body, err := c.resourceBody()
	if err != nil {
		return nil, err
	}
	properties := arm.Object(body, "properties")
	source := arm.Text(properties, "sourceVirtualMachine", "id")
	system := arm.Object(properties, "storageProfile", "osDisk")
	system["osType"], system["osState"], system["storageAccountType"] = "Linux", "Generalized", "Standard_LRS"
	return a.capture(c, body, source)
}

// versionName is what Azure accepts as the name of a gallery version: three numbers.
var versionName = regexp.MustCompile(`^\d{1,10}\.\d{1,10}\.\d{1,10}$`)

// putVersion captures a virtual machine, or copies an image, as a version in a gallery.
func (a *imageAPI) putVersion(c *call) (*reply, error) {
	body, err := c.resourceBody()
	if err != nil {
		return nil, err
	}
	if name := c.target.Names[2]; !versionName.MatchString(name) {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidParameter",
			"The value '%s' of parameter galleryImageVersionName is invalid.", arm.Clip(name))
	}
	properties := arm.Object(body, "properties")
	profile := arm.Object(properties, "publishingProfile")
	if arm.List(profile, "targetRegions") == nil {
		profile["targetRegions"] = []any{map[string]any{"name": body["location"], "regionalReplicaCount": 1}}
	}
	profile["publishedDate"] = time.Now().UTC().Format(time.RFC3339)
	if arm.Text(profile, "endOfLifeDate") == "" {
		delete(profile, "endOfLifeDate") // the plugin sends an empty one; Azure answers with a date or none
	}
	home := region(arm.Text(body, "location"))
	if !slices.Contains(regions(properties), home) {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidParameter",
			"The target regions must contain the location of the gallery image version, '%s'.", home)
	}
	source := arm.Text(properties, "storageProfile", "source", "virtualMachineId")
	if source == "" {
		source = arm.Text(properties, "storageProfile", "source", "id")
	}
	a.store.mu.Lock()
	err = a.store.needParent(c.target)
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return a.capture(c, body, source)
}

// capture makes an image with the content of another disk. An image that exists only changes its tags and
// its publishing profile.
func (a *imageAPI) capture(c *call, body map[string]any, sourceID string) (*reply, error) {
	source, r, shown, err := a.addImage(c, body, sourceID)
	if err != nil {
		return nil, err
	}
	if source == nil {
		return &reply{status: http.StatusOK, body: shown}, nil
	}
	op := a.work.begin(c, "InProgress", func(ctx context.Context, fail error) error {
		return a.copyDisk(ctx, source, r,
			fail)
	})
	return a.work.started(c, op, http.StatusCreated, shown), nil
}

// addImage puts a new image into the store, or changes the one that is there: then there is no source.
func (a *imageAPI) addImage(c *call, body map[string]any, sourceID string) (source, r *resource, shown map[string]any,
	err error,
) {
	a.store.mu.Lock()
	defer a.store.mu.Unlock()
	g, err := a.store.usableGroup(c.target.Group)
	if err != nil {
		return nil, nil, nil, err
	}
	if old, exists := g.resources[c.target.Key()]; exists {
		if err := recapture(old, body); err != nil {
			return nil, nil, nil, err
		}
		return nil, old, old.render(), nil
	}
	if source, err = a.captureSource(sourceID); err != nil {
		return nil, nil, nil, err
	}
	r = a.store.add(g, c.target, body)
	r.disk = a.store.newDisk()
	return source, r, r.render(), nil
}

// recapture changes an image that exists.
func recapture(old *resource, body map[string]any) error {
	if old.state != stateSucceeded {
		return arm.Refuse(http.StatusConflict, "OperationNotAllowed",
			"The resource '%s' is in state %s and cannot be changed.",
			old.target.String(), old.state)
	}
	was, is := sourceOf(old.body), sourceOf(body)
	if is != "" && !strings.EqualFold(was, is) {
		return arm.Refuse(http.StatusConflict, "PropertyChangeNotAllowed", "Changing the source of '%s' is not allowed.",
			old.target.String())
	}
	old.body["tags"] = body["tags"]
	if arm.Dig(body, "properties", "publishingProfile") != nil {
		profile, properties := arm.Object(body, "properties", "publishingProfile"), arm.Object(old.body, "properties")
		profile["publishedDate"] = arm.Dig(properties, "publishingProfile", "publishedDate") // when it was made
		properties["publishingProfile"] = profile
	}
	return nil
}

// sourceOf is the identifier of what an image was made of.
func sourceOf(body map[string]any) string {
	for _, path := range [][]string{
		{"properties", "sourceVirtualMachine", "id"},
		{"properties", "storageProfile", "source", "virtualMachineId"},
		{"properties", "storageProfile", "source", "id"},
	} {
		if id := arm.Text(body, path...); id != "" {
			return id
		}
	}
	return ""
}

// captureSource finds what an image is to be made of. The caller holds the lock.
func (a *imageAPI) captureSource(id string) (*resource, error) {
	if id == "" {
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidParameter",
			"The lab makes images of virtual machines and of other images: the source is missing.")
	}
	source, err := a.store.findID(id)
	if err != nil {
		return nil, err
	}
	switch {
	case source.vm != nil && (!source.vm.generalized || source.vm.power == powerRunning):
		return nil, arm.Refuse(http.StatusConflict, "OperationNotAllowed", "VM '%s' is %s; it must be deallocated and "+
			"generalized before it is captured.", source.target.Names[0], source.vm.power)
	case source.vm == nil && source.target.Type != arm.Images && source.target.Type != arm.Versions, source.disk == "":
		return nil, arm.Refuse(http.StatusBadRequest, "InvalidParameter", "An image cannot be made of %s.",
			source.target.Type)
	case source.state != stateSucceeded:
		return nil, arm.Refuse(http.StatusConflict, "OperationNotAllowed", "The source '%s' is in state %s.",
			source.target.String(),
			source.state)
	}
	return source, nil
}

// copyDisk gives an image its content. It fails when the source is deleted first.
func (a *imageAPI) copyDisk(ctx context.Context, source, r *resource, fail error) error {
	if a.work.faithful && !pause(ctx, faithfulCapture) {
		return nil
	}
	err := fail
	if err == nil {
		a.store.mu.Lock()
		if source.group.resources[source.target.Key()] != source || source.state == stateDeleting {
			err = arm.Refuse(http.StatusNotFound, "NotFound", "The source '%s' was deleted.", source.target.String())
		}
		a.store.mu.Unlock()
	}
	if err == nil {
		err = a.disks.Copy(source.disk, r.disk)
	}
	a.store.mu.Lock()
	kept := r.group.resources[r.target.Key()] == r && r.state != stateDeleting
	if kept {
		r.state = stateSucceeded
		if err != nil {
			r.state = stateFailed
		}
	}
	a.store.mu.Unlock()
	if !kept && err == nil {
		return a.disks.Remove(r.disk)
	}
	return err
}
