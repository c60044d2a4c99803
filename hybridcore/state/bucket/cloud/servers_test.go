// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:14:21Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

//go:build pipelines

package cloud_test

import (
	"os"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
)

// TestSuiteOnAzurite is the suite on Microsoft's emulator of Azure Blob Storage.
func TestSuiteOnAzurite(t *testing.T) { //nolint:paralleltest // the environment names the server
	port := freePort(t)
	serve(t, port, "azurite-blob", "--blobHost", "127.0.0.1", "--blobPort", port, "--inMemoryPersistence", "--silent",
		"--skipApiVersionCheck", "--disableTelemetry")
	const account = "devstoreaccount1"
	t.Setenv("AZURE_STORAGE_ACCOUNT", account)
	// The key of every Azurite, which its manual has.
	const key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	t.Setenv("AZURE_STORAGE_KEY", key)
	server := "127.0.0.1:" + port
	shown, err := container.NewSharedKeyCredential(account, key)
	if err != nil {
		t.Fatal(err)
	}
	images, err := container.NewClientWithSharedKeyCredential("http://"+server+"/"+account+"/images", shown, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := images.Create(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	suite(t, "azblob://images/%s?localemu=true&protocol=http&domain="+server)
}

// TestSuiteOnVersityGateway is the suite on a server that speaks S3 over a folder.
func TestSuiteOnVersityGateway(t *testing.T) {
	t.Parallel()
	port, dir := freePort(t), t.TempDir()
	if err := os.Mkdir(dir+"/images", 0o700); err != nil {
		t.Fatal(err)
	}
	serve(t, port, "versitygw", "--port", "127.0.0.1:"+port, "--access", "user", "--secret", "password", "posix", dir)
	suite(t, s3Address("http://127.0.0.1:"+port, "%s"))
}
