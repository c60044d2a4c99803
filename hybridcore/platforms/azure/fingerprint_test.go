// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:32:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package azure

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	simulator "github.com/packer-hybrid/packer-hybrid/lab/azure"
)

// scene is a simulated Azure with an image and a version as a build leaves them.
type scene struct {
	*cloudBed
	image, version string // identifiers
	source         string // the machine of which they were made
	tags           map[string]*string
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{cloudBed: newCloudBed(t), tags: marks("20261102t000000-0badcafe", released)}
	maps.Copy(s.tags, map[string]*string{"owner": new("ops"), "ph_image": new("debian-12")})
	s.source = s.machine("source", nil)
	if err := s.cloudBed.image(simulator.Group, released, s.source, s.tags); err != nil {
		t.Fatal(err)
	}
	if err := s.publish(simulator.Location, "northeurope"); err != nil {
		t.Fatal(err)
	}
	s.image = s.server.Images()[0].ID
	s.version = s.server.GalleryVersions()[0].ID
	return s
}

// publish makes the version 3.0.0, or gives it other regions.
func (s *scene) publish(regions ...string) error {
	s.Helper()
	return s.put(func(v *armcompute.GalleryImageVersion) {
		for _, one := range regions {
			v.Properties.PublishingProfile.TargetRegions = append(v.Properties.PublishingProfile.TargetRegions,
				&armcompute.TargetRegion{Name: &one, RegionalReplicaCount: new(int32(1))})
		}
	})
}

// put makes or changes the version 3.0.0.
func (s *scene) put(change func(*armcompute.GalleryImageVersion)) error {
	s.Helper()
	v := armcompute.GalleryImageVersion{
		Location: to.Ptr(simulator.Location), Tags: s.tags,
		Properties: &armcompute.GalleryImageVersionProperties{
			StorageProfile: &armcompute.GalleryImageVersionStorageProfile{
				Source: &armcompute.GalleryArtifactVersionFullSource{VirtualMachineID: &s.source},
			},
			PublishingProfile: &armcompute.GalleryImageVersionPublishingProfile{},
		},
	}
	change(&v)
	begun, err := s.client.compute.NewGalleryImageVersionsClient().
		BeginCreateOrUpdate(s.Context(), simulator.Group, simulator.Gallery, "debian-12", "3.0.0", v, nil)
	return settle(s.T, begun, err)
}

// tag merges, replaces or deletes tags of an object.
func (s *scene) tag(id string, how armresources.TagsPatchOperation, tags map[string]*string) {
	s.Helper()
	patch := armresources.TagsPatchResource{Operation: &how, Properties: &armresources.Tags{Tags: tags}}
	if _, err := s.client.tags.UpdateAtScope(s.Context(), id, patch, nil); err != nil {
		s.Fatal(err)
	}
}

func (s *scene) remove(id, version string) {
	s.Helper()
	begun, err := s.client.resources.BeginDeleteByID(s.Context(), id, version, nil)
	if err := settle(s.T, begun, err); err != nil {
		s.Fatal(err)
	}
}

// define changes the definition of the version.
func (s *scene) define(change func(*armcompute.GalleryImageProperties)) {
	s.Helper()
	definitions := s.client.compute.NewGalleryImagesClient()
	now, err := definitions.Get(s.Context(), simulator.Group, simulator.Gallery, "debian-12", nil)
	if err != nil {
		s.Fatal(err)
	}
	change(now.Properties)
	begun, err := definitions.BeginCreateOrUpdate(s.Context(), simulator.Group, simulator.Gallery, "debian-12",
		now.GalleryImage, nil)
	if err := settle(s.T, begun, err); err != nil {
		s.Fatal(err)
	}
}

