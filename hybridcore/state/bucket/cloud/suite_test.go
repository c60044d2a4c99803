// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:14:21Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package cloud_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/cloud"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// TestMain lets no test meet the credentials of who runs it.
func TestMain(m *testing.M) {
	for key, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "user", "AWS_SECRET_ACCESS_KEY": "password", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		if err := os.Setenv(key, value); err != nil {
			panic(err)
		}
	}
	os.Exit(statetest.Main(m, reopen))
}

// reopen opens the state of a bucket as another process does.
func reopen(address string) (state.Backend, state.Capabilities, error) {
	at, err := bucket.Parse(address, true)
	if err != nil {
		return nil, state.Capabilities{}, err
	}
	return cloud.Open(at), state.Capabilities{}, nil
}

// tool is a program that tools/build has put into the cache.
func tool(t *testing.T, name string) string {
	t.Helper()
	cache := os.Getenv("PACKER_HYBRID_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(dir, "packer-hybrid")
	}
	path := filepath.Join(cache, "bin", name)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run tools/build %s", err, name)
	}
	return path
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

// serve starts a server and waits until it answers at the port.
func serve(t *testing.T, port, name string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(context.Background(), tool(t, name), args...)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = cmd.Wait() // its state is looked at
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for end := time.Now().Add(time.Minute); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", "127.0.0.1:"+port); err == nil {
			_ = conn.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("the server has ended: %v\n%s", cmd.ProcessState, said.Bytes())
		default:
		}
	}
	t.Fatalf("the server does not answer")
}

// ask sends a request of the test itself.
func ask(t *testing.T, method, url, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if said, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %s: %s\n%s", method, url, answer.Status, said)
	}
}

var prefixes atomic.Int64

// suite is that of every backend, each test below a prefix of its own, with many processes at once.
func suite(t *testing.T, format string) {
	t.Helper()
	statetest.Suite(t, func(t *testing.T) (state.Backend, state.Capabilities) {
		t.Helper()
		return open(t, fmt.Sprintf(format, fmt.Sprintf("test/%d", prefixes.Add(1)))), state.Capabilities{}
	})
	t.Run("clock", func(t *testing.T) { clock(t, fmt.Sprintf(format, "clock")) })
	t.Run("crowd", func(t *testing.T) { statetest.Crowd(t, fmt.Sprintf(format, "crowd"), reopen) })
	t.Run("killed", func(t *testing.T) { statetest.Killed(t, fmt.Sprintf(format, "killed"), reopen) })
}

// clock checks that a bucket tells when it has stored the newest lease.
func clock(t *testing.T, address string) {
	t.Helper()
	b := open(t, address)
	if at, err := b.Newest(t.Context()); err != nil || !at.IsZero() {
		t.Errorf("without leases: %s, %v", at, err)
	}
	if _, err := state.New(b, state.Capabilities{}).Acquire(t.Context(), statetest.Lease("run-1")); err != nil {
		t.Fatal(err)
	}
	if at, err := b.Newest(t.Context()); err != nil || time.Since(at).Abs() > time.Minute {
		t.Errorf("the lease of now was stored at %s, %v", at, err)
	}
}

func open(t *testing.T, address string) *cloud.Backend {
	t.Helper()
	at, err := bucket.Parse(address, true)
	if err != nil {
		t.Fatal(err)
	}
	b := cloud.Open(at)
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestSuiteInMemory is the suite on objects in memory.
func TestSuiteInMemory(t *testing.T) {
	t.Parallel()
	statetest.Suite(t, func(t *testing.T) (state.Backend, state.Capabilities) {
		t.Helper()
		b := cloud.New(memblob.OpenBucket(nil), bucket.S3, "prefix/", false)
		t.Cleanup(func() { _ = b.Close() })
		return b, state.Capabilities{}
	})
}

// s3Server is a stand-in for S3 in memory, with a bucket.
func s3Server(t *testing.T) string {
	t.Helper()
	port := freePort(t)
	serve(t, port, "gofakes3", "-host", "127.0.0.1:"+port, "-backend", "memory", "-initialbucket", "images", "-quiet")
	return "http://127.0.0.1:" + port
}

func s3Address(server, prefix string) string {
	return "s3://images/" + prefix + "?region=us-east-1&use_path_style=true&endpoint=" + server
}

// TestSuiteOnStandInForS3 is the suite on gofakes3.
func TestSuiteOnStandInForS3(t *testing.T) {
	t.Parallel()
	suite(t, s3Address(s3Server(t), "%s"))
}

// TestSuiteOnStandInForGCS is the suite on fake-gcs-server.
func TestSuiteOnStandInForGCS(t *testing.T) { //nolint:paralleltest // the environment names the server
	port := freePort(t)
	serve(t, port, "fake-gcs-server", "-scheme", "http", "-host", "127.0.0.1", "-port", port, "-backend", "memory",
		"-public-host", "127.0.0.1:"+port)
	ask(t, http.MethodPost, "http://127.0.0.1:"+port+"/storage/v1/b?project=p", `{"name":"images"}`)
	t.Setenv("STORAGE_EMULATOR_HOST", "127.0.0.1:"+port)
	suite(t, "gs://images/%s")
}
