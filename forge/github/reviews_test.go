// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:30Z
// Spec: openspec/specs/ci/spec.md#requirement-reviewed-commits
// Diagram: openspec/specs/ci/diagram.md#from-event-to-decision

package github

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

const reviewedCommit = "1111111111111111111111111111111111111111"

// answers is a GitHub that says anything instead of the reviews, the pull
// request or the permission.
func answers(kind, text string) http.HandlerFunc {
	usual := map[string]string{
		"reviews": `[{"user":{"id":5,"login":"mona","type":"User"},"state":"APPROVED",` +
			`"submitted_at":"2026-11-30T11:00:00Z","commit_id":"` + reviewedCommit + `"}]`,
		"pulls":      `{"number":7,"state":"open","user":{"id":8},"head":{"sha":"` + reviewedCommit + `","repo":{"full_name":"o/r"}}}`,
		"permission": `{"permission":"write","user":{"id":5,"login":"mona"}}`,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		asked := "pulls"
		switch {
		case strings.HasSuffix(r.URL.Path, "/reviews"):
			asked = "reviews"
		case strings.HasSuffix(r.URL.Path, "/permission"):
			asked = "permission"
		}
		body := usual[asked]
		if asked == "permission" && strings.Contains(r.URL.Path, "/mara/") {
			body = strings.NewReplacer("5", "4", "mona", "mara").Replace(body)
		} else if asked == "permission" && strings.Contains(r.URL.Path, "/gone/") {
			body = strings.NewReplacer("5", "9", "mona", "gone").Replace(body)
		}
		switch ofAsker := strings.Contains(r.URL.Path, "/mara/"); {
		case kind == "asker" && ofAsker, kind == asked && (asked != "permission" || !ofAsker):
			body = text
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, body)
	}
}

func askFor(t *testing.T, address string) (ci.Approval, error) {
	t.Helper()
	return askAt(t, address, time.Time{})
}

func askAt(t *testing.T, address string, asked time.Time) (ci.Approval, error) {
	t.Helper()
	return approvalAt(t, address,
		ci.Unmerged{Repository: "o/r", Commit: reviewedCommit, Change: 7, User: 4, Login: "mara", Asked: asked})
}

func approvalAt(t *testing.T, address string, u ci.Unmerged) (ci.Approval, error) {
	t.Helper()
	asker, err := ask(post.Access{API: address, Token: "ghs_0123456789"}, u.Repository)
	if err != nil {
		t.Fatal(err)
	}
	return asker.Approval(t.Context(), u)
}

func TestAnswersThatAreNoApproval(t *testing.T) {
	t.Parallel()
	for kind, texts := range map[string][]string{
		"reviews": {
			"null", "[null]", "[]", "[{}]", `[{"user":null,"state":"APPROVED","commit_id":"` + reviewedCommit + `"}]`,
			`[{"user":{"id":5},"state":null,"commit_id":null}]`,
			`[null,{"user":{"id":5,"login":"mona"},"state":"APPROVED","commit_id":null}]`, by(`"id":5,"login":"other"`),
			by(`"id":5,"login":"mara"`),
			by(`"id":6,"login":"mona"`), by(`"id":5,"login":null`), by(`"id":5,"login":""`), by(`"id":0,"login":"mona"`),
			by(`"id":null,"login":"mona"`),
			by(`"id":5,"login":"x/../mona"`), by(`"id":5,"login":"mona?x"`), by(`"id":5,"login":"mona/permission#"`),
			by(`"id":4,"login":"mara"`), "{}", "[1]", "\"x\"", "<html>", "",
		},
		"pulls": {
			"null", "{}", `{"state":"open","head":null}`,
			`{"number":7,"state":"closed","head":{"sha":"` + reviewedCommit + `","repo":{"full_name":"o/r"}}}`,
			`{"number":7,"state":"open","head":{"sha":"` + reviewedCommit + `","repo":null}}`,
			`{"number":7,"state":"open","head":{"sha":"` + reviewedCommit + `","repo":{"full_name":"x/r"}}}`,
			`{"number":7,"state":"open","user":null,"head":{"sha":"` + reviewedCommit + `","repo":{"full_name":"o/r"}}}`,
			`{"number":8,"state":"open","user":{"id":8},"head":{"sha":"` + reviewedCommit + `","repo":{"full_name":"o/r"}}}`,
		},
		"permission": {
			"null", "{}", `{"permission":"write","user":null}`, `{"permission":null,"user":{"id":5,"login":"mona"}}`,
			`{"permission":"read","user":{"id":5,"login":"mona"}}`, `{"permission":"write","user":{"id":5}}`,
			`{"permission":"write","user":{"id":5,"login":null}}`,
			`{"permission":"write","user":{"id":5,"login":"other"}}`, `{"permission":"write","user":{"id":null,"login":"mona"}}`,
			`{"permission":"write","user":{"id":6,"login":"mona"}}`, `{"permission":"Write","user":{"id":5,"login":"mona"}}`,
			`{"permission":["write"],"user":{"id":5,"login":"mona"}}`,
		},
		"asker": {
			"null", "{}", `{"permission":"write","user":null}`, `{"permission":"write","user":{"id":4}}`,
			`{"permission":"write","user":{"id":4,"login":"mona"}}`,
		},
	} {
		for _, text := range texts {
			server := httptest.NewServer(answers(kind, text))
			approval, err := askFor(t, server.URL)
			server.Close()
			if approval.By != "" {
				t.Errorf("%s %s: approved by %s, %v", kind, text, approval.By, err)
			}
		}
	}
	// a login has no case
	for kind, text := range map[string]string{
		"":           "",
		"permission": `{"permission":"write","user":{"id":5,"login":"Mona"}}`,
	} {
		server := httptest.NewServer(answers(kind, text))
		if approval, err := askFor(t, server.URL); err != nil || approval.By != "mona" || approval.Change != "7" {
			t.Errorf("%s: %+v, %v", text, approval, err)
		}
		server.Close()
	}
}