// later waits until Azure's times are other ones: they are of whole seconds.
func later() { time.Sleep(1100 * time.Millisecond) }

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func fingerprintBed(t *testing.T) *platformtest.FingerprintBed {
	t.Helper()
	s := newScene(t)
	uris, err := s.client.Find(t.Context(), released)
	if err != nil || len(uris) != 2 {
		t.Fatalf("%v, %v", uris, err)
	}
	const image, version = "2024-03-01", "2023-07-03"
	profile := func(change func(*armcompute.GalleryImageVersionPublishingProfile)) func() {
		return func() {
			s.must(s.put(func(v *armcompute.GalleryImageVersion) {
				for _, name := range []string{simulator.Location, "northeurope"} {
					v.Properties.PublishingProfile.TargetRegions = append(v.Properties.PublishingProfile.TargetRegions,
						&armcompute.TargetRegion{Name: &name, RegionalReplicaCount: new(int32(1))})
				}
				change(v.Properties.PublishingProfile)
			}))
		}
	}
	add := armresources.TagsPatchOperationMerge
	return &platformtest.FingerprintBed{
		T: t, Client: s.client, Faults: s.faults, All: "GET /subscriptions/**", One: "GET /subscriptions/**/images/**",
		URIs: uris, Facts: []string{"source", "disk system", "system", "location", "mark", "state", "tag owner", "identity"},
		Changes: []platformtest.Change{
			{What: "tag added", Make: func() { s.tag(s.image, add, map[string]*string{"team": new("x")}) }, Told: "tag team"},
			{What: "tag changed", Of: 1, Make: func() {
				s.tag(s.version, add, map[string]*string{"owner": new("you")})
			}, Told: "tag owner"},
			{What: "tag of the run removed", Make: func() {
				s.tag(s.image, armresources.TagsPatchOperationDelete, map[string]*string{"PH_run": s.tags["PH_run"]})
			}, Told: "mark"},
			{What: "tag of the name changed", Of: 1, Make: func() {
				s.tag(s.version, add, map[string]*string{"artifact": new("other")})
			}, Told: "name, tag artifact"},
			{What: "tag of the name removed", Of: 1, Make: func() {
				s.tag(s.version, armresources.TagsPatchOperationDelete, map[string]*string{"artifact": s.tags["artifact"]})
			}, Told: "name, tag artifact"},
			{What: "hidden tag", Make: func() { s.tag(s.image, add, map[string]*string{"hidden-title": new("x")}) }, Told: ""},
			{What: "region added", Of: 1, Make: func() {
				s.must(s.publish(simulator.Location, "northeurope", "France Central"))
			}, Told: "region francecentral, replication francecentral"},
			{What: "region removed", Of: 1, Make: func() {
				s.must(s.publish(simulator.Location))
			}, Told: "region northeurope, replication northeurope"},
			{What: "replication failed", Of: 1, Make: func() {
				s.must(s.server.PlantReplication(s.version, "northeurope", "Failed"))
			}, Told: "half: replication northeurope"},
			{What: "replication under way", Of: 1, Make: func() {
				s.must(s.server.PlantReplication(s.version, "northeurope", "Replicating"))
			}, Told: "half: replication northeurope"},
			{What: "more copies", Of: 1, Make: profile(func(p *armcompute.GalleryImageVersionPublishingProfile) {
				p.TargetRegions[0].RegionalReplicaCount = new(int32(3))
			}), Told: "region westeurope"},
			{What: "end of life", Of: 1, Make: profile(func(p *armcompute.GalleryImageVersionPublishingProfile) {
				p.EndOfLifeDate = new(time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC))
			}), Told: "end of life"},
			{What: "excluded from latest", Of: 1, Make: profile(func(p *armcompute.GalleryImageVersionPublishingProfile) {
				p.ExcludeFromLatest = new(true)
			}), Told: "excluded from latest"},
			{What: "definition of another generation", Of: 1, Make: func() {
				s.define(func(p *armcompute.GalleryImageProperties) { p.HyperVGeneration = to.Ptr(armcompute.HyperVGenerationV1) })
			}, Told: "generation"},
			{What: "definition specialised", Of: 1, Make: func() {
				s.define(func(p *armcompute.GalleryImageProperties) {
					p.OSState = to.Ptr(armcompute.OperatingSystemStateTypesSpecialized)
				})
			}, Told: "system"},
			{What: "end of life of the definition", Of: 1, Make: func() {
				s.define(func(p *armcompute.GalleryImageProperties) {
					p.EndOfLifeDate = new(time.Date(2030, 1, 2, 0, 0, 0, 0, time.UTC))
				})
			}, Told: "definition's end of life"},
			{What: "version failed", Of: 1, Make: func() { s.must(s.server.PlantState(s.version, "Failed")) }, Told: "half: " +
				"replication northeurope, half: replication westeurope, half: state"},
			{What: "image failed", Make: func() { s.must(s.server.PlantState(s.image, "Failed")) }, Told: "half: state"},
			{What: "image is being changed", Make: func() { s.must(s.server.PlantState(s.image, "Updating")) }, Told: "unseen"},
			{What: "image deleted", Make: func() { s.remove(s.image, image) }, Told: "gone"},
			{What: "version deleted", Of: 1, Make: func() { s.remove(s.version, version) }, Told: "gone"},
			{What: "version deleted, another has its name", Of: 1, Make: func() {
				s.remove(s.version, version)
				s.must(s.cloudBed.version("4.0.0", s.source, s.tags))
			}, Told: "gone, twin"},
			{What: "version made again", Of: 1, Make: func() {
				s.remove(s.version, version)
				later()
				s.must(s.publish(simulator.Location, "northeurope"))
			}, Told: "replaced"},
			{What: "image made again of another machine", Make: func() {
				s.remove(s.image, image)
				later()
				s.must(s.cloudBed.image(simulator.Group, released, s.machine("other", nil), s.tags))
			}, Told: "replaced"},
			{What: "version copied", Of: 1, Make: func() {
				s.must(s.cloudBed.version("4.0.0", s.source, s.tags))
			}, Told: "twin"},
		},
	}
}

