// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:12:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package forges_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	gh "github.com/packer-hybrid/packer-hybrid/forge/github"
	gl "github.com/packer-hybrid/packer-hybrid/forge/gitlab"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// plain answers of one CI system: method and path, as a pattern of net/http. A path
// is redirected to.
var (
	plainGitHub = [][2]string{
		{"GET /repos/o/r", `{"default_branch":"main"}`},
		{"GET /repos/o/r/git/ref/heads/main", `{"ref":"refs/heads/main","object":{"sha":"c0ffee00"}}`},
		{"GET /repos/o/r/actions/workflows/images.yml/runs", `{"workflow_runs":[{"id":1,"display_title":"x"}]}`},
		{"POST /repos/o/r/actions/workflows/images.yml/dispatches", `{"workflow_run_id":1}`},
		{"GET /repos/o/r/actions/workflows/images.yml", `{"state":"active"}`},
		{
			"GET /repos/o/r/contents/.github/workflows/images.yml",
			`{"type":"file","encoding":"base64","content":"b246IHdvcmtmbG93X2Rpc3BhdGNoCg=="}`,
		},
		{"GET /repos/o/r/actions/runs/1", `{"id":1,"status":"completed","conclusion":"failure"}`},
		{"POST /repos/o/r/actions/runs/1/cancel", `{}`},
		{"GET /repos/o/r/commits/{sha}/check-runs", `{"check_runs":[]}`},
		{"GET /repos/o/r/actions/runs/1/jobs", `{"jobs":[{"name":"x","steps":[{"name":"y","conclusion":"failure"}]}]}`},
		{"GET /repos/o/r/actions/runs/1/artifacts", `{"artifacts":[{"id":1,"name":"images"}]}`},
		{"GET /repos/o/r/actions/artifacts/1/zip", `/files/1`},
		{"GET /files/1", `{}`},
	}
	plainGitLab = [][2]string{
		{"GET /api/v4/projects/o%2Fr/repository/branches/main", `{"name":"main","commit":{"id":"c0ffee00"}}`},
		{"GET /api/v4/projects/o%2Fr/pipelines", `[{"id":1,"source":"api"}]`},
		{"GET /api/v4/projects/o%2Fr/pipelines/1/variables", `[{"key":"x","value":"y"}]`},
		{"POST /api/v4/projects/o%2Fr/pipeline", `{"id":1}`},
		{"POST /api/v4/projects/o%2Fr/pipelines/1/cancel", `{"id":1}`},
		{"GET /api/v4/projects/o%2Fr/pipelines/1", `{"id":1,"status":"failed"}`},
		{"GET /api/v4/projects/o%2Fr/pipelines/1/jobs", `[{"id":2,"name":"x","status":"failed"}]`},
		{"GET /api/v4/projects/o%2Fr/repository/commits/{sha}/statuses", `[{"name":"x"}]`},
		{"GET /api/v4/projects/o%2Fr/jobs/2/artifacts/artifacts/answer.json", `{"record":{"run_id":"x"}}`},
		{"GET /api/v4/personal_access_tokens/self", `{"scopes":["api"]}`},
		{"GET /api/v4/projects/o%2Fr", `{"id":1}`},
		{"GET /api/v4/projects/o%2Fr/ci/lint", `{"valid":true,"merged_yaml":"PACKER_HYBRID_COMMAND"}`},
	}
)

// strange is a server that gives one answer of its own to requests of the kind
// at, and plain ones to the others.
func strange(t *testing.T, plain [][2]string, at, status int, body []byte) (address string, given *atomic.Int64) {
	t.Helper()
	var server *httptest.Server
	given = &atomic.Int64{}
	mux := http.NewServeMux()
	for i, one := range plain {
		mux.HandleFunc(one[0], func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(one[1], "/") && i != at {
				http.Redirect(w, r, server.URL+one[1], http.StatusFound)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			if i == at {
				given.Add(1)
				w.WriteHeader(status)
				_, _ = w.Write(body)
				return
			}
			fmt.Fprint(w, one[1])
		})
	}
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, given
}

// system is what both CI systems are asked for.
type system interface {
	cirun.Dispatcher
	cirun.Follower
	jobSide
}

// jobSide is what jobs and the check before all ask of them.
type jobSide interface {
	Older(ctx context.Context, request, run string) (string, error)
	Check(ctx context.Context, ref string) []string
}

