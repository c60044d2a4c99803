// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:16:29Z
// Spec: openspec/specs/packer/spec.md#requirement-drained-pipes
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
)

// slowLog takes its time for each write.
type slowLog struct {
	pause time.Duration
	lines atomic.Int64
}

func (l *slowLog) Write(p []byte) (int, error) {
	time.Sleep(l.pause)
	l.lines.Add(int64(strings.Count(string(p), "\n")))
	return len(p), nil
}

// Packer itself does not get beyond some thousand lines a second, so a script
// stands in for it.
//
// It runs alone, because it measures the memory of the whole process.
func TestSlowLog(t *testing.T) {
	const lines = 300_000
	job := stage(t, "")
	write(t, filepath.Join(job.Dir, "m"), manifest("", ""))
	tool := Tool{Path: script(t, job, fmt.Sprintf(`seq -f '1795387732,,ui,say,==> null.linux: line %%.0f of a long story' %d
cp m ../manifest.json
echo 1795387732,null.linux,artifact-count,1
echo 1795387732,null.linux,artifact,0,id,vm-1
echo 1795387732,null.linux,artifact,0,end`, lines))}
	log := &slowLog{pause: 10 * time.Millisecond}
	events := 0
	job.Log, job.OnEvent = log, func(hybridcore.Event) { events++ }
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if out.Status != hybridcore.Built {
		t.Fatalf("outcome %+v, failure %+v", out, out.Failure)
	}
	if n := log.lines.Load(); n < lines || events < lines {
		t.Errorf("the log has %d lines, the caller %d, of %d; notes %q", n, events, lines, out.Notes)
	}
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 64<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	t.Logf("%.0f lines/s", lines/time.Since(start).Seconds())
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = full.Close() }()
	tool := realPacker(t)
	job := stage(t, nullBuild("seq 2000", ""))
	job.Log = full
	out, err := tool.Build(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != hybridcore.Built ||
		!strings.Contains(strings.Join(out.Notes, "\n"), "lines are missing in the log: writing the log") {
		t.Errorf("outcome %+v", out)
	}
}

// blockedLog never returns from its first write until it is released.
type blockedLog struct{ release chan struct{} }

func (l blockedLog) Write(p []byte) (int, error) {
	<-l.release
	return len(p), nil
}

// A log that hangs costs the reader one stall, and then nothing.
func TestSinkDropsWhenTheLogHangs(t *testing.T) {
	t.Parallel()
	log := blockedLog{release: make(chan struct{})}
	s := newSink(Job{Log: log})
	s.stall = 50 * time.Millisecond
	const lines = 3 * maxQueued / 1000
	start := time.Now()
	for range lines {
		s.put(item{line: strings.Repeat("x", 1000)})
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("putting lines took %s", took)
	}
	close(log.release)
	lost, err := s.close()
	if lost == 0 || lost > lines || err != nil {
		t.Errorf("lost %d of %d lines, error %v", lost, lines, err)
	}
}

// flakyLog fails from the second write on.
type flakyLog struct{ writes int }

func (l *flakyLog) Write(p []byte) (int, error) {
	if l.writes++; l.writes > 1 {
		return 0, errors.New("no space")
	}
	return len(p), nil
}

func TestSinkCountsLostLines(t *testing.T) {
	t.Parallel()
	s := newSink(Job{Log: &flakyLog{}})
	const lines = 4000
	for i := range lines {
		s.put(item{line: fmt.Sprintf("%d %s", i, strings.Repeat("x", 100))})
	}
	lost, err := s.close()
	if lost == 0 || lost >= lines || err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("lost %d of %d, error %v", lost, lines, err)
	}
}

func TestSinkRedactsAndBoundsEvents(t *testing.T) {
	t.Parallel()
	var got []string
	s := newSink(Job{
		Redact:  func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") },
		OnEvent: func(e hybridcore.Event) { got = append(got, e.Text) },
	})
	// A secret at the border must go before the line is cut, or a part of it stays.
	s.put(item{show: true, event: hybridcore.Event{Text: strings.Repeat("x", output.MaxLine-6) + "hunter2 and more"}})
	s.put(item{line: "not shown"})
	s.put(item{show: true, event: hybridcore.Event{Text: "hunter2"}})
	if _, err := s.close(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 2 || len(got[0]) > output.MaxLine || strings.Contains(got[0], "hunt") || got[1] != "***" {
		t.Errorf("events %.100q", got)
	}
}
