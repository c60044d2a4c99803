// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:13:50Z
// Spec: openspec/specs/lab-gitlab/spec.md#requirement-gitlabs-published-reference
// Diagram: openspec/specs/lab-gitlab/diagram.md#path-of-a-call

package gitlab

const changes = "/projects/:id/merge_requests/:iid"

// Parameters of every list, and of some operations.
var (
	paged     = map[string]field{"page": {kind: number}, "per_page": {kind: number}}
	order     = []string{"asc", "desc"}
	jobStates = []string{
		"created", "waiting_for_resource", "preparing", "pending", "running", "success", "failed", "canceling", "canceled",
		"skipped", "manual", "scheduled",
	}
)

// table has the operations that packer-hybrid calls, as the pages users, projects,
// merge_requests, issues, notes, commits, branches, pipelines, pipeline_triggers, jobs,
// job_artifacts, members, personal_access_tokens and lint of
// docs.gitlab.com/api describe it.
func (s *Server) table() []operation {
	return append(s.issues.operations(), []operation{
		{"GET", "/user", 0, false, false, nil, s.project.whoami},
		{"GET", "/users", 0, false, false, with(paged, map[string]field{"username": {required: true}}), s.project.listUsers},
		{"GET", "/projects/:id", Guest, true, false, nil, s.project.getProject},
		{"GET", "/personal_access_tokens/self", 0, false, false, nil, s.project.getToken},
		{"GET", "/projects/:id/ci/lint", Developer, false, false, map[string]field{
			"content_ref": {}, "dry_run": {kind: flag}, "dry_run_ref": {}, "include_jobs": {kind: flag},
		}, s.project.lint},
		{"GET", "/projects/:id/members/all/:user_id", Guest, false, false, nil, s.project.getMember},
		{"GET", changes, Guest, false, false, nil, s.notes.getChange},
		{"GET", changes + "/notes", Guest, false, false, with(paged, map[string]field{
			"sort": {of: order}, "order_by": {of: []string{"created_at", "updated_at"}},
		}), s.notes.list},
		{
			"POST", changes + "/notes", Reporter, false, false,
			map[string]field{"body": {required: true}, "internal": {kind: flag}},
			s.notes.create,
		},
		{"GET", changes + "/notes/:note_id", Guest, false, false, nil, s.notes.get},
		{
			"PUT", changes + "/notes/:note_id", Reporter, false, false,
			map[string]field{"body": {required: true}},
			s.notes.update,
		},
		{"DELETE", changes + "/notes/:note_id", Reporter, false, false, nil, s.notes.remove},
		{"POST", "/projects/:id/statuses/:sha", Developer, false, false, map[string]field{
			"state": {required: true, of: []string{"pending", "running", "success", "failed", "canceled", "skipped"}},
			"name":  {most: 255}, "context": {most: 255}, "description": {most: 255}, "target_url": {most: 255},
			"ref": {most: 255}, "pipeline_id": {kind: number},
		}, s.statuses.create},
		{"GET", "/projects/:id/repository/commits/:sha/statuses", Reporter, false, false, with(paged, map[string]field{
			"all": {kind: flag}, "name": {}, "ref": {}, "stage": {}, "pipeline_id": {kind: number},
			"order_by": {of: []string{"id", "pipeline_id"}}, "sort": {of: order},
		}), s.statuses.list},
		{"GET", "/projects/:id/pipelines", Reporter, false, false, with(paged, map[string]field{
			"ref": {}, "sha": {}, "status": {of: jobStates}, "source": {}, "username": {},
			"order_by": {of: []string{"id", "status", "ref", "updated_at", "user_id"}}, "sort": {of: order},
			"scope": {of: []string{"running", "pending", "finished", "branches", "tags"}},
		}), s.pipelines.list},
		{"POST", "/projects/:id/pipeline", Developer, false, false, map[string]field{
			"ref": {required: true}, "variables": {kind: list},
		}, s.pipelines.create},
		{"POST", "/projects/:id/trigger/pipeline", 0, false, true, map[string]field{
			"ref": {required: true}, "token": {required: true}, "variables": {kind: object},
		}, s.pipelines.trigger},
		{"GET", "/projects/:id/pipelines/:pipeline_id", Reporter, false, false, nil, s.pipelines.get},
		{"GET", "/projects/:id/pipelines/:pipeline_id/variables", Developer, false, false, nil, s.pipelines.getVariables},
		{"GET", "/projects/:id/pipelines/:pipeline_id/jobs", Reporter, true, false, with(paged, map[string]field{
			"scope": {kind: texts, of: jobStates}, "include_retried": {kind: flag},
		}), s.pipelines.listJobs},
		{"GET", "/projects/:id/jobs/:job_id/artifacts/:folder/:file", Reporter, true, false, nil, s.pipelines.getFile},
		{"GET", "/projects/:id/repository/branches/:branch", Reporter, false, false, nil, s.project.getBranch},
		{"POST", "/projects/:id/pipelines/:pipeline_id/cancel", Developer, false, false, nil, s.pipelines.cancel},
	}...)
}
