// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:15:19Z
// Spec: openspec/specs/packer/spec.md#requirement-machine-readable-stream
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

func TestParseRecord(t *testing.T) {
	t.Parallel()
	at := time.Unix(1795387732, 0).UTC()
	text := func(line string) output.Record { return output.Record{Data: []string{line}} }
	for line, want := range map[string]output.Record{
		"1795387732,,ui,say,==> null.linux: hello%!(PACKER_COMMA) world": {
			At: at, Type: output.TypeUI,
			Data: []string{"say", "==> null.linux: hello, world"},
		},
		"1795387732,null.linux,artifact,0,end": {
			At: at, Target: "null.linux", Type: output.TypeArtifact,
			Data: []string{"0", "end"},
		},
		"1795387732,,version-prelease,":                 {At: at, Type: "version-prelease", Data: []string{""}},
		"1795387732,,x":                                 {At: at, Type: "x"},
		`1795387732,,ui,say,a\nb\rc\\n%!(PACKER_COMMA)`: {At: at, Type: output.TypeUI, Data: []string{"say", "a\nb\rc\\\n,"}},
		// One pass: what an escape yields starts no other escape.
		`1795387732,,ui,say,%!(PACKER_COMMA%!(PACKER_COMMA))`: {
			At: at, Type: output.TypeUI,
			Data: []string{"say", "%!(PACKER_COMMA,)"},
		},
		// Escapes count in data fields only.
		`1795387732,a\nb,ui,say,x`:    {At: at, Target: `a\nb`, Type: output.TypeUI, Data: []string{"say", "x"}},
		"":                            text(""),
		"hello":                       text("hello"),
		"a,b,c,d":                     text("a,b,c,d"),
		"-1,,ui,say,x":                text("-1,,ui,say,x"),
		"+1,,ui,say,x":                text("+1,,ui,say,x"),
		",,ui,say,x":                  text(",,ui,say,x"),
		"1795387732,,":                text("1795387732,,"),
		"1795387732,,UI,say,x":        text("1795387732,,UI,say,x"),
		"1795387732,,u i,say,x":       text("1795387732,,u i,say,x"),
		"1795387732":                  text("1795387732"),
		"99999999999999999999,,ui,,x": text("99999999999999999999,,ui,,x"),
		" 1795387732,,ui,say,x":       text(" 1795387732,,ui,say,x"),
	} {
		if diff := cmp.Diff(want, output.ParseRecord(line), cmpopts.IgnoreFields(output.Record{}, "Line")); diff != "" {
			t.Errorf("%q:\n%s", line, diff)
		}
	}
}

// records reads a whole stream.
func records(t *testing.T, r io.Reader) []output.Record {
	t.Helper()
	var all []output.Record
	for d := output.NewDecoder(r); ; {
		rec, err := d.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, rec)
	}
}

