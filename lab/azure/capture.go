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
)

// putImage captures a virtual machine as a managed image.
func (s *Server) putImage(c *call) (*reply, error) {
	body, err := c.resourceBody()
	if err != nil {
		return nil, err
	}
	properties := object(body, "properties")
	source := text(properties, "sourceVirtualMachine", "id")
	system := object(properties, "storageProfile", "osDisk")
	system["osType"], system["osState"], system["storageAccountType"] = "Linux", "Generalized", "Standard_LRS"
	return s.capture(c, body, source)
}

// versionName is what Azure accepts as the name of a gallery version: three numbers.
var versionName = regexp.MustCompile(`^\d{1,10}\.\d{1,10}\.\d{1,10}$`)

// putVersion captures a virtual machine, or copies an image, as a version in a gallery.
func (s *Server) putVersion(c *call) (*reply, error) {
	body, err := c.resourceBody()
	if err != nil {
		return nil, err
	}
	if name := c.target.names[2]; !versionName.MatchString(name) {
		return nil, refuse(http.StatusBadRequest, "InvalidParameter",
			"The value '%s' of parameter galleryImageVersionName is invalid.", clip(name))
	}
	properties := object(body, "properties")
	profile := object(properties, "publishingProfile")
	if list(profile, "targetRegions") == nil {
		profile["targetRegions"] = []any{map[string]any{"name": body["location"], "regionalReplicaCount": 1}}
	}
	if text(profile, "endOfLifeDate") == "" {
		delete(profile, "endOfLifeDate") // the plugin sends an empty one; Azure answers with a date or none
	}
	home := region(text(body, "location"))
	if !slices.Contains(regions(properties), home) {
		return nil, refuse(http.StatusBadRequest, "InvalidParameter",
			"The target regions must contain the location of the gallery image version, '%s'.", home)
	}
	source := text(properties, "storageProfile", "source", "virtualMachineId")
	if source == "" {
		source = text(properties, "storageProfile", "source", "id")
	}
	s.mu.Lock()
	err = s.needParent(c.target)
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return s.capture(c, body, source)
}

// region is the name of a region as identifiers have it: "West Europe" is westeurope.
func region(name string) string { return strings.ToLower(strings.ReplaceAll(name, " ", "")) }

// regions lists the target regions of a gallery version.
func regions(properties map[string]any) []string {
	var names []string
	for _, one := range list(properties, "publishingProfile", "targetRegions") {
		names = append(names, region(text(one, "name")))
	}
	return names
}

// replication is the replication status of a gallery version: each region has what the first one has.
func replication(r *resource) map[string]any {
	state, progress := "Replicating", 0
	switch r.state {
	case stateSucceeded:
		state, progress = "Completed", 100
	case stateFailed:
		state = "Failed"
	}
	var summary []any
	for _, name := range regions(object(r.body, "properties")) {
		summary = append(summary, map[string]any{"region": name, "state": state, "progress": progress})
	}
	return map[string]any{"aggregatedState": state, "summary": summary}
}

// capture makes an image with the content of another disk. An image that exists only changes its tags and
// its publishing profile.
func (s *Server) capture(c *call, body map[string]any, sourceID string) (*reply, error) {
	source, r, shown, err := s.addImage(c, body, sourceID)
	if err != nil {
		return nil, err
	}
	if source == nil {
		return &reply{status: http.StatusOK, body: shown}, nil
	}
	op := s.begin(c, "InProgress", func(ctx context.Context, fail error) error { return s.copyDisk(ctx, source, r, fail) })
	return s.started(c, op, http.StatusCreated, shown), nil
}

// addImage puts a new image into the store, or changes the one that is there: then there is no source.
func (s *Server) addImage(c *call, body map[string]any, sourceID string) (source, r *resource, shown map[string]any,
	err error,
) {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.usableGroup(c.target.group)
	if err != nil {
		return nil, nil, nil, err
	}
	if old, exists := g.resources[c.target.key()]; exists {
		if err := recapture(old, body); err != nil {
			return nil, nil, nil, err
		}
		return nil, old, old.render(), nil
	}
	if source, err = s.captureSource(sourceID); err != nil {
		return nil, nil, nil, err
	}
	r = s.add(g, c.target, body)
	r.disk = s.newDisk()
	return source, r, r.render(), nil
}

// recapture changes an image that exists.
func recapture(old *resource, body map[string]any) error {
	if old.state != stateSucceeded {
		return refuse(http.StatusConflict, "OperationNotAllowed", "The resource '%s' is in state %s and cannot be changed.",
			old.target.id(), old.state)
	}
	was, is := sourceOf(old.body), sourceOf(body)
	if is != "" && !strings.EqualFold(was, is) {
		return refuse(http.StatusConflict, "PropertyChangeNotAllowed", "Changing the source of '%s' is not allowed.",
			old.target.id())
	}
	old.body["tags"] = body["tags"]
	if profile := dig(body, "properties", "publishingProfile"); profile != nil {
		object(old.body, "properties")["publishingProfile"] = profile
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
		if id := text(body, path...); id != "" {
			return id
		}
	}
	return ""
}

// captureSource finds what an image is to be made of. The caller holds the lock.
func (s *Server) captureSource(id string) (*resource, error) {
	if id == "" {
		return nil, refuse(http.StatusBadRequest, "InvalidParameter",
			"The lab makes images of virtual machines and of other images: the source is missing.")
	}
	source, err := s.findID(id)
	if err != nil {
		return nil, err
	}
	switch {
	case source.vm != nil && (!source.vm.generalized || source.vm.power == powerRunning):
		return nil, refuse(http.StatusConflict, "OperationNotAllowed", "VM '%s' is %s; it must be deallocated and "+
			"generalized before it is captured.", source.target.names[0], source.vm.power)
	case source.vm == nil && source.target.kind != kindImage && source.target.kind != kindVersion, source.disk == "":
		return nil, refuse(http.StatusBadRequest, "InvalidParameter", "An image cannot be made of %s.", source.target.kind)
	case source.state != stateSucceeded:
		return nil, refuse(http.StatusConflict, "OperationNotAllowed", "The source '%s' is in state %s.", source.target.id(),
			source.state)
	}
	return source, nil
}

// copyDisk gives an image its content. It fails when the source is deleted first.
func (s *Server) copyDisk(ctx context.Context, source, r *resource, fail error) error {
	if s.config.Faithful && !pause(ctx, faithfulCapture) {
		return nil
	}
	err := fail
	if err == nil {
		s.mu.Lock()
		if source.group.resources[source.target.key()] != source || source.state == stateDeleting {
			err = refuse(http.StatusNotFound, "NotFound", "The source '%s' was deleted.", source.target.id())
		}
		s.mu.Unlock()
	}
	if err == nil {
		err = s.config.Disks.Copy(source.disk, r.disk)
	}
	s.mu.Lock()
	kept := r.group.resources[r.target.key()] == r && r.state != stateDeleting
	if kept {
		r.state = stateSucceeded
		if err != nil {
			r.state = stateFailed
		}
	}
	s.mu.Unlock()
	if !kept && err == nil {
		return s.config.Disks.Remove(r.disk)
	}
	return err
}
