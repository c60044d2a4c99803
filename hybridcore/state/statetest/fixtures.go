// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T21:15:20Z
// Spec: openspec/specs/state/spec.md#requirement-one-suite-for-every-backend
// Diagram: openspec/specs/state/diagram.md#objects

package statetest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// At is when everything in the fixtures happened.
func At() time.Time { return time.Date(2026, 11, 22, 22, 45, 1, 250_000_000, time.FixedZone("", 3600)) }

// Put is a change that adds an entry to a snapshot.
func Put(key string) func(*hybridcore.Snapshot) error {
	return func(s *hybridcore.Snapshot) error {
		s.Targets[key] = hybridcore.Current{
			RunID: "run-of-" + strings.NewReplacer("/", "-", "@", "-").Replace(key), At: At(), Digest: "d1", Recipe: "r1",
			Inputs: map[string]string{"file:linux.pkr.hcl": "00ff", "var:vm_cpu_count": "2"},
			Artifact: &hybridcore.Artifact{
				ID: "debian <12>", Builder: "jetbrains.vsphere",
				URIs: []hybridcore.URI{{Kind: "vm-template", Name: "x", ID: "vm-1"}},
			},
		}
		return nil
	}
}

// Record is a record with something in every kind of field.
func Record(runID string) hybridcore.Record {
	return hybridcore.Record{
		RunID: runID, At: At(), Duration: 95 * time.Second, Status: hybridcore.Failed, PlanDigest: "p1",
		Request: hybridcore.Request{
			ID: runID, Action: hybridcore.ActionBuild, Env: "lab", Platforms: []hybridcore.Platform{hybridcore.VSphere},
		},
		Versions: map[string]string{"packer": "1.15.0"},
		Results: []hybridcore.Result{{
			Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: hybridcore.Failed,
			Digest:  "d1",
			Started: At(), Duration: 90 * time.Second,
			Steps: []hybridcore.Step{{Name: "Creating virtual machine...", At: At(), Duration: time.Second}},
			Inventory: &hybridcore.Inventory{
				File: "records/" + runID + "/debian-12@vsphere.inventory.json", SHA256: "00", Packages: 312,
			},
			Failure: &hybridcore.Failure{
				Message: "exit status 2",
				Tail:    []string{"fatal: [default]: FAILED! => {\"msg\": \"no <such> package\"}", "bad \xff byte"},
			},
		}},
	}
}

// Attachments are those of a record.
func Attachments() map[string][]byte {
	return map[string][]byte{
		"debian-12@vsphere.inventory.json": []byte(`{"packages":312}`), "steps.txt": []byte("one\ntwo\n"),
	}
}

// Lease is the lease that a run asks for.
func Lease(runID string) hybridcore.Lease {
	return hybridcore.Lease{Key: "lab/debian-12@vsphere", RunID: runID, Artifact: "ph-" + runID + "-debian-12"}
}

// WantBlocked checks that the error blocks (exit code 3) and says all of that.
func WantBlocked(t *testing.T, err error, says ...string) {
	t.Helper()
	if _, ok := errors.AsType[*hybridcore.BlockedError](err); !ok {
		t.Fatalf("error %v: want a BlockedError", err)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

// opened is a state in a backend without objects.
type opened struct {
	*state.Store
	b   state.Backend
	can state.Capabilities
}

// again is what another process opens.
func (o opened) again() *state.Store { return state.New(o.b, o.can) }

func put(t *testing.T, b state.Backend, name, data string) {
	t.Helper()
	if err := b.Put(t.Context(), name, []byte(data)); err != nil {
		t.Fatal(err)
	}
}

func holds(t *testing.T, b state.Backend, name, want string) {
	t.Helper()
	if got, err := b.Get(t.Context(), name); err != nil || string(got) != want {
		t.Errorf("%s is %.80q, %v; want %.80q", name, got, err, want)
	}
}