// TestConformanceFingerprint holds the client to what every platform sees.
func TestConformanceFingerprint(t *testing.T) {
	t.Parallel()
	platformtest.Fingerprint(t, fingerprintBed)
}

// TestWithoutLists looks with an account that may read images, and no lists of resources.
func TestWithoutLists(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	uris, err := s.client.Find(t.Context(), released)
	if err != nil {
		t.Fatal(err)
	}
	s.fail("GET /subscriptions/*/resourceGroups/*/resources status=403")
	look := func() string {
		t.Helper()
		seen, err := s.client.Look(t.Context(), uris)
		if err != nil || len(seen) != 2 {
			t.Fatal(seen, err)
		}
		return fmt.Sprintf("%s%v %s%v", seen[0].Unseen, seen[0].Now == uris[0], seen[1].Unseen, seen[1].Now == uris[1])
	}
	if got := look(); got != "true true" {
		t.Errorf("both are there: %s", got)
	}
	s.remove(s.image, "2024-03-01")
	if got := look(); got != "false true" {
		t.Errorf("the image is gone: %s", got)
	}
}

// TestNeverGone checks that no strange answer makes an image or a version gone.
func TestNeverGone(t *testing.T) {
	t.Parallel()
	const group = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g"
	const compute = group + "/providers/Microsoft.Compute"
	sign := plain[:3]
	t.Run("image", func(t *testing.T) {
		t.Parallel()
		const image = `{"id":"` + compute + `/images/x","name":"x","tags":{},"properties":{"provisioningState":"Succeeded"}}`
		append(slices.Clone(sign), [][2]string{
			{`GET .*/resources\?`, `{"value":[{"id":"` + compute + `/images/x","name":"x","provisioningState":"Succeeded"}]}`},
			{`GET .*/images\?`, `{"value":[` + image + `]}`},
			{`GET .*/images/x\?`, image},
		}...).NeverGone(t, Open, trusted(t), settingsAt,
			hybridcore.URI{Kind: managedImage, Name: "x", ID: compute + "/images/x"})
	})
	t.Run("version", func(t *testing.T) {
		t.Parallel()
		const id = compute + "/galleries/y/images/d/versions/1.0.0"
		const version = `{"id":"` + id + `","name":"1.0.0","tags":{"artifact":"x"},` +
			`"properties":{"provisioningState":"Succeeded"}}`
		append(slices.Clone(sign), [][2]string{
			{`GET .*/resources\?`, `{"value":[{"id":"` + id + `","tags":{"artifact":"x"},"provisioningState":"Succeeded"}]}`},
			{`GET .*/galleries/y/images\?`, `{"value":[{"name":"d","properties":{"osType":"Linux"}}]}`},
			{`GET .*/versions/1.0.0\?`, version},
		}...).NeverGone(t, Open, trusted(t), settingsAt, hybridcore.URI{Kind: galleryVersion, Name: "x", ID: id})
	})
}

