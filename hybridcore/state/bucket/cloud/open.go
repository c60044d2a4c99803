// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:09:02Z
// Spec: openspec/specs/state/spec.md#requirement-who-reaches-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

// Package cloud keeps the objects of a state in a bucket, through the clouds' own
// libraries, behind those of gocloud.dev. Only packer-hybrid-bucket is built from it.
package cloud

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // for the schemes of addresses
	"gocloud.dev/blob/gcsblob"
	_ "gocloud.dev/blob/s3blob"
	"gocloud.dev/gcp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
)

// Backend keeps objects in a bucket.
type Backend struct {
	open   func() (*blob.Bucket, error)
	scheme string
	prefix string // of the objects' keys: empty, or ends with '/'
	times  times

	opening sync.Mutex
	b       *blob.Bucket // nil until a call has opened it

	proving sync.Mutex
	proven  bool // that the server refuses to write over an object

	requests atomic.Int64
}

// New keeps objects below a prefix of a bucket. Unless the server is trusted, it has to
// show before the first put that it writes over nothing.
func New(b *blob.Bucket, scheme, prefix string, trusted bool) *Backend {
	return &Backend{b: b, scheme: scheme, prefix: prefix, times: usual(), proven: trusted}
}

// Close ends the use of the bucket.
func (b *Backend) Close() error {
	b.opening.Lock()
	defer b.opening.Unlock()
	if b.b == nil {
		return nil
	}
	if err := b.b.Close(); err != nil {
		return fmt.Errorf("closing the bucket: %w", err)
	}
	return nil
}

// opened opens the bucket, once that succeeds.
func (b *Backend) opened() error {
	b.opening.Lock()
	defer b.opening.Unlock()
	if b.b != nil {
		return nil
	}
	var err error
	b.b, err = b.open()
	return err
}

// Requests is how often the bucket was asked, without what its library did again.
func (b *Backend) Requests() int { return int(b.requests.Load()) }

// times bound what a call waits.
type times struct {
	attempt        time.Duration // one request with what its library does again
	total          time.Duration // from the first attempt to the last one's begin
	pause, longest time.Duration // the first pause, which doubles, and the longest
	look           time.Duration // at what has become of a put without an answer, once its caller has given up
}

func usual() times {
	return times{
		attempt: 90 * time.Second, total: 2 * time.Minute, pause: 200 * time.Millisecond, longest: 10 * time.Second,
		look: 15 * time.Second,
	}
}

// Open prepares a bucket. The first call looks for credentials, with what the
// environment of this process has, and asks the bucket.
func Open(at bucket.Address) *Backend {
	return &Backend{
		scheme: at.Scheme, prefix: at.Prefix, times: usual(), proven: trusted(at),
		open: func() (*blob.Bucket, error) {
			if at.Scheme == bucket.GCS && os.Getenv("STORAGE_EMULATOR_HOST") == "" {
				return openGCS(at)
			}
			u := url.URL{Scheme: at.Scheme, Host: at.Bucket, RawQuery: at.Query.Encode()}
			// Credentials are renewed long after the call that has asked for them first.
			return blob.OpenBucket(context.Background(), u.String())
		},
	}
}

// openGCS looks for credentials itself: without any, gocloud.dev goes on with empty ones,
// for which Google's library asks for minutes.
func openGCS(at bucket.Address) (*blob.Bucket, error) {
	ctx := context.Background()
	found, err := gcp.DefaultCredentials(ctx)
	if err != nil {
		return nil, err //nolint:wrapcheck // by the caller
	}
	client, err := gcp.NewHTTPClient(gcp.DefaultTransport(), gcp.CredentialsTokenSource(found))
	if err != nil {
		return nil, err //nolint:wrapcheck // by the caller
	}
	return gcsblob.OpenBucket(ctx, client, at.Bucket, nil) //nolint:wrapcheck // by the caller
}

// trusted tells whether it is the cloud's own server, which is known for conditional writes.
func trusted(at bucket.Address) bool {
	if at.Scheme != bucket.S3 {
		return true
	}
	return !at.Query.Has("endpoint") && !slices.ContainsFunc(os.Environ(), func(entry string) bool {
		return strings.HasPrefix(entry, "AWS_ENDPOINT_URL")
	})
}
