// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:22:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package bucket_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gocloud.dev/blob/memblob"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/cloud"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/wire"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/statetest"
)

// servesHere makes the test's own program one that keeps objects in its memory.
const servesHere = "BUCKET_TEST_SERVES"

func TestMain(m *testing.M) {
	if os.Getenv(servesHere) == "" {
		os.Exit(m.Run())
	}
	stream, err := net.FileConn(os.Stdin)
	if err == nil {
		b := cloud.New(memblob.OpenBucket(nil), bucket.S3, "", true)
		err = wire.Serve(stream, moody{b})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// moody does other things than its backend at some names.
type moody struct{ *cloud.Backend }

// ahead makes the clock of the bucket show more, in the environment of the program.
const ahead = "AWS_TEST_AHEAD"

// Newest implements wire.Dated.
func (m moody) Newest(ctx context.Context) (time.Time, error) {
	at, err := m.Backend.Newest(ctx)
	if by, wrong := time.ParseDuration(os.Getenv(ahead)); wrong == nil && !at.IsZero() {
		at = at.Add(by)
	}
	return at, err
}

func (m moody) Put(ctx context.Context, name string, data []byte) error {
	switch name {
	case "odd/dies":
		fmt.Fprintln(os.Stderr, "out of \x1b[31mmemory")
		os.Exit(7)
	case "odd/sleeps":
		time.Sleep(time.Second)
	}
	return m.Backend.Put(ctx, name, data)
}

func start(t *testing.T, environ ...string) *bucket.Backend {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), wire.Name)
	script := fmt.Sprintf("#!/bin/sh\nenv >%s.env\n%s=yes exec %s\n", path, servesHere, self)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	b, err := bucket.New(bucket.Options{Address: "s3://images/state", Environ: environ})
	if err != nil {
		t.Fatal(err)
	}
	b.Program = path
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

// TestSuiteThroughTheProgram is the suite on a program with objects in its memory.
func TestSuiteThroughTheProgram(t *testing.T) {
	t.Parallel()
	statetest.Suite(t, func(t *testing.T) (state.Backend, state.Capabilities) {
		t.Helper()
		b := start(t)
		return b, state.Capabilities{Guide: b}
	})
}

// TestProgramEnds has the program end during a call: the next call starts it anew.
func TestProgramEnds(t *testing.T) {
	t.Parallel()
	b := start(t)
	err := b.Put(t.Context(), "odd/dies", nil)
	statetest.WantBlocked(t, err, "packer-hybrid-bucket has ended", "exit status 7", "not known", "out of")
	if strings.Contains(err.Error(), "\x1b") {
		t.Errorf("it says %q", err)
	}
	if err := b.Put(t.Context(), "a/b", []byte("one")); err != nil {
		t.Error(err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if err := b.Put(t.Context(), "a/c", nil); err == nil {
		t.Error("put after the end")
	}
}

// TestGivenUp gives a put up that is under way: it comes to its end, and is known to.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	b := start(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := b.Put(ctx, "odd/sleeps", []byte("one")); err != nil {
		t.Error(err)
	}
	if ctx.Err() == nil {
		t.Error("it did not take its time")
	}
	if got, err := b.Get(t.Context(), "odd/sleeps"); err != nil || string(got) != "one" {
		t.Errorf("stored is %q, %v", got, err)
	}
}

// TestWhatTheProgramGets hands on what the clouds' libraries look for, and no more.
func TestWhatTheProgramGets(t *testing.T) {
	t.Parallel()
	b := start(t, "PATH="+os.Getenv("PATH"), "AWS_ACCESS_KEY_ID=shown", "GITHUB_TOKEN=kept", "SLACK_BOT_TOKEN=kept",
		"PKR_VAR_password=kept", "LD_PRELOAD=/kept", "PACKER_HYBRID_STATE_TOKEN=kept")
	if _, err := b.Get(t.Context(), "a/b"); err == nil {
		t.Error("there is one")
	}
	env, err := os.ReadFile(b.Program + ".env")
	if err != nil || strings.Contains(string(env), "kept") || !strings.Contains(string(env), "shown") {
		t.Errorf("%v\n%s", err, env)
	}
}

// TestOffset takes the time at which the bucket has stored the newest lease for what its
// clock showed.
func TestOffset(t *testing.T) {
	t.Parallel()
	for by, warns := range map[string]int{"0s": 0, "4m": 0, "1h": 1} {
		b := start(t, ahead+"="+by)
		s := state.New(b, state.Capabilities{Guide: b})
		if found, err := state.Clocks(t.Context(), s); err != nil || len(found) > 0 {
			t.Errorf("an empty bucket: %v, %v", found, err)
		}
		if _, err := s.Acquire(t.Context(), statetest.Lease("run-1")); err != nil {
			t.Fatal(err)
		}
		found, err := state.Clocks(t.Context(), s)
		if err != nil || len(found) != warns || warns > 0 && !strings.Contains(found[0].Message, "that of the bucket") {
			t.Errorf("%s ahead: %v, %v", by, found, err)
		}
	}
}
