// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:38Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-resource-groups-and-resources
// Diagram: openspec/specs/lab-azure/diagram.md#parts

package azure

import (
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
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
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	var all []ResourceGroup
	for _, g := range s.store.sortedGroups() {
		one := ResourceGroup{Name: g.name, Location: g.location, State: g.state, Tags: g.tags}
		for _, r := range g.sorted() {
			if r.target.Type != arm.Deployments {
				one.Resources = append(one.Resources, r.target.TypeAndName())
			}
		}
		all = append(all, one)
	}
	return all
}

// Images lists the managed images by resource group and name.
func (s *Server) Images() []Image {
	var all []Image
	for _, r := range s.store.ofKind(arm.Images) {
		all = append(all, Image{
			ID: r.target.String(), Name: r.target.Names[0], Group: r.group.name, Location: arm.Text(r.body, "location"),
			State: r.state, Tags: r.tags(), Delta: s.config.Disks.Delta(r.disk),
		})
	}
	return all
}

// GalleryVersions lists the versions in all galleries, by resource group and name.
func (s *Server) GalleryVersions() []GalleryVersion {
	var all []GalleryVersion
	for _, r := range s.store.ofKind(arm.Versions) {
		all = append(all, GalleryVersion{
			ID: r.target.String(), Gallery: r.target.Names[0], Definition: r.target.Names[1], Version: r.target.Names[2],
			State: r.state, Regions: regions(arm.Object(r.body, "properties")), Tags: r.tags(),
			Delta: s.config.Disks.Delta(r.disk),
		})
	}
	return all
}

// PlantGroup puts a resource group of somebody else there.
func (s *Server) PlantGroup(name string, tags map[string]string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.groups[strings.ToLower(name)] = &group{
		name: name, location: Location, tags: tags, state: stateSucceeded, resources: make(map[string]*resource),
	}
}

// PlantImage puts a complete managed image of somebody else into a resource group, without a disk.
func (s *Server) PlantImage(group, name string, tags map[string]string) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	g, err := s.store.usableGroup(group)
	if err != nil {
		return fmt.Errorf("planting image %s: %w", name, err)
	}
	s.plant(g, arm.Images, map[string]any{}, tags, name)
	return nil
}

// PlantVersion puts a complete version of somebody else into the gallery, below a definition, without a disk.
func (s *Server) PlantVersion(definition, version string, tags map[string]string) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	g, err := s.store.usableGroup(Group)
	if err != nil {
		return fmt.Errorf("planting version %s of %s: %w", version, definition, err)
	}
	s.plant(g, arm.Versions, map[string]any{"publishingProfile": map[string]any{
		"targetRegions": []any{map[string]any{"name": Location, "regionalReplicaCount": 1}},
	}}, tags, Gallery, definition, version)
	return nil
}

// plant puts a complete resource into a group. The caller holds the lock.
func (s *Server) plant(g *group, kind string, properties map[string]any, tags map[string]string, names ...string) {
	given := make(map[string]any, len(tags))
	for tag, value := range tags {
		given[tag] = value
	}
	t := arm.ID{Subscription: s.config.Identity.Subscription, Group: g.name, Type: kind, Names: names}
	s.store.add(g, t, map[string]any{"location": Location, "tags": given, "properties": properties}).state = stateSucceeded
}

// PlantReplication lets the replication of a gallery version to a region come to something of its own, such as
// Failed: a region may be full, or out of order.
func (s *Server) PlantReplication(id, region, state string) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	r, err := s.store.findID(id)
	if err != nil {
		return fmt.Errorf("planting the replication to %s: %w", region, err)
	}
	if r.regions == nil {
		r.regions = map[string]string{}
	}
	r.regions[region] = state
	return nil
}

// PlantState lets a resource be in a provisioning state, such as Failed or Updating.
func (s *Server) PlantState(id, state string) error {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	r, err := s.store.findID(id)
	if err != nil {
		return fmt.Errorf("planting the state %s: %w", state, err)
	}
	r.state = state
	return nil
}
