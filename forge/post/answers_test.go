// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:08:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package post_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks/report"
	"github.com/packer-hybrid/packer-hybrid/forge/post"
)

// plain answers of one system: method and path, as a pattern of net/http.
var plainAnswers = map[string][][2]string{
	"github": {
		{"POST /repos/o/r/check-runs", `{"id":5,"output":{}}`},
		{"PATCH /repos/o/r/check-runs/5", `{"id":5}`},
		{"GET /repos/o/r/check-runs/5", `{"id":5}`},
		{"GET /repos/o/r/commits/{sha}/check-runs", `{"total_count":0,"check_runs":[]}`},
		{"GET /repos/o/r/issues/7/comments", `[]`},
		{"POST /repos/o/r/issues/7/comments", `{"id":6,"body":"x"}`},
		{"GET /repos/o/r/issues/comments/6", `{"id":6,"body":"x"}`},
		{"PATCH /repos/o/r/issues/comments/6", `{"id":6,"body":"x"}`},
		{"GET /repos/o/r/issues", `[]`},
		{"POST /repos/o/r/issues", `{"number":6,"body":"x"}`},
		{"GET /repos/o/r/issues/6", `{"number":6,"body":"x"}`},
		{"PATCH /repos/o/r/issues/6", `{"number":6,"body":"x"}`},
	},
	"gitlab": {
		{"GET /api/v4/user", `{"id":3}`},
		{"POST /api/v4/projects/o%2Fr/statuses/{sha}", `{"id":5,"status":"running"}`},
		{"GET /api/v4/projects/o%2Fr/repository/commits/{sha}/statuses", `[]`},
		{"GET /api/v4/projects/o%2Fr/merge_requests/7/notes", `[]`},
		{"POST /api/v4/projects/o%2Fr/merge_requests/7/notes", `{"id":6,"body":"x"}`},
		{"GET /api/v4/projects/o%2Fr/merge_requests/7/notes/6", `{"id":6,"body":"x"}`},
		{"PUT /api/v4/projects/o%2Fr/merge_requests/7/notes/6", `{"id":6,"body":"x"}`},
		{"GET /api/v4/projects/o%2Fr/issues", `[]`},
		{"POST /api/v4/projects/o%2Fr/issues", `{"iid":6,"description":"x"}`},
		{"GET /api/v4/projects/o%2Fr/issues/6", `{"iid":6,"description":"x"}`},
		{"PUT /api/v4/projects/o%2Fr/issues/6", `{"iid":6,"description":"x"}`},
	},
}

// strange is a server that gives one answer of its own to requests of one kind,
// and plain ones to the others. When lost is set it also loses the first answers
// to creations, so that what was made is looked for.
type strange struct {
	system string
	at     int // of plainAnswers
	lost   bool
	status int
	body   []byte
}

// serve returns the address of the server, and how often it gave its own answer.
func (s strange) serve(t *testing.T) (address string, given *atomic.Int64) {
	t.Helper()
	given = &atomic.Int64{}
	mux := http.NewServeMux()
	for i, plain := range plainAnswers[s.system] {
		var lost atomic.Bool
		mux.HandleFunc(plain[0], func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			switch {
			case i == s.at:
				given.Add(1)
				w.WriteHeader(s.status)
				_, _ = w.Write(s.body)
			case s.lost && r.Method == http.MethodPost && !lost.Swap(true):
				w.WriteHeader(http.StatusBadGateway)
			default:
				fmt.Fprint(w, plain[1])
			}
		})
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, given
}

// reported has a poster report through the server, and returns what was not
// reported.
func (s strange) reported(t *testing.T) (left string, given int64) {
	t.Helper()
	api, count := s.serve(t)
	a := address(1)
	a.System = s.system
	clock := &fakeClock{now: begin}
	p, err := post.New(t.TempDir(), a, post.Access{System: of(s.system), API: api, Token: token},
		post.WithClock(clock.clock(), post.RequestTimeout))
	if err != nil {
		t.Fatal(err)
	}
	p.Quiet()
	p.Check(check("debian-12@vsphere", report.CheckRunning, 0))
	p.Comment("it runs", false)
	p.Issue("it runs", post.Issue{Title: "x", Open: true})
	_ = p.FlushNow(context.WithoutCancel(t.Context()), time.Minute)
	p.Check(check("debian-12@vsphere", report.CheckCompleted, 60))
	p.Comment("it is over", true)
	p.Issue("it is over", post.Issue{Title: "x", Open: true})
	return strings.Join(p.Close(t.Context(), time.Minute), "\n"), count.Load()
}

// TestNullIsNoAnswer checks that each answer that is null, or a list of null, is
// told as a report that did not arrive.
func TestNullIsNoAnswer(t *testing.T) {
	t.Parallel()
	for system, all := range plainAnswers {
		for at, plain := range all {
			for _, body := range []string{
				"null", "[null]", " null garbage", `{"check_runs":[null]}`, `{"x":{"y":[null]}}`,
				`[[{"x":[[null]]}]]`,
			} {
				t.Run(fmt.Sprintf("%s %s %q", system, plain[0], body), func(t *testing.T) {
					t.Parallel()
					lost := !strings.Contains(plain[0], "/6") // what is looked up by its number was made
					left, given := strange{system: system, at: at, lost: lost, status: http.StatusOK, body: []byte(body)}.reported(t)
					if given > 0 && (strings.Contains(left, "panic") || !strings.Contains(left, "null")) {
						t.Errorf("the answer was given %d times, and it says %q", given, left)
					}
					if strings.Contains(left, token) {
						t.Error("the token is shown")
					}
				})
			}
		}
	}
}

// FuzzAnswers has GitHub or GitLab answer anything to one kind of request.
func FuzzAnswers(f *testing.F) {
	for n, body := range []string{
		"null", "[null]", "{}", "[]", `{"id":null}`, `{"check_runs":null}`, `{"check_runs":[null]}`,
		`{"check_runs":[{"id":1,"app":null,"output":null}]}`,
		`[{"id":null,"body":null,"author":null}]`, `{"id":5,"output":{"annotations_count":-9}}`, `[{"user":null}]`,
		`{"id":1e99}`, "", " ", "<html>", `{"id":5`,
		`{"check_runs":[{"id":1,"pull_requests":[null]}]}`, `[{"id":6,"reactions":{"x":[null]}}]`,
		strings.Repeat("[", 100_000), `"` + strings.Repeat("x", 1<<20),
	} {
		for at := n % 4; at < 16; at += 4 {
			f.Add(uint8(at), at%3 != 0, uint16(n%2*(100+at)), []byte(body))
		}
	}
	f.Fuzz(func(t *testing.T, at uint8, lost bool, status uint16, body []byte) {
		s := strange{system: "github", at: int(at) / 2, lost: lost, status: http.StatusOK + int(status)%400, body: body}
		if at%2 == 1 {
			s.system = "gitlab"
		}
		s.at %= len(plainAnswers[s.system])
		if left, _ := s.reported(t); strings.Contains(left, "panic") {
			t.Fatal(left)
		}
	})
}
