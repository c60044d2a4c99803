// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:48:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-hostile-files
// Diagram: openspec/specs/static-validation/diagram.md#evaluation

package validate_test

import (
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"testing"
	"time"
)

// slow is how many times longer the race detector makes everything.
var slow = func() time.Duration {
	if build, ok := debug.ReadBuildInfo(); ok {
		for _, s := range build.Settings {
			if s.Key == "-race" && s.Value == "true" {
				return 20
			}
		}
	}
	return 1
}()

// processorTime is the time that the process has had of the processor, in its
// own code: a busy machine does not lengthen it.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// cost runs f and returns its processor time, the least of three runs, and the
// most memory that the heap held meanwhile beyond what it held before.
func cost(t *testing.T, f func()) (time.Duration, uint64) {
	t.Helper()
	took := time.Hour
	for range 3 {
		start := processorTime(t)
		f()
		took = min(took, processorTime(t)-start)
		if took < maxTime {
			break
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(25)) // garbage is not what is measured
	debug.FreeOSMemory()
	done, most := make(chan struct{}), make(chan uint64)
	before := heap()
	go func() {
		peak := before
		for {
			select {
			case <-done:
				most <- max(peak, heap()) - before
				return
			case <-time.After(time.Millisecond):
				peak = max(peak, heap())
			}
		}
	}()
	f()
	close(done)
	return took, <-most
}

// heap is what the live and not yet collected objects take, in bytes.
func heap() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
