// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:39Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"reflect"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

func records(t *testing.T, o opened) {
	ctx := t.Context()
	if ids, err := o.Records(ctx); err != nil || len(ids) != 0 {
		t.Fatalf("records of an empty state: %v, %v", ids, err)
	}
	_, err := o.Record(ctx, "run-0")
	if !errors.Is(err, fs.ErrNotExist) || hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("missing record: %v", err)
	}
	for _, id := range []string{"run-2", "run-1", "run-3"} {
		if err := o.Append(ctx, Record(id), nil); err != nil {
			t.Fatal(err)
		}
	}
	ids, err := o.Records(ctx)
	if !reflect.DeepEqual([]string{"run-1", "run-2", "run-3"}, ids) || err != nil {
		t.Errorf("records %v, %v", ids, err)
	}
	got, err := o.Record(ctx, "run-1")
	if err != nil {
		t.Fatal(err)
	}
	want := Record("run-1")
	want.FormatVersion = 1
	want.Request.Images = []string{}
	want.Results[0].Failure.Tail[1] = "bad \ufffd byte"
	if !reflect.DeepEqual(want, got) {
		t.Errorf("record: want, got\n%+v\n%+v", want, got)
	}
	changed := Record("run-1")
	changed.Status = hybridcore.Built
	if err := o.Append(ctx, changed, nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("second record of a run: %v", err)
	}
	if again, err := o.Record(ctx, "run-1"); err != nil || again.Status != hybridcore.Failed {
		t.Errorf("the record was changed: %s, %v", again.Status, err)
	}
	for _, id := range []string{"", "../x", "a/b", "Run", "a b"} {
		if err := o.Append(ctx, Record(id), nil); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("run %q: %v", id, err)
		}
		if _, err := o.Record(ctx, id); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("run %q: %v", id, err)
		}
	}
}

func attachments(t *testing.T, o opened) {
	ctx := t.Context()
	if err := o.Append(ctx, Record("run-1"), Attachments()); err != nil {
		t.Fatal(err)
	}
	err := o.Append(ctx, Record("run-1"), map[string][]byte{"steps.txt": []byte("changed")})
	if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("second record of a run: %v", err)
	}
	for name, want := range Attachments() {
		got, err := o.Attachment(ctx, "records/run-1/"+name)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	_, err = o.Attachment(ctx, "records/run-1/missing.json")
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing attachment: %v", err)
	}
	for _, file := range []string{
		"", "/etc/passwd", "../x", "records/../../x", "records/run-1", "packer-hybrid.json",
		"records//x",
	} {
		if _, err := o.Attachment(ctx, file); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("attachment %q: %v", file, err)
		}
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "-x", ".hidden", "A", "a\n"} {
		err := o.Append(ctx, Record("run-2"), map[string][]byte{name: nil})
		if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
			t.Errorf("attachment name %q: %v", name, err)
		}
	}
}

// unrecorded lets a process end between its attachments and its record: the run
// can be recorded, with others.
func unrecorded(t *testing.T, o opened) {
	put(t, o.b, "records/run-1/steps.txt", "left")
	if err := o.Append(t.Context(), Record("run-1"), Attachments()); err != nil {
		t.Fatal(err)
	}
	for name, want := range Attachments() {
		holds(t, o.b, "records/run-1/"+name, string(want))
	}
}

func tickets(t *testing.T, o opened) {
	use := func(request, run string, until time.Duration) error {
		return o.UseTicket(t.Context(), request, run, time.Now().Add(until))
	}
	if err := errors.Join(use("r1", "github 1", time.Hour), use("r1", "github 1", time.Hour)); err != nil {
		t.Fatal(err)
	}
	WantBlocked(t, use("r1", "github 2", time.Hour), "used by another run, github 1")
	if err := errors.Join(use("old", "github 1", -time.Minute), use("new", "github 2", time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := names(t, o.b, "tickets/"); !reflect.DeepEqual(got, []string{"tickets/new.json", "tickets/r1.json"}) {
		t.Errorf("tickets %v", got)
	}
}

func cancelled(t *testing.T, o opened) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := o.Update(ctx, Put("lab/debian-12@vsphere")); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	if err := o.Append(ctx, Record("run-1"), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("append: %v", err)
	}
	if _, err := o.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("read: %v", err)
	}
	if _, err := o.Acquire(ctx, Lease("run-1")); !errors.Is(err, context.Canceled) {
		t.Errorf("acquire: %v", err)
	}
}
