// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:37:28Z
// Spec: openspec/specs/state/spec.md#requirement-durable-snapshot
// Diagram: openspec/specs/state/diagram.md#update

package state

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A kill cannot show what a power cut would lose: here the order of writes,
// syncs and renames is read from the trace.
func TestSyncOrder(t *testing.T) {
	orders := map[string][]string{
		"update": {
			`write\(\d+<DIR/\.tmp-`,
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`linkat\(\d+<DIR>, "packer-hybrid.json", \d+<DIR>, "packer-hybrid.json.1"`,
			`renameat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR>, "packer-hybrid.json"\) += 0`,
			`fsync\(\d+<DIR>\) += 0`,
			`flock\(\d+<DIR>, LOCK_UN\)`,
		},
		"append": {
			`mkdirat\(\d+<DIR/records>, "run-new"`,
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`renameat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/records/run-new>, "debian-12@vsphere.inventory.json"\) += 0`,
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`renameat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/records/run-new>, "steps.txt"\) += 0`,
			`fsync\(\d+<DIR/records/run-new>\) += 0`,
			`fsync\(\d+<DIR/records>\) += 0`,
			`ftruncate\(\d+<DIR/records.jsonl>`,
			`pwrite64\(\d+<DIR/records.jsonl>`,
			`fsync\(\d+<DIR/records.jsonl>\) += 0`,
			`flock\(\d+<DIR>, LOCK_UN\)`,
		},
		"append-bare": {
			`pwrite64\(\d+<DIR/records.jsonl>`,
			`fsync\(\d+<DIR/records.jsonl>\) += 0`,
			`fsync\(\d+<DIR>\) += 0`, // the file is new
		},
		"acquire": {
			`flock\(\d+<DIR/leases/lab\+debian-12@vsphere.lock>, LOCK_EX\|LOCK_NB\) += 0`,
			`fsync\(\d+<DIR/leases/\.tmp-lab\+debian-12@vsphere>\) += 0`,
			`renameat\(\d+<DIR/leases>, "\.tmp-lab\+debian-12@vsphere", \d+<DIR/leases>, "lab\+debian-12@vsphere.json"\) += 0`,
			`fsync\(\d+<DIR/leases>\) += 0`,
		},
	}
	for _, op := range operations() {
		t.Run(op.mode, func(t *testing.T) {
			dir := filepath.Join(fastDir(t), "state")
			op.prepare(t, open(t, dir))
			calls, out, err := op.strace(t, dir, "")
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			next := 0
			for _, want := range orders[op.mode] {
				rule := regexp.MustCompile("^" + strings.ReplaceAll(want, "DIR", regexp.QuoteMeta(dir)))
				for next < len(calls) && !rule.MatchString(calls[next]) {
					next++
				}
				if next == len(calls) {
					t.Fatalf("%s does not come after what precedes it:\n%s", want, strings.Join(calls, "\n"))
				}
				next++
			}
		})
	}
}
