// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:22:00Z
// Spec: openspec/specs/state/spec.md#requirement-who-reaches-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package bucket_test

import (
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
)

// TestAddress reads addresses, and refuses from a file of the project what says to whom
// a credential is shown, or which one.
func TestAddress(t *testing.T) {
	t.Parallel()
	const refused, onlyNamed, fine = 0, 1, 2
	for address, want := range map[string]int{
		"s3://images/team/state?region=eu-west-1": fine,
		"s3://images":       fine,
		"gs://images/state": fine,
		"azblob://images/state?storage_account=teamimages": fine,

		"s3://images?endpoint=https%3A%2F%2Fminio.example":                       onlyNamed,
		"s3://images?endpoint=http%3A%2F%2F127.0.0.1%3A9000&use_path_style=true": onlyNamed,
		"s3://images?profile=prod":                                               onlyNamed,
		"azblob://images?localemu=true&protocol=http&domain=127.0.0.1%3A10000":   onlyNamed,
		"azblob://images?domain=blob.core.usgovcloudapi.net":                     onlyNamed,
		"s3://images?endpoint=http%3A%2F%2Fminio.example":                        refused,
		"s3://images?endpoint=https%3A%2F%2Fu%3Ap%40minio.example":               refused,
		"s3://images?region=x.evil.example%2F":                                   refused,
		"s3://images?region=a&region=b":                                          refused,
		"s3://images?role=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx":                     refused,
		"s3://images?anonymous=true":                                             refused,
		"gs://images?private_key_path=%2Fetc%2Fshadow":                           refused,
		"gs://images?universe_domain=evil.example":                               refused,
		"azblob://images?storage_account=evil.example%2F":                        refused,
		"azblob://images?cdn=true":                                               refused,
		"s3://key:secret@images/x":                                               refused,
		"s3://images/../x":                                                       refused,
		"s3://images/a b":                                                        refused,
		"s3://evil.example:8080/x":                                               refused,
		"s3://images/x#y":                                                        refused,
		"file:///etc":                                                            refused,
		"mem://x":                                                                refused,
		"s3://":                                                                  refused,
		"https://images.s3.amazonaws.com/x":                                      refused,
		"s3://images/" + strings.Repeat("a/", 40):                                refused,
		"s3://images?region=eu-west-1&awssdk=v1":                                 refused,
		"s3://images?request_checksum_calculation=when_required":                 refused,
	} {
		for named, allowed := range map[bool]bool{false: want == fine, true: want != refused} {
			at, err := bucket.Parse(address, named)
			if (err == nil) != allowed || err != nil && hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("%s, named %t: %v", address, named, err)
			}
			if err != nil {
				continue
			}
			if again, err := bucket.Parse(at.String(), named); err != nil || again.String() != at.String() {
				t.Errorf("%s becomes %s, and that %s, %v", address, at, again, err)
			}
		}
	}
}

// TestSignatureOfAnAccount sends no shared access signature where a file of the project says.
func TestSignatureOfAnAccount(t *testing.T) {
	t.Parallel()
	address := "azblob://images?storage_account=evil"
	signed := []string{"AZURE_STORAGE_ACCOUNT=ours", "AZURE_STORAGE_SAS_TOKEN=sig"}
	if _, err := bucket.New(bucket.Options{Address: address, Environ: signed}); err == nil {
		t.Error("it is sent")
	}
	if _, err := bucket.New(bucket.Options{Address: address, Environ: signed, Named: true}); err != nil {
		t.Error(err)
	}
	if _, err := bucket.New(bucket.Options{Address: "azblob://images?storage_account=ours", Environ: signed}); err != nil {
		t.Error(err)
	}
}
