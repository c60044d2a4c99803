// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:00:59Z
// Spec: openspec/specs/platforms/spec.md#requirement-azure-clouds-are-never-guessed
// Diagram: openspec/specs/platforms/diagram.md#azure

package azure

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platformtest"
	simulator "github.com/packer-hybrid/packer-hybrid/lab/azure"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
)

// What the suite of all platforms uses.
const (
	deadRun  = platformtest.DeadRun
	deadName = platformtest.DeadName
	released = platformtest.Released
)

// TestMain makes the process trust a certificate for 127.0.0.1 the way a user
// does it: in SSL_CERT_FILE, which Go reads once. The file holds the key too.
func TestMain(m *testing.M) {
	code := 1
	defer func() { os.Exit(code) }()
	dir, err := os.MkdirTemp("", "")
	if err == nil {
		defer os.RemoveAll(dir)
		err = writeCertificate(filepath.Join(dir, "server.pem"))
	}
	if err == nil {
		err = os.Setenv("SSL_CERT_FILE", filepath.Join(dir, "server.pem"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	code = m.Run()
}

func writeCertificate(path string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	certificate, err1 := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	private, err2 := x509.MarshalPKCS8PrivateKey(key)
	content := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...)
	return errors.Join(err1, err2, os.WriteFile(path, content, 0o600))
}

// trusted has the certificate that the process trusts.
func trusted(t *testing.T) *tls.Config {
	t.Helper()
	path := os.Getenv("SSL_CERT_FILE")
	certificate, err := tls.LoadX509KeyPair(path, path)
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{certificate}}
}

// noGuests are virtual machines that start and hold nothing.
type noGuests struct{}

func (noGuests) Boot(_ simulator.Guest, up func(string), _ func()) { go up("127.0.0.1") }
func (noGuests) Shutdown(string)                                   {}
func (noGuests) PowerOff(string)                                   {}
func (noGuests) Copy(string, string) error                         { return nil }
func (noGuests) Remove(string) error                               { return nil }
func (noGuests) Delta(string) string                               { return "" }

// cloudBed is a simulated Azure, and a client of it.
type cloudBed struct {
	*testing.T
	server   *simulator.Server
	faults   *fault.Injector
	settings map[string]string
	client   *client
}

const azureSecret = "the-client-secret-value"

func newCloudBed(t *testing.T) *cloudBed {
	t.Helper()
	b := &cloudBed{T: t}
	var err error
	b.server, err = simulator.Start(simulator.Config{
		Identity: simulator.Identity{
			Subscription: "22222222-2222-2222-2222-222222222222", Tenant: "11111111-1111-1111-1111-111111111111",
			Client: "55555555-5555-5555-5555-555555555555", Object: "66666666-6666-6666-6666-666666666666", Secret: azureSecret,
		},
		TLS: trusted(t), Guests: noGuests{}, Disks: noGuests{},
	})
	if err != nil {
		t.Fatal(err)
	}
	b.faults = b.server.Faults()
	who := b.server.Identity()
	b.settings = map[string]string{
		"azure_subscription_id": who.Subscription,
		"azure_tenant_id":       who.Tenant,
		"azure_client_id":       who.Client,
		"azure_client_secret":   who.Secret,

		"azure_metadata_host":          b.server.URL(),
		"azure_cloud_environment_name": simulator.Cloud,

		"azure_resource_group": simulator.Group,
		"azure_gallery":        simulator.Gallery,
		"image":                "debian-12",
	}
	opened, err := Open(t.Context(), b.settings, platform.Anywhere)
	if err != nil {
		t.Fatal(err)
	}
	var ok bool
	if b.client, ok = opened.(*client); !ok {
		t.Fatalf("a %T", opened)
	}
	t.Cleanup(func() {
		if err := errors.Join(opened.Close(t.Context()), b.server.Close()); err != nil {
			t.Error(err)
		}
	})
	return b
}

// settle waits for what a build would wait for.
func settle[T any](t *testing.T, poller *runtime.Poller[T], err error) error {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	_, err = poller.PollUntilDone(t.Context(), &runtime.PollUntilDoneOptions{Frequency: time.Second})
	return err
}

// marks are the tags of a run's objects.
func marks(run, artifact string) map[string]*string {
	return map[string]*string{"PH_run": &run, "artifact": &artifact} // Azure does not tell names of tags apart by case
}

func (b *cloudBed) group(name string, tags map[string]*string) {
	b.Helper()
	group := armresources.ResourceGroup{Location: to.Ptr(simulator.Location), Tags: tags}
	if _, err := b.client.groups.CreateOrUpdate(b.Context(), name, group, nil); err != nil {
		b.Fatal(err)
	}
}

// machine makes a group with a machine that is ready for capture, and returns the machine's identifier.
func (b *cloudBed) machine(group string, tags map[string]*string) string {
	b.Helper()
	b.group(group, tags)
	b.deploy(group, "m", nil)
	machines := b.client.compute.NewVirtualMachinesClient()
	stopped, err := machines.BeginDeallocate(b.Context(), group, "m", nil)
	if err := settle(b.T, stopped, err); err != nil {
		b.Fatal(err)
	}
	if _, err := machines.Generalize(b.Context(), group, "m", nil); err != nil {
		b.Fatal(err)
	}
	machine, err := machines.Get(b.Context(), group, "m", nil)
	if err != nil {
		b.Fatal(err)
	}
	return *machine.ID
}

// deploy makes a machine with all that it needs, as the plugin's deployment does.
func (b *cloudBed) deploy(group, name string, tags map[string]*string) {
	b.Helper()
	id := func(id string) map[string]any { return map[string]any{"id": id} }
	idOf := func(kind string) string { return "[resourceId('" + kind + "', '" + name + "')]" }
	resource := func(kind string, properties map[string]any, needs ...string) map[string]any {
		return map[string]any{
			"type":       kind,
			"name":       name,
			"apiVersion": "2023-09-01",
			"location":   simulator.Location,
			"tags":       tags,
			"properties": properties,
			"dependsOn":  needs,
		}
	}
	const (
		network  = "Microsoft.Network/virtualNetworks"
		address  = "Microsoft.Network/publicIPAddresses"
		firewall = "Microsoft.Network/networkSecurityGroups"
		card     = "Microsoft.Network/networkInterfaces"
	)
	template := map[string]any{"resources": []any{
		resource(network, map[string]any{}),
		resource(address, map[string]any{}),
		resource(firewall, map[string]any{}),
		resource(card, map[string]any{"ipConfigurations": []any{map[string]any{"properties": map[string]any{
			"publicIPAddress": id(
				idOf(address),
			),
			"subnet": id("[concat(resourceId('" + network + "', '" + name + "'), '/subnets/default')]"),
		}}}}, idOf(network), idOf(address)),
		resource("Microsoft.Compute/virtualMachines", map[string]any{
			"osProfile": map[string]any{"computerName": "m", "adminUsername": "packer", "adminPassword": "a password"},
			"storageProfile": map[string]any{
				"imageReference": map[string]any{"publisher": "Debian", "offer": "debian-12", "sku": "12-gen2"},
			},
			"networkProfile": map[string]any{"networkInterfaces": []any{id(idOf(card))}},
		}, idOf(card)),
	}}
	deployment := armresources.Deployment{Properties: &armresources.DeploymentProperties{
		Mode: to.Ptr(armresources.DeploymentModeIncremental), Template: template,
	}}
	begun, err := b.deployments().BeginCreateOrUpdate(b.Context(), group, "d-"+name, deployment, nil)
	if err := settle(b.T, begun, err); err != nil {
		b.Fatal(err)
	}
}

// deployments is a client of the resource manager that the product has no use for.
func (b *cloudBed) deployments() *armresources.DeploymentsClient {
	b.Helper()
	who := b.server.Identity()
	where, err := findCloud(b.Context(), b.client.http, b.server.URL(), "")
	if err != nil {
		b.Fatal(err)
	}
	options := azcore.ClientOptions{Cloud: where, Transport: b.client.http}
	credential, err := azidentity.NewClientSecretCredential(who.Tenant, who.Client, who.Secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: options, DisableInstanceDiscovery: true})
	if err != nil {
		b.Fatal(err)
	}
	client, err := armresources.NewDeploymentsClient(
		who.Subscription, credential, &arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true},
	)
	if err != nil {
		b.Fatal(err)
	}
	return client
}

