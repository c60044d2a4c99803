// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:35:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/cloud"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/gitref"
)

// mostAppend is how many requests storing a record may take.
const mostAppend = 3

// requests prints what each operation asks of a bucket, which is in memory here, and of git's own server over HTTP: a
// request is a round trip.
func requests(ctx context.Context) (err error) {
	b := cloud.New(memblob.OpenBucket(nil), bucket.S3, "", true)
	defer func() { err = errors.Join(err, b.Close()) }()
	if err := counted(ctx, "bucket", b, b.Requests, 0); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "bench-state-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	asked := atomic.Int64{}
	server, err := serve(ctx, dir, &asked)
	if err != nil {
		return err
	}
	defer server.Close()
	g, err := gitref.New(ctx, gitref.Options{Repository: server.URL + "/state.git", Environ: os.Environ()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.Close()) }()
	// What was seen is taken as it is now for a second: here each operation is the first for longer.
	return counted(ctx, "git", g, func() int { return int(asked.Load()) }, 1100*time.Millisecond)
}

// serve is git's own server for an empty repository in a folder, which counts what it is asked.
func serve(ctx context.Context, dir string, asked *atomic.Int64) (*httptest.Server, error) {
	program, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	repository := filepath.Join(dir, "state.git")
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", repository},
		{"-C", repository, "config", "http.receivepack", "true"},
		{"-C", repository, "config", "uploadpack.allowFilter", "true"},
	} {
		if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("git %s: %w: %s", args, err, out)
		}
	}
	backend := cgi.Handler{
		Path: program, Args: []string{"http-backend"}, InheritEnv: []string{"PATH"},
		Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1", "HOME=/dev/null"},
	}
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		one := backend // CGI does not hand the protocol's version over by itself
		one.Env = append(slices.Clip(one.Env), "GIT_PROTOCOL="+r.Header.Get("Git-Protocol"))
		one.ServeHTTP(w, r)
	})), nil
}

// counted prints what each operation asks of a backend, each after a pause.
func counted(ctx context.Context, name string, b state.Backend, asked func() int, pause time.Duration) (err error) {
	s := state.New(b, state.Capabilities{})
	if err := errors.Join(s.Append(ctx, sample(0), nil), build(ctx, s)); err != nil {
		return err
	}
	var held *state.Held
	for _, of := range []struct {
		what string
		do   func() error
	}{
		{"status", func() error {
			_, err := s.Read(ctx)
			return err
		}},
		{"a record", func() error {
			_, err := s.Record(ctx, runID(0))
			return err
		}},
		{"append", func() error { return s.Append(ctx, sample(1), nil) }},
		{"update", func() error { return s.Update(ctx, func(*hybridcore.Snapshot) error { return nil }) }},
		{"lease", func() error {
			held, err = s.Acquire(ctx, hybridcore.Lease{Key: key(1), RunID: runID(1)})
			return err
		}},
		{"renew", func() error { return held.Renew(ctx) }},
		{"release", func() error { return held.Release(ctx) }},
	} {
		time.Sleep(pause)
		was := asked()
		if err := of.do(); err != nil {
			return fmt.Errorf("%s: %w", of.what, err)
		}
		took := asked() - was
		fmt.Printf("%-6s %-9s %2d requests\n", name+",", of.what, took)
		if of.what == "append" && took > mostAppend {
			return fmt.Errorf("%s: an append takes %d requests, at most %d", name, took, mostAppend)
		}
	}
	return nil
}
