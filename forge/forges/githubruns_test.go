// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:46:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

package forges_test

import (
	"archive/zip"
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	gh "github.com/packer-hybrid/packer-hybrid/forge/github"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

const (
	token   = "ghs_of_a_test"
	request = "20261123t050000-1a2b3c4d"
)

var (
	commit = strings.Repeat("c0ffee00", 5)
	order  = cirun.Order{
		Request: request, Line: "build debian-12 --env lab", Ref: "main", Commit: commit,
		Ticket: []byte(`{"request":"x"}`),
	}
)

func hub(t *testing.T, rules string, change func(*github.Config)) *github.Server {
	t.Helper()
	config := github.Config{Repository: "o/r", Token: token, Login: "bot[bot]", Commits: []string{commit}, Branch: "main"}
	if change != nil {
		change(&config)
	}
	s := labtest.GitHub(t, config)
	if err := s.Faults().Load(rules); err != nil {
		t.Fatal(err)
	}
	return s
}

func onGitHub(t *testing.T, s *github.Server, change func(*gh.RunsConfig)) *gh.Runs {
	t.Helper()
	config := gh.RunsConfig{API: s.URL(), Repository: "o/r", Token: token, Timeout: 2 * time.Second}
	if change != nil {
		change(&config)
	}
	g, err := gh.NewRuns(config)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGitHubRun(t *testing.T) {
	t.Parallel()
	s := hub(t, "", nil)
	g, ctx := onGitHub(t, s, nil), t.Context()
	if head, err := g.Head(ctx, "main"); err != nil || head != commit {
		t.Fatal(head, err)
	}
	if _, found, err := g.Find(ctx, order); found || err != nil {
		t.Fatal(found, err)
	}
	run, err := g.Dispatch(ctx, order)
	if err != nil || run.ID == "" || !strings.HasPrefix(run.URL, "https://") {
		t.Fatal(run, err)
	}
	if found, ok, err := g.Find(ctx, order); err != nil || !ok || found.ID != run.ID {
		t.Fatal(found, ok, err)
	}
	inputs := fmt.Sprint(s.Dispatches()[0]["inputs"])
	for _, want := range []string{order.Line, commit, request, `{"request":"x"}`} {
		if !strings.Contains(inputs, want) {
			t.Errorf("the inputs are %s, without %s", inputs, want)
		}
	}
	id, _ := s.Runs()[0]["id"].(float64)
	s.SetRun(int64(id), "in_progress", "")
	s.SetJobs(int64(id), github.Object{"name": "Build", "status": "in_progress", "steps": []any{
		github.Object{"name": "Check out", "status": "completed", "conclusion": "success", "number": 1},
		github.Object{"name": "Images", "status": "in_progress", "conclusion": nil, "number": 2},
	}})
	if p, err := g.Status(ctx, order, run); err != nil || p.Done || len(p.Targets) != 1 || p.Targets[0].Step != "Images" ||
		p.Targets[0].Status != "running" {
		t.Fatalf("%+v %v", p, err)
	}
	check(t, s, fmt.Sprintf("https://github.example/o/r/actions/runs/%d", int64(id)), "Creating VM")
	check(t, s, "https://github.example/o/r/actions/runs/1", "of another run")
	asked := askedFor(s, "/jobs")
	p, err := g.Status(ctx, order, run)
	if err != nil || len(p.Targets) != 1 || p.Targets[0].Name != "debian-12@vsphere" ||
		p.Targets[0].Step != "Creating VM" || askedFor(s, "/jobs") != asked {
		t.Fatalf("%+v %v; jobs were asked for %d times before and %d after", p, err, asked, askedFor(s, "/jobs"))
	}
	s.AddArtifact(int64(id), "other", []byte("no zip"))
	s.AddArtifact(int64(id), "images", archive(t, hybridcore.Built))
	s.SetRun(int64(id), "completed", "success")
	p, err = g.Status(ctx, order, run)
	if err != nil || !p.Done || p.Outcome.Status != hybridcore.Built || p.Targets[0].Artifact != "debian-12-1" ||
		p.Targets[0].Parity != "identical" {
		t.Fatalf("%+v %v", p, err)
	}
	if err := g.Cancel(ctx, run); err != nil {
		t.Errorf("cancelling what has ended: %v", err)
	}
	if _, err := g.Status(ctx, order, cirun.Run{ID: "99"}); !blocked(err) {
		t.Errorf("a run that is not there: %v", err)
	}
}

// askedFor counts the requests whose path ends like this.
func askedFor(s *github.Server, end string) int {
	n := 0
	for _, call := range s.Calls() {
		if strings.HasSuffix(call.Path, end) {
			n++
		}
	}
	return n
}

// check creates the check-run of a target.
func check(t *testing.T, s *github.Server, details, title string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"name": "packer-hybrid build lab/debian-12@vsphere", "head_sha": commit, "status": "in_progress",
		"details_url": details, "output": map[string]any{"title": title, "summary": "s"},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"repos/o/r/check-runs",
		bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if text, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusCreated {
		t.Fatalf("%s: %s", answer.Status, text)
	}
}

// archive is a zip file with a record.
func archive(t *testing.T, status hybridcore.Status) []byte {
	t.Helper()
	res := hybridcore.Result{
		Target: "debian-12@vsphere", Image: "debian-12", Platform: hybridcore.VSphere, Status: status,
		Duration: time.Minute,
	}
	if status == hybridcore.Built {
		res.Artifact = &hybridcore.Artifact{ID: "debian-12-1"}
	} else {
		res.Failure = &hybridcore.Failure{
			Step: "Provisioning", Message: "no route to host",
			Tail: []string{"ssh: connect", "no route to host"},
		}
	}
	rec := hybridcore.Record{
		RunID: request, Status: status, Results: []hybridcore.Result{res},
		Parity: []hybridcore.Parity{{
			Image: "debian-12", Manifests: []hybridcore.Manifest{
				{Platform: hybridcore.VSphere, SHA256: "a"},
				{Platform: hybridcore.Azure, SHA256: "a"},
			},
		}},
	}
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create("artifacts/answer.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(json.NewEncoder(f).Encode(map[string]any{"format_version": 1, "record": rec}),
		w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGitHubFailure(t *testing.T) {
	t.Parallel()
	s := hub(t, "", nil)
	g := onGitHub(t, s, nil)
	run, err := g.Dispatch(t.Context(), order)
	if err != nil {
		t.Fatal(err)
	}
	id, _ := s.Runs()[0]["id"].(float64)
	s.SetRun(int64(id), "completed", "failure")
	s.SetJobs(int64(id), github.Object{"name": "Build", "status": "completed", "conclusion": "failure", "steps": []any{
		github.Object{"name": "Images", "status": "completed", "conclusion": "failure", "number": 1},
	}})
	if p, err := g.Status(t.Context(), order, run); err != nil || p.Outcome.Status != hybridcore.Failed ||
		!strings.Contains(p.Outcome.Why, `the step "Images" failed`) {
		t.Errorf("without a record: %+v %v", p, err)
	}
	s.AddArtifact(int64(id), "images", archive(t, hybridcore.Failed))
	p, err := g.Status(t.Context(), order, run)
	if err != nil || p.Outcome.Why != "debian-12@vsphere: no route to host" || len(p.Outcome.Tail) != 2 ||
		p.Targets[0].Step != "Provisioning" {
		t.Errorf("%+v %v", p, err)
	}
}

func blocked(err error) bool {
	_, ok := errors.AsType[*hybridcore.BlockedError](err)
	return ok
}

func TestGitHubRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		rules string
		later time.Duration // 0: it is not known what happened
		stays bool
		runs  int
	}{
		"502":                  {"POST /** status=502", 0, false, 0},
		"502, and it was done": {"POST /** status=502 after", 0, false, 1},
		"hangs":                {"POST /** delay=1m", 0, false, 0},
		"dropped":              {"POST /** drop after", 0, false, 1},
		"secondary limit":      {`POST /** status=403 header="Retry-After: 30"`, 30 * time.Second, false, 0},
		"no time":              {"POST /** status=429", time.Minute, false, 0},
		"bad credentials":      {`POST /** status=401 reason="Bad credentials"`, time.Minute, false, 0},
		"no such workflow":     {`POST /** status=404 reason="Not Found"`, 0, true, 0},
		"no permission":        {`POST /** status=403 reason="Resource not accessible by integration"`, 0, true, 0},
		"unknown input":        {`POST /** status=422 reason="Unexpected inputs provided"`, 0, true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := hub(t, c.rules, nil)
			g := onGitHub(t, s, func(c *gh.RunsConfig) { c.Timeout = 300 * time.Millisecond })
			_, err := g.Dispatch(t.Context(), order)
			later, ok := errors.AsType[*cirun.LaterError](err)
			if err == nil || ok != (c.later > 0) || ok && later.After != c.later || blocked(err) != c.stays {
				t.Errorf("%#v", err)
			}
			if got := len(s.Runs()); got != c.runs {
				t.Errorf("%d runs, want %d", got, c.runs)
			}
			if strings.Contains(fmt.Sprint(err), token) {
				t.Errorf("the error shows the token: %v", err)
			}
		})
	}
}

func TestGitHubApp(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := hub(t, "", func(c *github.Config) { c.App = &github.App{ID: 7, Key: &key.PublicKey} })
	with := func(k *rsa.PrivateKey) *gh.Runs {
		text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
		return onGitHub(t, s, func(c *gh.RunsConfig) { c.Token, c.App, c.Install, c.Key = "", 7, 9, text })
	}
	g := with(key)
	for range 2 {
		if head, err := g.Head(t.Context(), "main"); err != nil || head != commit {
			t.Fatal(head, err)
		}
	}
	if tokens := askedFor(s, "/access_tokens"); tokens != 1 {
		t.Errorf("%d tokens were asked for, want one for both requests", tokens)
	}
	if _, err := with(other).Head(t.Context(), "main"); err == nil {
		t.Error("another key got a token")
	} else if _, ok := errors.AsType[*cirun.LaterError](err); !ok {
		t.Errorf("a refused app is %#v", err)
	}
}

func TestGitHubConfig(t *testing.T) {
	t.Parallel()
	for _, c := range []gh.RunsConfig{
		{Repository: "o/r"},
		{Repository: "o", Token: "t"},
		{Repository: "o/r", Token: "t", API: "ftp://x"},
		{Repository: "o/r", App: 1, Key: []byte("no key")},
	} {
		if _, err := gh.NewRuns(c); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}
