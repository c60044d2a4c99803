// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:55:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package main

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/wire"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

// testSharedByGit has the state in a repository.
func testSharedByGit(t *testing.T, l *lab.Lab) {
	t.Helper()
	repository := filepath.Join(t.TempDir(), "state.git")
	out, err := exec.CommandContext(t.Context(), "git", "init", "-q", "--bare", repository).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	testShared(t, l, "git+"+repository)
}

// testSharedByBucket has the state in a bucket of a stand-in for S3, by the program that
// packer-hybrid has for it.
func testSharedByBucket(t *testing.T, l *lab.Lab) {
	t.Helper()
	program := filepath.Join(t.TempDir(), wire.Name)
	// As make build does, so that nothing is compiled again.
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "../"+wire.Name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Setenv("PACKER_HYBRID_BUCKET", program)
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of-no-account")
	testShared(t, l, "s3://images/state?region=us-east-1&use_path_style=true&endpoint="+standInForS3(t))
}

// standInForS3 is a server with the bucket images, in memory.
func standInForS3(t *testing.T) string {
	t.Helper()
	port := freePort(t)
	at := "127.0.0.1:" + port
	cmd := exec.CommandContext(t.Context(), filepath.Join(toolCache(t), "bin", "gofakes3"),
		"-host", at, "-backend", "memory", "-initialbucket", "images", "-quiet")
	if err := cmd.Start(); err != nil {
		t.Fatalf("%v: run tools/build gofakes3", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", at); err == nil {
			_ = conn.Close()
			return "http://" + at
		}
	}
	t.Fatal("the server does not answer")
	return ""
}

// freePort is a port of this machine that nobody listens at.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// testShared has three machines that share no folder build a platform each, with the state
// at an address, and a fourth one look at what they have built.
func testShared(t *testing.T, l *lab.Lab, address string) {
	t.Helper()
	t.Setenv("PACKER_HYBRID_STATE", address)
	var all sync.WaitGroup
	for _, platform := range hybridcore.Platforms() {
		b := newShortBed(t, l)
		all.Go(func() {
			if code, out := b.run(t, "build", "debian-12", "--platforms", string(platform.Name)); code != 0 {
				t.Errorf("%s: exit %d\n%s", platform.Name, code, out)
			}
		})
	}
	all.Wait()
	b := newShortBed(t, l)
	for _, look := range []struct {
		args []string
		says []string
	}{
		{[]string{"status"}, []string{"debian-12@proxmox", "debian-12@vsphere", "debian-12@azure"}},
		{[]string{"parity", "debian-12"}, []string{"identical in what is compared, but for"}},
		{[]string{"plan", "debian-12"}, []string{"0 to build, 3 unchanged"}},
	} {
		code, out := b.run(t, look.args...)
		if code != 0 {
			t.Errorf("%v: exit %d\n%s", look.args, code, out)
		}
		want(t, out, look.says...)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "state", "runs")); err == nil {
		t.Error("the machine has a state of its own")
	}
	b.nothingOn(t)
}
