// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:15:20Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

func putOnce(t *testing.T, b state.Backend) {
	data := []byte("one")
	if err := b.Put(t.Context(), "a/b", data); err != nil {
		t.Fatal(err)
	}
	data[0] = 'X' // the caller's own
	holds(t, b, "a/b", "one")
	if err := b.Put(t.Context(), "a/b", []byte("two")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("put again: %v", err)
	}
	if err := b.Put(t.Context(), "a/b", []byte("one")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("put the same again: %v", err)
	}
	got, err := b.Get(t.Context(), "a/b")
	if err != nil {
		t.Fatal(err)
	}
	got[0] = 'X' // the caller's own
	holds(t, b, "a/b", "one")
}

func missing(t *testing.T, b state.Backend) {
	put(t, b, "a/b/c", "one")
	for _, name := range []string{"a/x", "x/b", "a/b/x", "a/b"} {
		if _, err := b.Get(t.Context(), name); err == nil || errors.Is(err, fs.ErrExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := b.Get(t.Context(), "a/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
	if err := errors.Join(b.Delete(t.Context(), "a/x"), b.Delete(t.Context(), "x/y/z")); err != nil {
		t.Errorf("deleting what is missing: %v", err)
	}
}

func deleted(t *testing.T, b state.Backend) {
	put(t, b, "a/b/c", "one")
	put(t, b, "a/b/d", "two")
	if err := b.Delete(t.Context(), "a/b/c"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Get(t.Context(), "a/b/c"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deleted: %v", err)
	}
	holds(t, b, "a/b/d", "two")
	put(t, b, "a/b/c", "three")
	holds(t, b, "a/b/c", "three")
}

func names(t *testing.T, b state.Backend, folder string) []string {
	t.Helper()
	var all []string
	for name, err := range b.List(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name)
	}
	return all
}

func list(t *testing.T, b state.Backend) {
	if all := names(t, b, "runs/"); len(all) != 0 {
		t.Errorf("nothing is there, listed: %v", all)
	}
	var want []string
	for i := range 60 {
		want = append(want, fmt.Sprintf("runs/run-%d.json", i))
	}
	want = append(want, "runs/a/b", "runs/a.b", "runs/a+b/c/d")
	for _, name := range want {
		put(t, b, name, name)
	}
	others := []string{"run/x", "runs-x/y", "leases/k/1"}
	for _, name := range others {
		put(t, b, name, name)
	}
	all := slices.Sorted(slices.Values(slices.Concat(want, others)))
	if got := names(t, b, ""); !slices.Equal(got, all) {
		t.Errorf("listed %d of all names, want %d in their order: %.300v", len(got), len(all), got)
	}
	slices.Sort(want)
	if got := names(t, b, "runs/"); !slices.Equal(got, want) {
		t.Errorf("listed %d names, want %d in their order: %.300v", len(got), len(want), got)
	}
	if got := names(t, b, "leases/k/"); !slices.Equal(got, []string{"leases/k/1"}) {
		t.Errorf("of one folder: %v", got)
	}
	for _, err := range b.List(t.Context(), "runs/") {
		if err != nil {
			t.Error(err)
		}
		break // which ends it
	}
}

// together puts and reads many objects at once, where the backend can.
func together(t *testing.T, b state.Backend) {
	many, can := b.(state.Many)
	if !can { // then each object is put and read by itself, as in the other tests
		return
	}
	objects, asked := map[string][]byte{}, []string{"a/missing"}
	for i := range 30 {
		name := fmt.Sprintf("runs/run-%d.json", i)
		objects[name], asked = []byte(name), append(asked, name)
	}
	if err := errors.Join(many.PutAll(t.Context(), nil), many.PutAll(t.Context(), objects)); err != nil {
		t.Fatal(err)
	}
	if err := many.Ahead(t.Context(), asked); err != nil {
		t.Error(err)
	}
	for name := range objects {
		holds(t, b, name, name)
	}
	err := many.PutAll(t.Context(), map[string][]byte{"runs/run-9.json": nil, "a/new": nil})
	if !errors.Is(err, fs.ErrExist) {
		t.Errorf("one is there: %v", err)
	}
	if _, err := b.Get(t.Context(), "a/new"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the other was put: %v", err)
	}
	if err := many.PutAll(t.Context(), map[string][]byte{"A/b": nil}); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("a hostile name: %v", err)
	}
}

func oneOfMany(t *testing.T, b state.Backend) {
	const many = 16
	var all sync.WaitGroup
	var mu sync.Mutex
	won := []string{}
	for i := range many {
		all.Go(func() {
			mine := strings.Repeat(fmt.Sprintf("%02d", i), 4000)
			err := b.Put(t.Context(), "snapshot/00000001", []byte(mine))
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, mine)
			} else if !errors.Is(err, fs.ErrExist) {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if len(won) != 1 {
		t.Fatalf("%d of %d put one object", len(won), many)
	}
	holds(t, b, "snapshot/00000001", won[0])
}

func hostileNames(t *testing.T, b state.Backend) {
	for _, name := range []string{
		"", "a", "/a/b", "a//b", "a/../b", "../a/b", "a/.b", ".a/b", "a/b/", "a/B", "a/b\x00", "a/b c", "a/b\n", "a/é",
		"a/b/c/d/e", "a/" + strings.Repeat("x", 256), "a\\b/c", "-a/b",
	} {
		_, err := b.Get(t.Context(), name)
		for what, err := range map[string]error{
			"get": err, "put": b.Put(t.Context(), name, nil), "delete": b.Delete(t.Context(), name),
		} {
			if hybridcore.ExitCode(err) != hybridcore.ExitUsage {
				t.Errorf("%s %q: %v", what, name, err)
			}
		}
	}
}

func sizes(t *testing.T, b state.Backend) {
	put(t, b, "a/empty", "")
	holds(t, b, "a/empty", "")
	large := strings.Repeat("0123456789abcdef", 1<<16)
	put(t, b, "a/large", large)
	holds(t, b, "a/large", large)
	huge := bytes.Repeat([]byte{0}, state.MaxObject+1)
	if err := b.Put(t.Context(), "a/huge", huge); hybridcore.ExitCode(err) != hybridcore.ExitUsage {
		t.Errorf("more than can be read was put: %v", err)
	}
	if _, err := b.Get(t.Context(), "a/huge"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is there: %v", err)
	}
}

func endedContexts(t *testing.T, b state.Backend) {
	put(t, b, "a/b", "one")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.Get(ctx, "a/b")
	all := map[string]error{"get": err, "put": b.Put(ctx, "a/c", nil), "delete": b.Delete(ctx, "a/b"), "list": nil}
	for _, err := range b.List(ctx, "a/") {
		all["list"] = err
	}
	for what, err := range all {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
	holds(t, b, "a/b", "one")
}