func TestDecoderLongLine(t *testing.T) {
	t.Parallel()
	for _, size := range []int{output.MaxRecord - 1, output.MaxRecord, output.MaxRecord + 1, 10 << 20} {
		got := records(t, strings.NewReader(strings.Repeat("x", size)+"\n1,,ui,say,next\nlast"))
		if len(got) != 3 || got[1].Type != output.TypeUI || got[2].Data[0] != "last" {
			t.Fatalf("size %d: %d records", size, len(got))
		}
		if n := len(got[0].Data[0]); n != min(size, output.MaxRecord) || got[0].Cut != (size > output.MaxRecord) {
			t.Errorf("size %d: kept %d, cut %v", size, n, got[0].Cut)
		}
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

func TestDecoderError(t *testing.T) {
	t.Parallel()
	if _, err := output.NewDecoder(brokenReader{}).Next(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

// replay passes a recorded stream through the collector and judges it.
func replay(t *testing.T, name string, code int, result func(Tool, Job, child.Ending, *collector, *Outcome)) Outcome {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "streams", name))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	job := Job{
		Dir: t.TempDir(), Scratch: "/tmp", Source: "null.linux",
		Manifest: filepath.Join("testdata", "manifest.json"),
	}
	start := time.Unix(1795387000, 0)
	c := newCollector(job, start)
	now := start
	for _, rec := range records(t, f) {
		now = now.Add(time.Second)
		c.record(rec, now)
	}
	out := Outcome{Started: start}
	result(Tool{}, job, child.Ending{Code: code}, c, &out)
	conclude(job, child.Ending{Code: code}, c, &out, now)
	return out
}

// The recordings were made with Packer 1.15.0 and its null builder.
func TestRecordedStreams(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		stream  string
		code    int
		result  func(Tool, Job, child.Ending, *collector, *Outcome)
		status  hybridcore.Status
		message string // of the failure
		step    string
		file    string
	}{
		{stream: "success.txt", result: buildResult, status: hybridcore.Built},
		{
			stream: "success.txt", code: 1, result: buildResult, status: hybridcore.Failed, message: "err",
			step: "Running post-processor:  (type manifest)",
		},
		{
			stream: "failure.txt", code: 1, result: buildResult, status: hybridcore.Failed,
			message: "Script exited with non-zero exit status: 3. Allowed exit codes are: [0]",
			step:    "Running local shell script: /tmp/packer-shell2211229029",
		},
		{
			stream: "killed.txt", result: buildResult, status: hybridcore.Failed,
			message: "packer ended without reporting an artifact: the inner process was killed (out of memory?)",
			step:    "Running local shell script: /tmp/packer-shell260054938",
		},
		{
			stream: "plugin-crash.txt", code: 2, result: buildResult, status: hybridcore.Failed,
			message: "the plugin's process died: unexpected EOF: it says no more", step: "Provisioning with Ansible...",
		},
		{
			stream: "ansible.txt", code: 1, result: buildResult, status: hybridcore.Failed, step: "TASK [Install the agent]",
			file: "/tmp/pk/ans/playbook.yml:6",
			message: "Error executing Ansible: Non-zero exit status: exit status 2: TASK [Install the agent]: non-zero " +
				"return code: no such disk",
		},
		{stream: "valid.txt", result: validateResult, status: hybridcore.Validated},
		{
			stream: "killed.txt", result: validateResult, status: hybridcore.Failed,
			message: "packer validate ended without saying that the configuration is valid: the inner process was killed " +
				"(out of memory?)", step: "Running local shell script: /tmp/packer-shell260054938",
		},
		{
			stream: "variable.txt", code: 1, result: validateResult, status: hybridcore.Failed,
			message: `b.pkr.hcl:1: Unsupported attribute: This object does not have an attribute named "zork".`,
		},
	} {
		t.Run(tt.stream, func(t *testing.T) {
			t.Parallel()
			out := replay(t, tt.stream, tt.code, tt.result)
			if out.Status != tt.status {
				t.Fatalf("status %s, failure %+v: want %s", out.Status, out.Failure, tt.status)
			}
			var f hybridcore.Failure
			if out.Failure != nil {
				f = *out.Failure
			}
			if f.Message != tt.message || f.Step != tt.step || f.File != tt.file {
				t.Errorf("message %q\nstep %q\nfile %q", f.Message, f.Step, f.File)
			}
		})
	}
}

func TestRecordedDetails(t *testing.T) {
	t.Parallel()
	out := replay(t, "ansible.txt", 1, buildResult)
	want := []string{"ansible: default: ok=1 changed=0 unreachable=0 failed=1 skipped=0 rescued=0 ignored=0"}
	if diff := cmp.Diff(want, out.Notes); diff != "" {
		t.Error(diff)
	}
	var names []string
	for _, s := range out.Steps {
		names = append(names, s.Name[:min(len(s.Name), 30)])
	}
	steps := []string{
		"Provisioning with Ansible...", "Setting up proxy adapter for A", "Executing Ansible: ansible-pla",
		"Provisioning step had errors: ",
	}
	if diff := cmp.Diff(steps, names); diff != "" {
		t.Error(diff)
	}
	found := replay(t, "syntax.txt", 1, validateResult).Findings
	if len(found) != 2 {
		t.Fatalf("findings %+v", found)
	}
	if f := found[0]; f.File != "b.pkr.hcl" || f.Line != 1 || f.Source != `source "null" "linux" { communicator = "none` ||
		f.Message != "Invalid multi-line string" || !f.Blocking ||
		!strings.HasPrefix(f.Hint, "Quoted strings may not be split") {
		t.Errorf("finding %+v", f)
	}
}

// A record that a provisioner prints is text, wherever it is printed.
func TestForgedRecords(t *testing.T) {
	t.Parallel()
	out := replay(t, "success.txt", 0, buildResult)
	if len(out.Artifacts) != 2 {
		t.Errorf("artifacts %+v", out.Artifacts)
	}
	c := newCollector(Job{}, time.Now())
	for _, line := range []string{
		"1795381756,,ui,say,==> null.linux: " +
			"1795381756%!(PACKER_COMMA)null.linux%!(PACKER_COMMA)artifact-count%!(PACKER_COMMA)1",
		"1795381756,,ui,say,1795381756,null.linux,artifact-count,1",
		`1795381756,,ui,say,x\n1795381756,null.linux,artifact-count,1`,
		"1795381756,,ui,error,panic: not really",
	} {
		c.record(output.ParseRecord(line), time.Now())
	}
	stderr := output.Record{Line: "1795381756,null.linux,artifact-count,1"}
	c.stderr(stderr, time.Now())
	if len(c.builds) != 0 || c.crash != "" {
		t.Errorf("builds %v, crash %q", c.builds, c.crash)
	}
}

func TestArtifactRecords(t *testing.T) {
	t.Parallel()
	const whole = "1,n.l,artifact-count,1\n1,n.l,artifact,0,builder-id,b\n1,n.l,artifact,0,id,vm-1\n1,n.l,artifact,0,end\n"
	for name, tt := range map[string]struct{ stream, source, want string }{
		"whole":       {stream: whole},
		"named block": {stream: strings.ReplaceAll(whole, "n.l", "block.n.l"), source: "n.l"},
		"other build": {stream: whole, source: "n.x", want: "packer reported no artifact of n.x"},
		"suffix only": {stream: whole, source: ".l", want: "no artifact of"},
		"nothing":     {want: "packer reported no artifact"},
		"no end": {
			stream: strings.ReplaceAll(whole, "end", "fin"),
			want:   "announced 1 artifacts of n.l and finished reporting 0",
		},
		"no count":        {stream: strings.ReplaceAll(whole, "artifact-count,1", "x,1"), want: "announced 0 artifacts"},
		"one of two":      {stream: strings.ReplaceAll(whole, "count,1", "count,2"), want: "announced 2 artifacts"},
		"count twice":     {stream: whole + "1,n.l,artifact-count,1\n", want: "makes no sense"},
		"count of zero":   {stream: "1,n.l,artifact-count,0\n", want: "no artifact"},
		"count negative":  {stream: strings.ReplaceAll(whole, "count,1", "count,-1"), want: "makes no sense"},
		"count of a word": {stream: strings.ReplaceAll(whole, "count,1", "count,one"), want: "makes no sense"},
		"count too high":  {stream: strings.ReplaceAll(whole, "count,1", "count,100000"), want: "makes no sense"},
		"after the end":   {stream: whole + "1,n.l,artifact,0,id,other\n", want: "makes no sense"},
		"index too high":  {stream: whole + "1,n.l,artifact,99999999,id,x\n", want: "makes no sense"},
		"nil artifact": {
			stream: "1,n.l,artifact-count,1\n1,n.l,artifact,0,nil\n1,n.l,artifact,0,end\n",
			want:   "no artifact",
		},
		"second build": {stream: whole + strings.ReplaceAll(whole, "n.l", "n.m"), source: "n.l"},
		"cut record":   {stream: strings.ReplaceAll(whole, "vm-1", strings.Repeat("x", output.MaxRecord)), source: "n.l"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCollector(Job{}, time.Now())
			for _, rec := range records(t, strings.NewReader(tt.stream)) {
				c.record(rec, time.Now())
			}
			got, err := c.builds.complete(tt.source)
			switch {
			case tt.want == "" && (err != nil || len(got) == 0):
				t.Errorf("artifacts %+v, error %v", got, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("error %v: want %q", err, tt.want)
			}
		})
	}
}

func TestBoundAndLines(t *testing.T) {
	t.Parallel()
	long := output.Bound(strings.Repeat("ä", output.MaxLine))
	if len(long) > output.MaxLine || !utf8.ValidString(long) || !strings.HasSuffix(long, "…") {
		t.Errorf("bound gave %d bytes", len(long))
	}
	for in, want := range map[string][]string{
		"":                   {""},
		"a":                  {"a"},
		"\na\r\nb\rc\n\nd\n": {"a", "b", "c", "d"},
	} {
		if diff := cmp.Diff(want, output.Lines(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}

func FuzzStream(f *testing.F) {
	names, err := filepath.Glob("testdata/streams/*.txt")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Fuzz(func(t *testing.T, stream string) {
		job := Job{Dir: t.TempDir(), Manifest: "/nonexistent"}
		c := newCollector(job, time.Now())
		for _, rec := range records(t, strings.NewReader(stream)) {
			for _, it := range c.record(rec, time.Now()) {
				if it.line != text.Sanitize(it.line) || strings.Contains(it.line, "\n") {
					t.Errorf("a line for the log holds a control character: %q", it.line)
				}
			}
		}
		for _, end := range []child.Ending{{}, {Code: 1}, {Code: -1, Signal: "killed"}, {Cancelled: true, Code: 1}} {
			out := Outcome{}
			buildResult(Tool{}, job, end, c, &out)
			if out.Status == hybridcore.Built {
				t.Errorf("built without a manifest")
			}
			conclude(job, end, c, &out, time.Now())
			if len(out.Failure.Tail) > output.MaxTail || len(out.Failure.Message) > output.MaxLine {
				t.Errorf("failure %+v", out.Failure)
			}
		}
	})
}
