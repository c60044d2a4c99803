// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:37:28Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-directory
// Diagram: openspec/specs/state/diagram.md#put-in-a-directory

package directory

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
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/snapshot>, "00000005", 0\) += 0`,
			`fsync\(\d+<DIR/snapshot>\) += 0`,
			`flock\(\d+<DIR>, LOCK_UN\)`,
			`unlinkat\(\d+<DIR/snapshot>, "00000001"`,
		},
		"append": {
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/records/run-new>, "debian-12@vsphere.inventory.json", 0\) += 0`,
			`fsync\(\d+<DIR/records/run-new>\) += 0`,
			`unlinkat\(\d+<DIR/records/run-new>, "steps.txt"`, // of the killed process
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/records/run-new>, "steps.txt", 0\) += 0`,
			`fsync\(\d+<DIR/records/run-new>\) += 0`,
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/runs>, "run-new.json", 0\) += 0`,
			`fsync\(\d+<DIR/runs>\) += 0`,
		},
		"append-bare": {
			`mkdirat\(\d+<DIR>, "runs"`,
			`fsync\(\d+<DIR>\) += 0`, // the folder is new
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/runs>, "run-new.json", 0\) += 0`,
			`fsync\(\d+<DIR/runs>\) += 0`,
		},
		"acquire": {
			`flock\(\d+<DIR/\.locks/lab\+debian-12@vsphere>, LOCK_EX\|LOCK_NB\) += 0`,
			`pwrite64\(\d+<DIR/\.locks/lab\+debian-12@vsphere>`,
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/leases/lab\+debian-12@vsphere>, "00000002", 0\) += 0`,
			`fsync\(\d+<DIR/leases/lab\+debian-12@vsphere>\) += 0`,
		},
		"upgrade": {
			`flock\(\d+<DIR>, LOCK_EX\|LOCK_NB\) += 0`,
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/snapshot>, "00000004", 0\) += 0`,
			`fsync\(\d+<DIR/snapshot>\) += 0`,
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/leases/lab\+debian-12@vsphere>, "00000001", 0\) += 0`,
			`linkat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/runs>, "run-1.json", 0\) += 0`,
			`fsync\(\d+<DIR/runs>\) += 0`,
			`renameat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR/backup-format-1>, "packer-hybrid.json"\) += 0`,
			`fsync\(\d+<DIR/backup-format-1>\) += 0`,
			`fsync\(\d+<DIR/\.tmp-\w+>\) += 0`,
			`renameat\(\d+<DIR>, "\.tmp-\w+", \d+<DIR>, "packer-hybrid.json"\) += 0`,
			`fsync\(\d+<DIR>\) += 0`,
			`renameat\(\d+<DIR>, "records.jsonl"`,
			`flock\(\d+<DIR>, LOCK_UN\)`,
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
