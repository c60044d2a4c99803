// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:58:05Z
// Spec: openspec/specs/platforms/spec.md#requirement-azure-clouds-are-never-guessed
// Diagram: openspec/specs/platforms/diagram.md#azure

package azure

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

const (
	// metadataVersion is the API version in which the metadata is one object;
	// the one that Packer's plugin asks for.
	metadataVersion = "2022-09-01"
	// maxMetadata bounds the metadata in bytes. Public Azure's has 3 KiB.
	maxMetadata = 1 << 20
)

// publicClouds are the clouds that are known without asking, by the names that
// Packer's plugin takes.
var publicClouds = map[string]cloud.Configuration{
	"":                       cloud.AzurePublic,
	"public":                 cloud.AzurePublic,
	"azurepubliccloud":       cloud.AzurePublic,
	"azurecloud":             cloud.AzurePublic,
	"usgovernment":           cloud.AzureGovernment,
	"usgovernmentcloud":      cloud.AzureGovernment,
	"azureusgovernmentcloud": cloud.AzureGovernment,
	"china":                  cloud.AzureChina,
	"chinacloud":             cloud.AzureChina,
	"azurechinacloud":        cloud.AzureChina,
}

// logins are the hosts of the known clouds at which one signs in, and the
// one that Microsoft's library asks which of them to trust.
var logins = []string{
	"login.microsoftonline.com",
	"login.microsoft.com",
	"login.microsoftonline.us",
	"login.chinacloudapi.cn",
	"login.partner.microsoftonline.cn",
}

// cloud says where the cloud is, and lets the client speak to that and to
// nothing else from then on.
func (c *client) cloud(ctx context.Context, host, name string) (cloud.Configuration, error) {
	watched, ok := c.http.Transport.(*platform.Guard)
	if !ok {
		return cloud.Configuration{}, errors.New("the client of Azure has no guard")
	}
	watched.Hosts = nil
	if address, err := url.Parse(host); err == nil && host != "" {
		watched.Hosts = []string{address.Host}
	}
	where, err := findCloud(ctx, c.http, host, name)
	if err != nil {
		return where, err
	}
	if host == "" {
		watched.Hosts = logins
	}
	for _, place := range []string{where.ActiveDirectoryAuthorityHost, where.Services[cloud.ResourceManager].Endpoint} {
		address, err := url.Parse(place)
		if err != nil {
			return where, fmt.Errorf("reading Azure's endpoints: %w", err)
		}
		watched.Hosts = append(slices.Clip(watched.Hosts), address.Host)
	}
	return where, nil
}

// findCloud says where a cloud is. With a metadata host that host is asked;
// the credentials will go where it points, so that it must be https.
func findCloud(ctx context.Context, client *http.Client, host, name string) (cloud.Configuration, error) {
	if host == "" {
		known, ok := publicClouds[strings.ToLower(name)]
		if !ok {
			return known, fmt.Errorf(
				"azure_cloud_environment_name %q is no known cloud: want public, usgovernment or china, or set azure_metadata_host",
				name,
			)
		}
		return known, nil
	}
	address, err := url.Parse(host)
	if err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil {
		return cloud.Configuration{}, errors.New(
			"azure_metadata_host is not an address: want https://HOST or https://HOST:PORT",
		)
	}
	address.Path, address.RawQuery = "/metadata/endpoints", "api-version="+metadataVersion
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return cloud.Configuration{}, fmt.Errorf("asking %s for Azure's endpoints: %w", address.Host, err)
	}
	response, err := client.Do(request)
	if err != nil {
		return cloud.Configuration{}, fmt.Errorf("asking azure_metadata_host for Azure's endpoints: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxMetadata))
	if err != nil {
		return cloud.Configuration{}, fmt.Errorf("reading Azure's endpoints from %s: %w", address.Host, err)
	}
	if response.StatusCode != http.StatusOK {
		return cloud.Configuration{}, fmt.Errorf(
			"asking %s for Azure's endpoints: it answers %d", address, response.StatusCode,
		)
	}
	found, err := parseMetadata(body)
	if err != nil {
		return cloud.Configuration{}, fmt.Errorf("reading Azure's endpoints from %s: %w", address, err)
	}
	return found, nil
}

// parseMetadata reads the endpoints of a cloud.
func parseMetadata(body []byte) (cloud.Configuration, error) {
	var metadata struct {
		ResourceManager string `json:"resourceManager"`
		Authentication  struct {
			LoginEndpoint string   `json:"loginEndpoint"`
			Audiences     []string `json:"audiences"`
		} `json:"authentication"`
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		return cloud.Configuration{}, fmt.Errorf("it is not the JSON that was expected: %w", err)
	}
	for name, value := range map[string]string{
		"resourceManager": metadata.ResourceManager, "loginEndpoint": metadata.Authentication.LoginEndpoint,
	} {
		address, err := url.Parse(value)
		if err != nil || address.Scheme != "https" || address.Host == "" || address.User != nil {
			return cloud.Configuration{}, fmt.Errorf("%s is no https address", name)
		}
	}
	if len(metadata.Authentication.Audiences) == 0 {
		return cloud.Configuration{}, errors.New("it names no audience")
	}
	return cloud.Configuration{
		ActiveDirectoryAuthorityHost: metadata.Authentication.LoginEndpoint,
		Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
			cloud.ResourceManager: {Endpoint: metadata.ResourceManager, Audience: metadata.Authentication.Audiences[0]},
		},
	}, nil
}
