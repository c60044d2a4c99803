// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:58:05Z
// Spec: openspec/specs/platforms/spec.md#requirement-live-lookup-of-artifacts
// Diagram: openspec/specs/platforms/diagram.md#azure

// Package azure is all that Azure needs: the client of a subscription, which finds images, marks
// them and removes what a dead run left.
package azure

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms/platform"
)

// retry is how often, and how long after, a call is tried again that Azure
// did not answer or answered with 429 or 5xx. It honours Retry-After.
func retry() policy.RetryOptions {
	return policy.RetryOptions{MaxRetries: 3, RetryDelay: 500 * time.Millisecond, MaxRetryDelay: 10 * time.Second}
}

// Open signs in to Azure and returns a client of one subscription.
func Open(ctx context.Context, settings map[string]string, limit platform.Reach) (platform.Client, error) {
	for _, name := range []string{"azure_subscription_id", "azure_tenant_id", "azure_client_id", "azure_client_secret"} {
		if settings[name] == "" {
			return nil, platform.Missing(name)
		}
	}
	if settings["azure_gallery"] != "" && settings["azure_resource_group"] == "" {
		return nil, platform.Missing("azure_resource_group")
	}
	ctx, cancel := context.WithTimeout(ctx, platform.Timeout)
	defer cancel()
	transport := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: platform.Timeout,
		IdleConnTimeout:     platform.Timeout,
	}
	limit(transport)
	c := &client{
		http:         &http.Client{Transport: &platform.Guard{Next: transport}},
		secret:       settings["azure_client_secret"],
		subscription: settings["azure_subscription_id"],
		group:        settings["azure_resource_group"],
		gallery:      settings["azure_gallery"],
		definition:   settings["azure_gallery_image"],
	}
	if c.definition == "" {
		c.definition = settings["image"] // as the template does
	}
	if err := c.connect(ctx, settings); err != nil {
		transport.CloseIdleConnections()
		return nil, err
	}
	return c, nil
}

// connect finds the cloud, proves the credentials and makes the clients.
func (c *client) connect(ctx context.Context, settings map[string]string) error {
	where, err := c.cloud(ctx, settings["azure_metadata_host"], settings["azure_cloud_environment_name"])
	if err != nil {
		return err
	}
	options := azcore.ClientOptions{Cloud: where, Transport: c.http, Retry: retry()}
	credential, err := azidentity.NewClientSecretCredential(
		settings["azure_tenant_id"],
		settings["azure_client_id"],
		c.secret,
		&azidentity.ClientSecretCredentialOptions{
			ClientOptions:            options,
			DisableInstanceDiscovery: settings["azure_metadata_host"] != "",
		},
	)
	if err != nil {
		return fmt.Errorf("reading azure_tenant_id, azure_client_id and azure_client_secret: %w", c.explain(err))
	}
	scope := where.Services["resourceManager"].Audience + "/.default"
	if _, err := credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{scope}}); err != nil {
		return fmt.Errorf(
			"signing in to Azure with azure_tenant_id, azure_client_id and azure_client_secret: %w", c.explain(err),
		)
	}
	manager := &arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true}
	subscription := settings["azure_subscription_id"]
	if c.compute, err = armcompute.NewClientFactory(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's virtual machines: %w", c.explain(err))
	}
	if c.groups, err = armresources.NewResourceGroupsClient(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's resource groups: %w", c.explain(err))
	}
	if c.tags, err = armresources.NewTagsClient(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's tags: %w", c.explain(err))
	}
	if c.resources, err = armresources.NewClient(subscription, credential, manager); err != nil {
		return fmt.Errorf("making a client of Azure's resources: %w", c.explain(err))
	}
	return nil
}