// TestNotFound checks which answers make an image and a version gone: those that say it of just
// them, and no other 404.
func TestNotFound(t *testing.T) {
	t.Parallel()
	const compute = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/Microsoft.Compute"
	coded := func(code string) string { return `{"error":{"code":"` + code + `","message":"none"}}` }
	lists, none := len(plain[:3]), `{"value":[]}`
	answers := append(slices.Clone(plain[:3]), [][2]string{
		{`GET .*/resources\?`, none},
		{`GET .*/galleries/y/images\?`, none},
		{`GET .*/images\?`, none},
		{`GET .*/(images/x|versions/1.0.0)\?`, ``},
	}...)
	for body, gone := range map[string]bool{
		coded("ResourceNotFound"): true, coded("NotFound"): true, coded("ResourceGroupNotFound"): true,
		coded("ParentResourceNotFound"): true,
		coded("SubscriptionNotFound"):   false, coded("InvalidResourceType"): false, coded(""): false,
		"<h1>404 page not found</h1>": false, "": false, "null": false,
	} {
		for at := lists; at < len(answers); at++ {
			t.Run(fmt.Sprint(body, " ", answers[at][0]), func(t *testing.T) {
				t.Parallel()
				at, of := answers.Serve(t, trusted(t), at, http.StatusNotFound, []byte(body)), []hybridcore.URI{
					{Kind: managedImage, Name: "x", ID: compute + "/images/x"},
					{Kind: galleryVersion, Name: "x", ID: compute + "/galleries/y/images/d/versions/1.0.0"},
				}
				c, err := Open(t.Context(), settingsAt(at), platform.Anywhere)
				if err != nil {
					t.Fatal(err)
				}
				for _, look := range []func(context.Context, []hybridcore.URI) ([]hybridcore.Seen, error){
					c.Fingerprint, c.Look,
				} {
					seen, err := look(t.Context(), of)
					for _, one := range seen {
						if said := one.Unseen == "" && !one.There(); said && !gone {
							t.Errorf("%s makes it gone: %+v", body, one)
						}
					}
					if gone && strings.Contains(t.Name(), "versions") && (err != nil || seen[0].Unseen+seen[1].Unseen != "") {
						t.Errorf("%s does not make it gone: %+v, %v", body, seen, err)
					}
				}
			})
		}
	}
}

// TestIdentityOfVersion takes no other time for when a version was published: a version that only
// says less than before is not another one.
func TestIdentityOfVersion(t *testing.T) {
	t.Parallel()
	const id = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/g/providers/" +
		"Microsoft.Compute/galleries/y/images/d/versions/1.0.0"
	of := []hybridcore.URI{{Kind: galleryVersion, Name: "x", ID: id}}
	facts := func(profile string) map[string]string {
		t.Helper()
		at := append(slices.Clone(plain[:3]), [][2]string{
			{`GET .*/resources\?`, `{"value":[{"id":"` + id + `","createdTime":"2026-12-01T08:00:00Z"}]}`},
			{`GET .*/galleries/y/images\?`, `{"value":[]}`},
			{`GET .*/versions/1.0.0\?`, `{"id":"` + id + `","tags":{"artifact":"x"},"properties":{` +
				`"provisioningState":"Succeeded","publishingProfile":` + profile + `}}`},
		}...).Serve(t, trusted(t), -1, 0, nil)
		c, err := Open(t.Context(), settingsAt(at), platform.Anywhere)
		if err != nil {
			t.Fatal(err)
		}
		seen, err := c.Fingerprint(t.Context(), of)
		if err != nil || seen[0].Now != of[0] {
			t.Fatal(seen, err)
		}
		return seen[0].Facts
	}
	was := hybridcore.Fingerprint{Of: of[0], Facts: facts(`{"publishedDate":"2026-12-01T08:00:05Z"}`)}
	if was.Facts[hybridcore.FactIdentity] == "" || was.Replaced(facts(`{}`)) || was.Replaced(facts("null")) ||
		!was.Replaced(facts(`{"publishedDate":"2026-12-01T09:00:05Z"}`)) {
		t.Errorf("%v, %v", was.Facts, facts(`{}`))
	}
}
