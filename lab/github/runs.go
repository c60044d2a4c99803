// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:31:00Z
// Spec: openspec/specs/lab-github/spec.md#requirement-runs-that-a-test-drives
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// App is a GitHub App whose installation may get tokens.
type App struct {
	ID  int64
	Key *rsa.PublicKey
}

// Runs are all workflow runs in the order of their dispatches.
func (s *Server) Runs() []Object { return s.list(&s.runs) }

// SetRun gives a run a status, and a conclusion when it has ended.
func (s *Server) SetRun(id int64, status, conclusion string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, run := range s.runs {
		if run["id"] == id {
			run["status"], run["conclusion"], run["updated_at"] = status, nullable(conclusion), s.time()
		}
	}
}

// SetJobs gives a run its jobs: each with at least a name and a status.
func (s *Server) SetJobs(id int64, jobs ...Object) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.jobs == nil {
		s.jobs = map[int64][]any{}
	}
	s.jobs[id] = nil
	for _, job := range jobs {
		set := Object{
			"id": s.id(), "run_id": id,
			"html_url": fmt.Sprintf("https://github.example/runs/%d/job/%d", id, s.last), "conclusion": nil, "completed_at": nil,
		}
		maps.Copy(set, job)
		s.jobs[id] = append(s.jobs[id], s.oracle.sample("job", set))
	}
}

// AddArtifact keeps a zip file of a run.
func (s *Server) AddArtifact(run int64, name string, zip []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := s.id()
	s.artifacts = append(s.artifacts, artifact{run: run, zip: zip, shown: s.oracle.sample("artifact", Object{
		"id": id, "name": name, "size_in_bytes": len(zip), "expired": false, "created_at": s.time(),
	})})
}

// SetHead moves the branches to another commit.
func (s *Server) SetHead(commit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.config.Commits = append([]string{commit},
		slices.DeleteFunc(s.config.Commits, func(c string) bool { return c == commit })...)
}

type artifact struct {
	run   int64
	zip   []byte
	shown Object
}

// redirect is the answer that names another address on this server.
type redirect string

func nullable(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (s *Server) listJobs(r request) (int, any, *refusal) {
	if s.run(r) == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, paged{"jobs", append([]any{}, s.jobs[r.number("run_id")]...)}, nil
}

func (s *Server) listArtifacts(r request) (int, any, *refusal) {
	items := []any{}
	for _, one := range s.artifacts {
		if one.run == r.number("run_id") {
			items = append(items, one.shown)
		}
	}
	return http.StatusOK, paged{"artifacts", items}, nil
}

// blobs is where artifacts are, without GitHub's own authentication.
const blobs = "/blobs/"

func (s *Server) getArtifact(r request) (int, any, *refusal) {
	for _, one := range s.artifacts {
		if one.shown["id"] == r.number("artifact_id") && r.params["archive_format"] == "zip" {
			return http.StatusFound, redirect(blobs + r.params["artifact_id"]), nil
		}
	}
	return 0, nil, refuse(http.StatusNotFound, "Not Found")
}

// blob serves an artifact. Its host is another one at GitHub, which must not
// get the token.
func (s *Server) blob(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		s.violations = append(s.violations, "the token was sent to where artifacts are")
	}
	for _, one := range s.artifacts {
		if id, _ := one.shown["id"].(int64); strconv.FormatInt(id, 10) == strings.TrimPrefix(r.URL.Path, blobs) {
			w.Header().Set("Content-Type", "application/zip")
			_, _ = w.Write(one.zip)
			return
		}
	}
	w.WriteHeader(http.StatusNotFound)
}

// getRef shows where a branch is: all are at the first commit.
func (s *Server) getRef(r request) (int, any, *refusal) {
	branch, found := strings.CutPrefix(r.params["ref"], "heads/")
	if !found || len(s.config.Commits) == 0 || s.config.Branch != "" && branch != s.config.Branch {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, s.oracle.sample("git-ref", Object{
		"ref":    "refs/heads/" + branch,
		"object": Object{"type": "commit", "sha": s.config.Commits[0], "url": "https://github.example/"},
	}), nil
}

// allowed says whether a caller has shown who it is.
func (s *Server) allowed(r *http.Request) bool {
	scheme, secret, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.HasPrefix(r.URL.Path, "/app/") && s.config.App != nil {
		return scheme == "Bearer" && s.config.App.signed(secret, s.config.Now())
	}
	return (scheme == "Bearer" || scheme == "token") && secret == s.config.Token
}

// signed checks an app's token as GitHub does: RS256 with the app's key, issued
// in the past, and for ten minutes at most.
func (a *App) signed(token string, now time.Time) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	var raw [3][]byte
	for i, part := range parts {
		data, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return false
		}
		raw[i] = data
	}
	var head struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Issuer  string  `json:"iss"`
		Issued  float64 `json:"iat"`
		Expires float64 `json:"exp"`
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if json.Unmarshal(raw[0], &head) != nil || json.Unmarshal(raw[1], &claims) != nil || head.Alg != "RS256" ||
		rsa.VerifyPKCS1v15(a.Key, crypto.SHA256, sum[:], raw[2]) != nil {
		return false
	}
	at := float64(now.Unix())
	return claims.Issuer == strconv.FormatInt(a.ID, 10) && claims.Issued <= at && claims.Expires > at &&
		claims.Expires-claims.Issued <= 600
}