// image captures a machine as a managed image.
func (b *cloudBed) image(group, name, machine string, tags map[string]*string) error {
	b.Helper()
	begun, err := b.client.compute.NewImagesClient().BeginCreateOrUpdate(b.Context(), group, name, armcompute.Image{
		Location: to.Ptr(simulator.Location), Tags: tags,
		Properties: &armcompute.ImageProperties{SourceVirtualMachine: &armcompute.SubResource{ID: &machine}},
	}, nil)
	return settle(b.T, begun, err)
}

// version captures a machine as a version of debian-12 in the gallery.
func (b *cloudBed) version(name, machine string, tags map[string]*string) error {
	b.Helper()
	begun, err := b.client.compute.NewGalleryImageVersionsClient().
		BeginCreateOrUpdate(b.Context(), simulator.Group, simulator.Gallery, "debian-12", name,
			armcompute.GalleryImageVersion{
				Location: to.Ptr(simulator.Location), Tags: tags,
				Properties: &armcompute.GalleryImageVersionProperties{StorageProfile: &armcompute.GalleryImageVersionStorageProfile{
					Source: &armcompute.GalleryArtifactVersionFullSource{VirtualMachineID: &machine},
				}},
			}, nil)
	return settle(b.T, begun, err)
}

// fail adds fault rules.
func (b *cloudBed) fail(text string) {
	b.Helper()
	if err := b.faults.Load(text); err != nil {
		b.Fatal(err)
	}
}

// names lists kinds and last parts of identifiers.
func names(found []hybridcore.URI) []string {
	out := []string{}
	for _, u := range found {
		out = append(out, u.Kind+" "+u.ID[strings.LastIndexByte(u.ID, '/')+1:])
	}
	slices.Sort(out)
	return out
}
