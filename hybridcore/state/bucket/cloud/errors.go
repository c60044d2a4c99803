// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:09:01Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package cloud

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"cloud.google.com/go/storage"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
)

// rights are those that each cloud must give; docs/state.md has them in its words.
var rights = map[string]string{
	bucket.S3: "s3:ListBucket of the bucket, and s3:GetObject, s3:PutObject and s3:DeleteObject of the objects below " +
		"the prefix",
	bucket.Azure: "the role Storage Blob Data Contributor on the container",
	bucket.GCS:   "the role roles/storage.objectUser on the bucket",
}

// signs are what libraries say when they have found no credentials.
var signs = []string{
	"failed to refresh cached credentials", "no EC2 IMDS role found", "DefaultAzureCredential",
	"could not find default credentials", "Options.AccountName is required", "failed to retrieve credentials",
	"failed to get shared config profile",
}

// hint is what to do about an answer; empty when that is not known.
func (b *Backend) hint(err error) string {
	status, code := answered(err)
	host, noHost := errors.AsType[*net.DNSError](err)
	says := func(texts ...string) bool {
		return slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(err.Error(), text) })
	}
	switch {
	case slices.Contains([]string{"RequestTimeTooSkewed", "RequestExpired"}, code):
		return "the clock of this machine differs from the server's: set it"
	case says(signs...):
		return "no credentials were found where the cloud's library looks for them: docs/state.md says where"
	case says("BlobImmutableDueToPolicy", "retentionPolicyNotMet", "ObjectLock", "object lock", "retention policy"):
		return "a retention of the bucket keeps what the state removes, former numbers of snapshots and leases: let it " +
			"end for objects below the prefix, or keep former versions in place of it"
	case code == "NoSuchBucket", code == "ContainerNotFound", errors.Is(err, storage.ErrBucketNotExist),
		is(err) == isMissing:
		return "there is no such bucket, or who asks may not see it: make it, or see url in the block state"
	case status == http.StatusMovedPermanently, code == "AuthorizationHeaderMalformed", code == "PermanentRedirect",
		code == "IllegalLocationConstraintException", says("Missing Region", "an AWS region is required"):
		return "the bucket is in another region: set ?region= in the address"
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "the bucket refuses who asks; it needs " + rights[b.scheme] + ": docs/state.md has them"
	case noHost && !host.IsTemporary:
		return "there is no such server: see url in the block state"
	case status == http.StatusNotImplemented:
		return "the server lacks what a state needs, such as conditional writes (If-None-Match)"
	}
	return ""
}

// explained is an error with what to do about it.
func (b *Backend) explained(doing string, err error) error {
	if _, odd := errors.AsType[state.FormError](err); odd {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if _, told := errors.AsType[*hybridcore.BlockedError](err); told {
		return err
	}
	if next := b.hint(err); next != "" {
		return &hybridcore.BlockedError{Msg: doing + "\n  hint: " + next, Err: shortened(err)}
	}
	return fmt.Errorf("%s: %w", doing, shortened(err))
}