// by is a list with an approval by a user.
func by(user string) string {
	return `[{"user":{` + user + `,"type":"User"},"state":"APPROVED","commit_id":"` + reviewedCommit + `"}]`
}

// TestNobodyAsks has an event that does not say who asks, to which GitHub answers
// about nobody.
func TestNobodyAsks(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(answers("asker", `{"permission":"write","user":{"id":0,"login":""}}`))
	defer server.Close()
	for _, u := range []ci.Unmerged{{}, {Login: "mara"}, {User: 4}, {User: 4, Login: "../mara"}} {
		u.Repository, u.Commit, u.Change = "o/r", reviewedCommit, 7
		if approval, err := approvalAt(t, server.URL, u); hybridcore.ExitCode(err) != hybridcore.ExitBlocked ||
			approval.By != "" {
			t.Errorf("%+v: %+v, %v", u, approval, err)
		}
	}
}

// TestEndlessReviews has GitHub name the page that it gives as the next one: what
// follows is not known, and may be that the change is not approved any more.
func TestEndlessReviews(t *testing.T) {
	t.Parallel()
	usual := answers("", "")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "<http://"+r.Host+r.URL.Path+`?page=1>; rel="next"`)
		usual(w, r)
	}))
	defer server.Close()
	if approval, err := askFor(t, server.URL); hybridcore.ExitCode(err) != hybridcore.ExitBlocked || approval.By != "" {
		t.Errorf("%+v, %v", approval, err)
	}
}

// FuzzReviews feeds anything to the client in place of the reviews.
func FuzzReviews(f *testing.F) {
	f.Add(`[null]`)
	f.Add(`[{"user":{"id":5,"login":"mona"},"state":"APPROVED","commit_id":"` + reviewedCommit + `"}]`)
	f.Add(`[{"user":{"id":4,"login":"mara"},"state":"APPROVED","commit_id":"` + reviewedCommit + `"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		server := httptest.NewServer(answers("reviews", text))
		defer server.Close()
		approval, err := askFor(t, server.URL)
		if approval.By != "" && (err != nil || !strings.Contains(text, "APPROVED") ||
			!strings.Contains(text, reviewedCommit)) {
			t.Errorf("approved by %s: %s", approval.By, text)
		}
	})
}

// TestReviewAfterTheComment approves after the command, by a program, and by
// somebody whom GitHub does not know any more beside somebody whom it does.
func TestReviewAfterTheComment(t *testing.T) {
	t.Parallel()
	asked := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	review := func(user, at string) string {
		return `{"user":` + user + `,"state":"APPROVED","submitted_at":"` + at + `","commit_id":"` + reviewedCommit + `"}`
	}
	const mona, program = `{"id":5,"login":"mona","type":"User"}`, `{"id":5,"login":"mona","type":"Bot"}`
	const gone = `{"id":9,"login":"gone","type":"User"}`
	for name, c := range map[string]struct{ reviews, by string }{
		"before":           {review(mona, "2026-11-30T11:59:59Z"), "mona"},
		"after":            {review(mona, "2026-11-30T12:00:01Z"), ""},
		"by a program":     {review(program, "2026-11-30T11:00:00Z"), ""},
		"by somebody gone": {review(gone, "2026-11-30T11:00:00Z"), ""},
		"without a time":   {strings.ReplaceAll(review(mona, "x"), `"submitted_at":"x",`, ""), ""},
		"taken back, listed first": {
			strings.ReplaceAll(review(mona, "2026-11-30T11:30:00Z"), "APPROVED", "CHANGES_REQUESTED") + "," +
				review(mona, "2026-11-30T11:00:00Z"), "",
		},
		"and by one who may": {review(mona, "2026-11-30T10:00:00Z") + "," + review(gone, "2026-11-30T11:00:00Z"), "mona"},
	} {
		usual := answers("reviews", "["+c.reviews+"]")
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.Path, "/gone/") {
				http.Error(w, `{"message":"gone is not a user"}`, http.StatusNotFound)
				return
			}
			usual(w, r)
		}))
		approval, err := askAt(t, server.URL, asked)
		server.Close()
		if err != nil || approval.By != c.by {
			t.Errorf("%s: approved by %q, %v; want %q", name, approval.By, err, c.by)
		}
	}
}
