// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:15:09Z
// Spec: openspec/specs/drift/spec.md#requirement-an-answer-that-was-looked-at
// Diagram: openspec/specs/drift/diagram.md#one-look

package runner

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/goldentest"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/sources/git/gittest"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// look asks for drift, and returns its answer with the rules of the findings.
func (s *sandbox) look(t *testing.T, live bool) (hybridcore.Answer, string) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	r := &Runner{Project: s.Project, Folders: s.folders}
	answer, err := r.Do(t.Context(), hybridcore.Request{
		Action: hybridcore.ActionDrift, Env: "lab", Listing: hybridcore.Listing{Look: live},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, f := range answer.All() {
		rules = append(rules, f.Rule)
	}
	return answer, strings.Join(rules, " ")
}

// builtSandbox is a project of which everything is built.
func builtSandbox(t *testing.T) *sandbox {
	t.Helper()
	s := newSandbox(t)
	r := &Runner{Project: s.Project, Folders: s.folders}
	answer, err := r.Do(t.Context(), hybridcore.Request{
		ID: hybridcore.NewRunID(time.Now()), Action: hybridcore.ActionBuild, Env: "lab",
	}, nil)
	if err != nil || answer.Record.Status != hybridcore.Built {
		t.Fatal(answer, err)
	}
	return s
}

// part is how far a part was looked at.
func part(answer hybridcore.Answer, of hybridcore.DriftPart) hybridcore.DriftLook {
	for _, look := range answer.Drift.Looks {
		if look.Part == of {
			return look
		}
	}
	return hybridcore.DriftLook{Why: "it is not there"}
}

// TestDrift looks at a project that is as it was built, changes it, and takes what was built away.
func TestDrift(t *testing.T) {
	s := builtSandbox(t)
	day := time.Date(2999, 1, 1, 8, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return day }
	answer, rules := s.look(t, false)
	built := part(answer, hybridcore.DriftLocal).Looked
	if rules != "" || built == 0 || answer.ExitCode() != hybridcore.ExitOK ||
		part(answer, hybridcore.DriftRecords).Looked == 0 || part(answer, hybridcore.DriftLive).Why == "" {
		t.Fatalf("%q, exit code %d, %+v", rules, answer.ExitCode(), answer.Drift)
	}
	if answer, rules = s.look(t, true); rules != "" || part(answer, hybridcore.DriftLive).Looked != built {
		t.Errorf("live: %q, %+v", rules, answer.Drift)
	}

	file := filepath.Join(s.dir, "templates", "common.pkr.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gittest.Put(t, file, string(text)+"\n# changed\n")
	answer, rules = s.look(t, false)
	if rules != "drift-input" || answer.ExitCode() != hybridcore.ExitOK {
		t.Fatalf("a changed file: %q, exit code %d", rules, answer.ExitCode())
	}
	if found := answer.Drift.Findings[0]; found.Finding.File != "templates/common.pkr.hcl" ||
		strings.Count(found.Finding.Message, "@") != min(built, 5) || !found.Since.Equal(day) {
		t.Errorf("%+v", found)
	}
	day = day.AddDate(0, 0, 2)
	if answer, _ = s.look(t, false); !answer.Drift.Findings[0].Since.Equal(day.AddDate(0, 0, -2)) {
		t.Errorf("%+v", answer.Drift)
	}
	gittest.Put(t, file, string(text))
	if _, rules = s.look(t, false); rules != "" {
		t.Errorf("after the repair: %q", rules)
	}

	client := platform{}
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { return client, nil }
	client.lacks = []string{"debian"}
	answer, rules = s.look(t, true)
	if !strings.HasPrefix(rules, "drift-gone") || answer.ExitCode() != hybridcore.ExitBlocked ||
		!strings.HasPrefix(answer.Drift.Findings[0].Finding.Subject, "lab/") {
		t.Errorf("gone: %q, exit code %d, %+v", rules, answer.ExitCode(), answer.Drift)
	}
	client = platform{err: errors.New("403 Forbidden")}
	answer, rules = s.look(t, true)
	if strings.Contains(rules, "gone") || !strings.HasPrefix(rules, "drift-not-looked") ||
		answer.ExitCode() != hybridcore.ExitFailed || part(answer, hybridcore.DriftLive).NotLooked != built {
		t.Errorf("refused: %q, exit code %d, %+v", rules, answer.ExitCode(), answer.Drift)
	}
}

// TestDriftOfABrokenPlan gives a built image a value of a wrong type: nobody can say what it would be made of.
func TestDriftOfABrokenPlan(t *testing.T) {
	s := builtSandbox(t)
	answer, _ := s.look(t, false)
	built := part(answer, hybridcore.DriftLocal).Looked
	file := filepath.Join(s.dir, "configs", "lab", "debian-12.pkrvars.hcl")
	for _, c := range []struct{ name, text string }{{"a wrong type", "cpus = [\"x\"]\n"}, {"no HCL", "cpus = \n"}} {
		gittest.Put(t, file, c.text)
		answer, rules := s.look(t, false)
		look := part(answer, hybridcore.DriftLocal)
		if !strings.HasPrefix(rules, "drift-not-looked") || answer.ExitCode() != hybridcore.ExitFailed ||
			look.NotLooked == 0 || look.Looked == 0 || look.Looked+look.NotLooked != built {
			t.Errorf("%s: %q, exit code %d, %d built: %+v", c.name, rules, answer.ExitCode(), built, answer.Drift)
		}
		for _, f := range answer.All() {
			if f.Rule == hybridcore.RuleNotLooked && (!strings.HasPrefix(f.Subject, "lab/debian-12@") ||
				f.File != "configs/lab/debian-12.pkrvars.hcl" || f.Line != 1) {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
	}
}

// TestDriftSince has a platform refuse once, and looks at all objects once: what they found stays known.
func TestDriftSince(t *testing.T) {
	s := builtSandbox(t)
	day := time.Date(2999, 1, 1, 8, 0, 0, 0, time.UTC)
	s.Now = func() time.Time { return day }
	client := platform{memory: "512 MiB"}
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { return client, nil }
	gittest.Put(t, filepath.Join(s.dir, "state", "runs", "20200101t000000-00000000.json"), "{")
	at := func(deep bool) (edited, damaged string) {
		t.Helper()
		r := &Runner{Project: s.Project, Folders: s.folders}
		answer, err := r.Do(t.Context(), hybridcore.Request{
			Action: hybridcore.ActionDrift, Env: "lab", Listing: hybridcore.Listing{Look: true, Deep: deep},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range answer.Drift.Findings {
			switch d.Finding.Rule {
			case "drift-edited":
				edited = d.Since.Format(time.DateOnly)
			case "drift-record":
				damaged = d.Since.Format(time.DateOnly)
			}
		}
		day = day.AddDate(0, 0, 1)
		return edited, damaged
	}
	for i, c := range []struct {
		refuses, deep   bool
		edited, damaged string
	}{
		{false, true, "2999-01-01", "2999-01-01"},
		{true, false, "", ""},
		{false, true, "2999-01-01", "2999-01-01"},
	} {
		if client.err = nil; c.refuses {
			client.err = errors.New("403 Forbidden")
		}
		if edited, damaged := at(c.deep); edited != c.edited || damaged != c.damaged {
			t.Errorf("look %d: edited since %q, damaged since %q", i, edited, damaged)
		}
	}
}

// TestDriftRecords edits the record of a current image, and removes its inventory.
func TestDriftRecords(t *testing.T) {
	s := builtSandbox(t)
	found, err := filepath.Glob(filepath.Join(s.dir, "state", "runs", "*.json"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	text, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, deep := range []bool{false, true} {
		gittest.Put(t, found[0], strings.Replace(string(text), "debian-12", "debian-13", 1))
		r := &Runner{Project: s.Project, Folders: s.folders}
		req := hybridcore.Request{Action: hybridcore.ActionDrift, Env: "lab", Listing: hybridcore.Listing{Deep: deep}}
		answer, err := r.Do(t.Context(), req, nil)
		if err != nil || answer.ExitCode() != hybridcore.ExitBlocked ||
			answer.Drift.Findings[0].Finding.Rule != "drift-record" ||
			answer.Drift.Findings[0].Part != hybridcore.DriftRecords {
			t.Errorf("deep %v: %+v, %v", deep, answer.Drift, err)
		}
		gittest.Put(t, found[0], resealed(string(text), "debian-12@", "debian-13@"))
		if answer, err = r.Do(t.Context(), req, nil); err != nil || len(answer.Drift.Findings) == 0 ||
			!strings.Contains(answer.Drift.Findings[0].Finding.Message, "and the snapshot does") {
			t.Errorf("deep %v, another record: %+v, %v", deep, answer.Drift, err)
		}
		gittest.Put(t, found[0], string(text))
		if answer, err = r.Do(t.Context(), req, nil); err != nil || answer.ExitCode() != hybridcore.ExitOK {
			t.Errorf("deep %v, put back: %+v, %v", deep, answer.Drift, err)
		}
	}
	if err := os.Remove(found[0]); err != nil {
		t.Fatal(err)
	}
	if answer, rules := s.look(t, false); answer.ExitCode() != hybridcore.ExitBlocked || rules != "drift-record" {
		t.Errorf("removed: %q, %+v", rules, answer.Drift)
	}
}

// resealed is a record of which somebody changed the text and the checksum.
func resealed(line, old, by string) string {
	head, body, _ := strings.Cut(strings.TrimSuffix(line, "}\n"), `"record":`)
	sum := sha256.Sum256([]byte(body))
	body = strings.ReplaceAll(body, old, by)
	return strings.Replace(head, hex.EncodeToString(sum[:]), fmt.Sprintf("%x", sha256.Sum256([]byte(body))), 1) +
		`"record":` + body + "}\n"
}

// TestBuildRefusesDrift has somebody change what was built, and accepts that by a reviewed waiver.
func TestBuildRefusesDrift(t *testing.T) {
	s := builtSandbox(t)
	u := &gittest.Upstream{TB: t, Dir: s.dir}
	u.Git("init", "-q", "-b", "main", "--template=")
	u.Commit("first")
	client := platform{memory: "512 MiB"}
	s.Connect = func(context.Context, hybridcore.Target) (project.Client, error) { return client, nil }
	answer, rules := s.look(t, true)
	if !strings.HasPrefix(rules, "drift-edited") || answer.ExitCode() != hybridcore.ExitBlocked {
		t.Fatalf("%q, exit code %d", rules, answer.ExitCode())
	}
	build := func() (hybridcore.Answer, error) {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		r := &Runner{Project: s.Project, Folders: s.folders}
		return r.Do(t.Context(), hybridcore.Request{
			ID: hybridcore.NewRunID(time.Now()), Action: hybridcore.ActionBuild, Env: "lab",
		}, nil)
	}
	refused, err := build()
	if hybridcore.ExitCode(err) != hybridcore.ExitBlocked || refused.Record != nil {
		t.Errorf("not refused: %+v, %v", refused.Record, err)
	}
	gittest.Put(t, filepath.Join(s.dir, "waivers.hcl"), filled(answer.All()))
	if _, err = build(); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("a waiver that nobody has reviewed: %v", err)
	}
	u.Commit("waivers")
	accepted, err := build()
	if err != nil || accepted.ExitCode() != hybridcore.ExitOK || len(accepted.Record.Waived) == 0 ||
		accepted.Record.Waived[0].Rule != "drift-edited" || accepted.Record.Waived[0].Owner != "said" {
		t.Errorf("waived: %+v, %v", accepted.Record, err)
	}
	if answer, rules = s.look(t, true); strings.Contains(rules, "drift") || answer.ExitCode() != hybridcore.ExitOK {
		t.Errorf("waived: %q, exit code %d", rules, answer.ExitCode())
	}
	client.memory = "64 MiB"
	if _, err = build(); hybridcore.ExitCode(err) != hybridcore.ExitBlocked {
		t.Errorf("another edit: %v", err)
	}
	answer, rules = s.look(t, true)
	hint := answer.All()[0].Hint
	if !strings.HasPrefix(rules, "drift-edited") || !strings.Contains(rules, "waiver-stale") ||
		answer.ExitCode() != hybridcore.ExitBlocked || !strings.Contains(hint, `accepts something else, "memory: 512 MiB"`) {
		t.Errorf("another edit: %q, exit code %d, %q", rules, answer.ExitCode(), hint)
	}
	client.memory = ""
	if _, rules = s.look(t, true); !strings.HasPrefix(rules, "waiver-stale") {
		t.Errorf("after the repair: %q", rules)
	}
}

// TestDriftOfBrokenWaivers cannot read what would be accepted.
func TestDriftOfBrokenWaivers(t *testing.T) {
	s := builtSandbox(t)
	gittest.Put(t, filepath.Join(s.dir, "waivers.hcl"), "waiver \"drift\" {\n  nonsense = 1\n}\n\nx = 1\n")
	answer, rules := s.look(t, true)
	if strings.Count(rules, "waiver-setting") != strings.Count(rules, " ")+1 ||
		answer.ExitCode() != hybridcore.ExitBlocked || len(hybridcore.Distinct(answer.All())) != len(answer.All()) {
		t.Errorf("%q, exit code %d: %v", rules, answer.ExitCode(), answer.All())
	}
}

// TestDriftUpstream asks a repository that nobody serves.
func TestDriftUpstream(t *testing.T) {
	s := newSandbox(t)
	gittest.Put(t, filepath.Join(s.dir, "sources", "sources.lock.hcl"), `hosts = ["127.0.0.1:1"]

source "tagged" {
  url    = "https://127.0.0.1:1/x"
  tag    = "v1"
  commit = "`+strings.Repeat("a1", 20)+`"
}

source "untagged" {
  url    = "https://127.0.0.1:1/y"
  commit = "`+strings.Repeat("a1", 20)+`"
}
`)
	r := &Runner{Project: s.Project, Folders: s.folders}
	answer, err := r.Do(t.Context(), hybridcore.Request{
		Action: hybridcore.ActionDrift, Env: "lab", Listing: hybridcore.Listing{Upstream: true},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	look := part(answer, hybridcore.DriftUpstream)
	if look.Looked != 0 || look.NotLooked != 1 || look.Why != "" || answer.ExitCode() != hybridcore.ExitFailed ||
		!strings.Contains(answer.Drift.Findings[0].Finding.Message, "sources/tagged was not looked at, because") {
		t.Errorf("exit code %d: %+v", answer.ExitCode(), answer.Drift)
	}
}

// TestDriftPublished has publishers say other things than the project has, then the same, then nothing.
func TestDriftPublished(t *testing.T) {
	pinned := strings.Repeat("a", 64)
	said := map[string]string{}
	publisher := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet || r.Header.Get("Authorization")+r.Header.Get("Cookie") != "" {
			t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
		}
		if said[r.URL.Path] == "" {
			http.NotFound(w, r)
			return
		}
		_, _ = io.WriteString(w, said[r.URL.Path])
	}))
	defer publisher.Close()
	base := t.TempDir()
	repository := gittest.New(t, base, "x")
	forge := gittest.Serve(t, base)
	s := newSandbox(t)
	s.Environ = append(s.Environ, gittest.Trust(t, forge))
	common := filepath.Join(s.dir, "templates", "common.pkr.hcl")
	text, err := os.ReadFile(common)
	if err != nil {
		t.Fatal(err)
	}
	gittest.Put(t, common, string(text)+`
variable "iso_file" {
  type    = string
  default = "debian-12.12.0-amd64-netinst.iso"
}

variable "iso_checksum" {
  type    = string
  default = "sha256:`+pinned+`"
}
`)
	gittest.Put(t, filepath.Join(s.dir, "sources", "sources.lock.hcl"), `hosts = ["`+strings.TrimPrefix(forge.URL, "https://")+`"]

source "x" {
  url    = "`+forge.URL+`/x.git"
  tag    = "v1"
  commit = "`+repository.Head()+`"
}

plugin "github.com/example/x" {
  version = "1.0.0"
}
`)
	gittest.Put(t, filepath.Join(s.dir, "sources", "upstream.hcl"), `
medium "debian-12" {
  family    = "debian"
  version   = "12"
  checksums = "`+publisher.URL+`/SHA256SUMS"
}

release "packer" {
  index = "`+publisher.URL+`/packer/index.json"
}

release "github.com/example/x" {
  tags = "`+forge.URL+`/x.git"
}
`)
	repository.Git("tag", "v1.0.0")
	look := func() (hybridcore.Answer, string) {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		r := &Runner{Project: s.Project, Folders: s.folders}
		answer, err := r.Do(t.Context(), hybridcore.Request{
			Action: hybridcore.ActionDrift, Env: "lab", Listing: hybridcore.Listing{Upstream: true},
		}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		for _, d := range answer.Drift.Findings {
			if d.Part == hybridcore.DriftUpstream {
				rules = append(rules, string(d.Finding.Severity)+" "+d.Finding.Rule+" "+d.Finding.Subject)
			}
		}
		slices.Sort(rules)
		return answer, strings.Join(rules, "\n")
	}
	const name = "debian-12.12.0-amd64-netinst.iso"
	// Nobody is asked about Debian 13: no block is for it.
	const note = "info drift-not-looked " + name
	said["/SHA256SUMS"] = pinned + "  " + name + "\n"
	said["/packer/index.json"] = `{"name":"packer","versions":{"1.0.0":{}}}`
	answer, rules := look()
	if seen := part(answer, hybridcore.DriftUpstream); rules != note || answer.ExitCode() != hybridcore.ExitOK ||
		seen.Looked != 4 || seen.NotLooked != 0 {
		t.Errorf("as it is pinned: exit code %d, %+v\n%s", answer.ExitCode(), seen, rules)
	}

	asked := time.Now().UTC().Truncate(time.Second)
	s.Now, s.Tools.Answers = func() time.Time { return asked }, t.TempDir()
	look()
	said["/SHA256SUMS"], said["/packer/index.json"] = "", ""
	s.Now = func() time.Time { return asked.Add(time.Minute) }
	answer, rules = look()
	if seen := part(answer, hybridcore.DriftUpstream); rules != note || seen.NotLooked != 0 || !seen.Oldest.Equal(asked) {
		t.Errorf("answers of a minute ago: %+v\n%s", seen, rules)
	}
	s.Tools.Answers = ""

	said["/packer/index.json"] = `{"name":"packer","versions":{"1.0.0":{},"99.0.0":{},"100.0.0-beta1":{}}}`
	said["/SHA256SUMS"] = pinned + "  debian-12.13.0-amd64-netinst.iso\n"
	repository.Git("tag", "v1.2.0")
	answer, rules = look()
	want := "info drift-not-looked " + name + "\ninfo drift-upstream-release github.com/example/x\n" +
		"info drift-upstream-release packer\nwarning drift-upstream-iso " + name
	if rules != want || answer.ExitCode() != hybridcore.ExitOK {
		t.Errorf("newer ones: exit code %d\n%s", answer.ExitCode(), rules)
	}
	repository.Commit("another")
	repository.Git("tag", "-f", "v1")
	said["/SHA256SUMS"] = strings.Repeat("b", 64) + "  " + name + "\n"
	answer, rules = look()
	if !strings.HasPrefix(rules, "error drift-upstream sources/x\nerror drift-upstream-iso "+name+"\n") ||
		answer.ExitCode() != hybridcore.ExitBlocked {
		t.Errorf("other ones: exit code %d\n%s", answer.ExitCode(), rules)
	}

	said["/SHA256SUMS"], said["/packer/index.json"] = "null", "null"
	forge.Close()
	answer, rules = look()
	want = note + "\nwarning drift-not-looked " + name + "\nwarning drift-not-looked github.com/example/x\n" +
		"warning drift-not-looked packer\nwarning drift-not-looked sources/x"
	if seen := part(answer, hybridcore.DriftUpstream); rules != want || answer.ExitCode() != hybridcore.ExitFailed ||
		seen.Looked != 0 || seen.NotLooked != 4 {
		t.Errorf("no answers: exit code %d, %+v\n%s", answer.ExitCode(), seen, rules)
	}
	for _, d := range answer.Drift.Findings {
		if d.Part == hybridcore.DriftUpstream && !strings.Contains(d.Finding.Message, "looked at, because") {
			t.Errorf("%+v", d)
		}
	}
}

// runNames are those of runs, which are new each time.
var runNames = regexp.MustCompile(`[0-9]{8}t[0-9]{6}-[0-9a-f]{8}`)

// TestDriftTold tampers with what was built, with the tree and with the records, and writes down what is said of
// it: the comment is rendered from that.
func TestDriftTold(t *testing.T) {
	s := builtSandbox(t)
	s.Now = func() time.Time { return time.Date(2999, 1, 1, 8, 0, 0, 0, time.UTC) }
	gittest.Put(t, filepath.Join(s.dir, "sources", "sources.lock.hcl"), "hosts = [\"github.com\"]\n")
	gittest.Put(t, filepath.Join(s.dir, "sources", "other", "x"), "x")
	file := filepath.Join(s.dir, "templates", "common.pkr.hcl")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gittest.Put(t, file, string(text)+"\n# changed\n")
	s.Connect = func(_ context.Context, of hybridcore.Target) (project.Client, error) {
		if of.Platform == hybridcore.Azure {
			return nil, errors.New("403 Forbidden")
		}
		return platform{memory: "512 MiB"}, nil
	}
	if err := s.State.Objects().Delete(t.Context(), "runs/"+s.last(t)+".json"); err != nil {
		t.Fatal(err)
	}
	answer, _ := s.look(t, true)
	told, err := json.MarshalIndent(answer.Drift, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	goldentest.Compare(t, "../../checks/report/testdata/drift.json",
		runNames.ReplaceAllString(string(told), "20261122t224501-1a2b3c4d")+"\n")
}

// last is the last run of which there is a record.
func (s *sandbox) last(t *testing.T) string {
	t.Helper()
	runs, err := s.State.Records(t.Context())
	if err != nil || len(runs) == 0 {
		t.Fatal(runs, err)
	}
	return runs[len(runs)-1]
}