// everything asks a CI system for everything, and returns what went wrong.
func everything(ctx context.Context, s system) string {
	var said []string
	add := func(what string, err error) {
		if err != nil {
			said = append(said, what+": "+err.Error())
		}
	}
	_, err := s.Head(ctx, "main")
	add("head", err)
	_, _, err = s.Find(ctx, order)
	add("find", err)
	_, err = s.Older(ctx, request, "7")
	add("older", err)
	_, err = s.Dispatch(ctx, order)
	add("dispatch", err)
	_, err = s.Status(ctx, order, cirun.Run{ID: "1"})
	add("status", err)
	add("cancel", s.Cancel(ctx, cirun.Run{ID: "1"}))
	return strings.Join(append(said, s.Check(ctx, "main")...), "\n")
}

// asked has a CI system give one strange answer, and says what came of it and
// how often the answer was given.
func asked(t *testing.T, gitlab bool, at, status int, body []byte) (said string, given int64) {
	t.Helper()
	var s system
	var err error
	plain := plainGitHub
	if gitlab {
		plain = plainGitLab
	}
	api, count := strange(t, plain, at%len(plain), status, body)
	if gitlab {
		s, err = gl.NewRuns(gl.RunsConfig{API: api, Project: "o/r", Token: token, Timeout: 5 * time.Second})
	} else {
		s, err = gh.NewRuns(gh.RunsConfig{
			API: api, Repository: "o/r", Token: token,
			Timeout: 5 * time.Second,
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	said = everything(t.Context(), s)
	if strings.Contains(said, token) {
		t.Error("the token is shown")
	}
	return said, count.Load()
}

// notJSON are kinds of requests whose answers are files or are not read.
var notJSON = []string{"/zip", "/files/1", "/answer.json"}

func TestNullIsNoAnswer(t *testing.T) {
	t.Parallel()
	for gitlab, all := range map[bool][][2]string{false: plainGitHub, true: plainGitLab} {
		for at, plain := range all {
			for _, body := range []string{
				"null", "[null]", "\n null,", `{"workflow_runs":[null],"check_runs":[null],"jobs":[null],"artifacts":[null]}`,
				`{"x":{"y":[null]}}`, `[[{"jobs":[{"steps":[{},null]}]}]]`,
			} {
				t.Run(plain[0]+" "+body, func(t *testing.T) {
					t.Parallel()
					said, given := asked(t, gitlab, at, http.StatusOK, []byte(body))
					if given == 0 {
						t.Error("nobody asked for it")
					}
					file := slices.ContainsFunc(notJSON, func(end string) bool { return strings.HasSuffix(plain[0], end) })
					if !file && !strings.Contains(said, "null") {
						t.Errorf("it says %.300q", said)
					}
				})
			}
		}
	}
}

// TestNoList checks that an object without its list is not taken for one with an
// empty list: a run that was made would be asked for again.
func TestNoList(t *testing.T) {
	t.Parallel()
	for at, plain := range plainGitHub {
		if !strings.Contains(plain[1], "[") {
			continue
		}
		for _, body := range []string{"{}", `{"workflow_runs":null,"check_runs":null,"jobs":null,"artifacts":null}`} {
			if said, given := asked(t, false, at, http.StatusOK, []byte(body)); given == 0 ||
				!strings.Contains(said, "has no list") {
				t.Errorf("%s answered %s was asked for %d times, and it says %.300q", plain[0], body, given, said)
			}
		}
	}
	for _, status := range []int{http.StatusOK, http.StatusNoContent} { // go-github takes nothing for null
		for at, plain := range plainGitHub {
			if said, given := asked(t, false, at, status, nil); given == 0 || strings.HasPrefix(plain[0], "GET") &&
				!slices.ContainsFunc(notJSON, func(end string) bool { return strings.HasSuffix(plain[0], end) }) &&
				!strings.Contains(said, "is empty") {
				t.Errorf("%s answered %d with nothing was asked for %d times, and it says %.300q", plain[0], status, given, said)
			}
		}
	}
}

// TestAnswerToSomethingElse has a run leave the answer to another request.
func TestAnswerToSomethingElse(t *testing.T) {
	t.Parallel()
	at := slices.IndexFunc(plainGitLab, func(one [2]string) bool { return strings.HasSuffix(one[0], "/answer.json") })
	for body, want := range map[string]string{
		`{"record":{"request":{"action":"build","env":"prod"},"status":"built","results":[{"target":"of-prod"}]}}`: "that of build for prod, and build for lab",
		`{"status":{"env":"lab","targets":{"of-lab":{}}}}`:                                                         "that of status for lab, and build for lab",
		`{"record":{"request":{"action":"build","env":"lab"},"status":"built","results":[{"target":"of-lab"}]}}`:   "",
	} {
		api, _ := strange(t, plainGitLab, at, http.StatusOK, []byte(body))
		s, err := gl.NewRuns(gl.RunsConfig{API: api, Project: "o/r", Token: token, Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Status(t.Context(), order, cirun.Run{ID: "1"})
		shown := fmt.Sprintf("%+v", p)
		if err != nil || !strings.Contains(p.Outcome.Why, want) || strings.Contains(shown, "of-prod") || want != "" &&
			(strings.Contains(shown, "of-lab") || p.Outcome.Status != hybridcore.Failed) {
			t.Errorf("%s: %+v, %v", body, p, err)
		}
	}
}

// TestOlderNeedsAList checks that a ticket is not taken for unused when nobody has
// said which runs there are.
func TestOlderNeedsAList(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"{}", `{"workflow_runs":null}`} {
		if said, _ := asked(t, false, 2, http.StatusOK, []byte(body)); !strings.Contains(said,
			"older: asking GitHub for other runs") {
			t.Errorf("%s: %s", body, said)
		}
	}
}

// TestEndlessPages has each list name the page that it gives as the next one. What
// is not found then may be there all the same, and is not made once more.
func TestEndlessPages(t *testing.T) {
	t.Parallel()
	for gitlab, plain := range map[bool][][2]string{false: plainGitHub, true: plainGitLab} {
		mux := http.NewServeMux()
		for _, one := range plain {
			mux.HandleFunc(one[0], func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Link", "<http://"+r.Host+r.URL.Path+`?page=1>; rel="next"`)
				w.Header().Set("X-Next-Page", "1")
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, one[1])
			})
		}
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		var s system
		var err error
		if gitlab {
			s, err = gl.NewRuns(gl.RunsConfig{
				API: server.URL, Project: "o/r", Token: token,
				Timeout: 5 * time.Second,
			})
		} else {
			s, err = gh.NewRuns(gh.RunsConfig{
				API: server.URL, Repository: "o/r", Token: token,
				Timeout: 5 * time.Second,
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, found, err := s.Find(t.Context(), order); err == nil || found || !strings.Contains(err.Error(), "not known") {
			t.Errorf("GitLab %v: %v, %v", gitlab, found, err)
		}
		if older, err := s.Older(t.Context(), request, "7"); err == nil {
			t.Errorf("GitLab %v: %q", gitlab, older)
		}
		_, _ = s.Status(t.Context(), order, cirun.Run{ID: "1"}) // ends
	}
}

// FuzzAnswers has GitHub or GitLab answer anything to one kind of request.
func FuzzAnswers(f *testing.F) {
	for _, body := range []string{
		"null", "[null]", "{}", "[]", "", " ", "\n", "<html>", `{"id":1`, strings.Repeat("[", 100_000),
		`{"jobs":[{"name":"x","steps":[null]}]}`,
		`[{"id":1,"pipeline":{"x":[null]}}]`, `{"check_runs":[{"id":1,"pull_requests":[null]}]}`,
		`"` + strings.Repeat("x", 1<<20),
		`{"workflow_runs":[null]}`, `{"workflow_runs":null}`,
		`{"workflow_runs":[{"id":null,"display_title":null,"created_at":null}]}`,
		`{"check_runs":[null]}`, `{"check_runs":[{"details_url":"/runs/1","output":null,"started_at":null}]}`,
		`{"jobs":[{"name":null,"steps":[null]}]}`, `{"artifacts":[null]}`, `{"artifacts":[{"id":null,"name":null}]}`,
		`{"object":null}`,
		`{"name":"main","commit":null}`, `[{"id":1,"source":"api","created_at":null}]`, `[{"key":null}]`,
		`[{"id":2,"artifacts":[null],"pipeline":null}]`,
		`{"status":"completed","conclusion":null}`, `{"scopes":[null]}`, `{"type":"file","content":null,"encoding":null}`,
		`{"record":null}`,
		`{"record":{"results":[null],"parity":[null]}}`, `{"plan":{"targets":[null],"removed":null}}`,
		`{"status":{"targets":{"x":null},"running":[null]}}`,
		`{"reaped":[null],"reaped_on":[null]}`, `{"parity":{"parity":[null]}}`, `{"workflow_run_id":null}`,
	} {
		for at := range 13 {
			f.Add(at%2 == 0, uint8(at), uint16(0), []byte(body))
			f.Add(at%2 == 1, uint8(at), uint16(at%5), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, gitlab bool, at uint8, status uint16, body []byte) {
		asked(t, gitlab, int(at), http.StatusOK+int(status)%400, body)
	})
}
