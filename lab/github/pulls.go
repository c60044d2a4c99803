// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"cmp"
	"net/http"
)

// pulls is the one pull request.
type pulls struct{ repo *repository }

// reviewed is when all reviews are from: before whatever is asked.
const reviewed = "2011-04-14T16:00:49Z"

func (p *pulls) reviews(r request) (int, any, *refusal) {
	if r.number("pull_number") != int64(p.repo.config.Change) {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	items := []any{}
	for i, one := range p.repo.config.Reviews {
		items = append(items, p.repo.oracle.sample("pull-request-review", Object{
			"id": i + 1, "user": p.repo.user(one.Login), "state": one.State, "commit_id": nullable(one.Commit),
			"submitted_at": reviewed,
		}))
	}
	return http.StatusOK, paged{"", items}, nil
}

// listOf shows the pull request to who asks for its head.
func (p *pulls) listOf(r request) (int, any, *refusal) {
	items := []any{}
	if p.repo.config.Change != 0 && len(p.repo.config.Commits) > 0 && r.params["commit_sha"] == p.repo.config.Commits[0] {
		items = append(items, p.show("pull-request-simple"))
	}
	return http.StatusOK, paged{"", items}, nil
}

// get shows the pull request.
func (p *pulls) get(r request) (int, any, *refusal) {
	if r.number("pull_number") != int64(p.repo.config.Change) || len(p.repo.config.Commits) == 0 {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, p.show("pull-request"), nil
}

// show is the pull request in one of its two forms.
func (p *pulls) show(schema string) Object {
	pull := p.repo.oracle.sample(schema, Object{
		"number": p.repo.config.Change, "state": "open", "user": p.repo.user(cmp.Or(p.repo.config.Author, "somebody")),
		"html_url": "https://github.example/pull",
	})
	head := p.repo.config.Commits[0]
	for name, sha := range map[string]string{"head": head, "base": cmp.Or(p.repo.config.Base, head)} { // of one repository
		side, ok := pull[name].(Object)
		if !ok {
			continue
		}
		side["sha"] = sha
		if repo, ok := side["repo"].(Object); ok {
			repo["full_name"] = p.repo.config.Repository
		}
	}
	return pull
}
