// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
)

// runs are those of workflows.
type runs struct {
	repo   *repository
	all    []Object
	inputs []Object // of dispatches
	jobs   map[int64][]any
}

// dispatch starts a workflow, whose run is queued.
func (w *runs) dispatch(r request) (int, any, *refusal) {
	inputs, _ := r.body["inputs"].(Object)
	if len(inputs) > maxInputs {
		return 0, nil, refuse(http.StatusUnprocessableEntity,
			"you may only define up to %d `inputs` for a `workflow_dispatch` event", maxInputs)
	}
	if no := w.repo.refuses(r); no != nil {
		return 0, nil, no
	}
	w.inputs = append(w.inputs, copyOf(r.body))
	run := w.repo.oracle.sample("workflow-run", Object{
		"id": w.repo.id(), "event": "workflow_dispatch", "status": "queued", "conclusion": nil, "head_branch": r.body["ref"],
		"run_number": len(w.inputs), "path": workflows + r.params["workflow_id"], "created_at": w.repo.time(),
		"display_title": fmt.Sprintf(cmp.Or(w.repo.config.RunName, "images %s"), inputs["request_id"]),
	})
	run["html_url"] = fmt.Sprintf("https://github.example/runs/%d", w.repo.last)
	if len(w.repo.config.Commits) > 0 {
		run["head_sha"] = w.repo.config.Commits[0]
	}
	w.all = append(w.all, run)
	if r.body["return_run_details"] != true {
		return http.StatusNoContent, nil, nil
	}
	url := "https://github.example/runs/" + strconv.FormatInt(w.repo.last, 10)
	return http.StatusOK, Object{"workflow_run_id": run["id"], "run_url": url, "html_url": url}, nil
}

func (w *runs) list(r request) (int, any, *refusal) {
	items := []any{}
	for _, run := range slices.Backward(w.all) {
		if run["path"] == workflows+r.params["workflow_id"] {
			items = append(items, run)
		}
	}
	return http.StatusOK, paged{"workflow_runs", items}, nil
}

func (w *runs) find(r request) Object {
	id := r.number("run_id")
	for _, run := range w.all {
		if run["id"] == id {
			return run
		}
	}
	return nil
}

func (w *runs) get(r request) (int, any, *refusal) {
	run := w.find(r)
	if run == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, run, nil
}

func (w *runs) cancel(r request) (int, any, *refusal) {
	run := w.find(r)
	switch {
	case run == nil:
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	case run["status"] == "completed":
		return 0, nil, refuse(http.StatusConflict, "Cannot cancel a workflow run that is completed.")
	}
	run["status"], run["conclusion"] = "completed", "cancelled"
	return http.StatusAccepted, Object{}, nil
}

func (w *runs) listJobs(r request) (int, any, *refusal) {
	if w.find(r) == nil {
		return 0, nil, refuse(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, paged{"jobs", append([]any{}, w.jobs[r.number("run_id")]...)}, nil
}
