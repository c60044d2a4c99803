// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"fmt"
	"strings"
)

// ResourceGroup is a resource group as a test sees it.
type ResourceGroup struct {
	Name      string
	Location  string
	State     string // provisioningState
	Tags      map[string]string
	Resources []string // types and names, such as Microsoft.Compute/disks/os, without deployments, sorted
}

// Image is a managed image as a test sees it.
type Image struct {
	ID       string
	Name     string
	Group    string
	Location string
	State    string // provisioningState
	Tags     map[string]string
	Delta    string // directory with what the image changes against the root file system
}

// GalleryVersion is a version of an image in a gallery, as a test sees it.
type GalleryVersion struct {
	ID         string
	Gallery    string
	Definition string
	Version    string
	State      string   // provisioningState
	Regions    []string // such as westeurope
	Tags       map[string]string
	Delta      string // directory with what the image changes against the root file system
}

// ResourceGroups lists the resource groups by name.
func (s *Server) ResourceGroups() []ResourceGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []ResourceGroup
	for _, g := range s.sortedGroups() {
		one := ResourceGroup{Name: g.name, Location: g.location, State: g.state, Tags: g.tags}
		for _, r := range g.sorted() {
			if r.target.kind != kindDeployment {
				one.Resources = append(one.Resources, r.target.typeAndName())
			}
		}
		all = append(all, one)
	}
	return all
}

// Images lists the managed images by resource group and name.
func (s *Server) Images() []Image {
	var all []Image
	for _, r := range s.ofKind(kindImage) {
		all = append(all, Image{
			ID: r.target.id(), Name: r.target.names[0], Group: r.group.name, Location: text(r.body, "location"),
			State: r.state, Tags: r.tags(), Delta: s.config.Disks.Delta(r.disk),
		})
	}
	return all
}

// GalleryVersions lists the versions in all galleries, by resource group and name.
func (s *Server) GalleryVersions() []GalleryVersion {
	var all []GalleryVersion
	for _, r := range s.ofKind(kindVersion) {
		all = append(all, GalleryVersion{
			ID: r.target.id(), Gallery: r.target.names[0], Definition: r.target.names[1], Version: r.target.names[2],
			State: r.state, Regions: regions(object(r.body, "properties")), Tags: r.tags(), Delta: s.config.Disks.Delta(r.disk),
		})
	}
	return all
}

// ofKind copies the resources of one type, so that they can be looked at without the lock.
func (s *Server) ofKind(kind string) []*resource {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []*resource
	for _, g := range s.sortedGroups() {
		for _, r := range g.sorted() {
			if r.target.kind == kind {
				body, _ := copyOf(r.body).(map[string]any)
				all = append(all, &resource{target: r.target, group: g, state: r.state, body: body, disk: r.disk})
			}
		}
	}
	return all
}

// PlantGroup puts a resource group of somebody else there.
func (s *Server) PlantGroup(name string, tags map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[strings.ToLower(name)] = &group{
		name: name, location: Location, tags: tags, state: stateSucceeded, resources: make(map[string]*resource),
	}
}

// PlantImage puts a complete managed image of somebody else into a resource group, without a disk.
func (s *Server) PlantImage(group, name string, tags map[string]string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	g, err := s.usableGroup(group)
	if err != nil {
		return fmt.Errorf("planting image %s: %w", name, err)
	}
	given := make(map[string]any, len(tags))
	for tag, value := range tags {
		given[tag] = value
	}
	t := target{subscription: s.config.Identity.Subscription, group: g.name, kind: kindImage, names: []string{name}}
	s.add(g, t, map[string]any{"location": Location, "tags": given, "properties": map[string]any{}}).state = stateSucceeded
	return nil
}
