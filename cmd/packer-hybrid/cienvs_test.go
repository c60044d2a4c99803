// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:50:00Z
// Spec: openspec/specs/ci/spec.md#requirement-every-environment-of-a-change
// Diagram: openspec/specs/ci/diagram.md#from-event-to-requests

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// planned makes another commit of the change, and lets both of its jobs report it.
func (d decided) planned(t *testing.T, edit func(site)) (code int, comment string, outputs map[string]string) {
	t.Helper()
	d.git("checkout", "-q", "-B", "change", "main")
	edit(d.site)
	d.git("add", "-A")
	d.git("commit", "-q", "-m", "a change")
	d.patch = d.commit("change")
	d.hub.SetHead(d.patch)
	code, log, outputs := d.step(t, "pull_request", d.changeOf(5), []string{"GITHUB_TOKEN="}, "--hold")
	if outputs["upload"] == "" {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	d.dir = t.TempDir()
	sent, said, _ := d.step(t, "pull_request", d.changeOf(5), nil, "--report", filepath.Join(outputs["upload"], "report"))
	if comments := d.hub.Comments(); sent != 0 || len(comments) != 1 {
		t.Fatalf("exit code %d, %d comments\n%s\n%s", sent, len(comments), log, said)
	}
	return code, fmt.Sprint(d.hub.Comments()[0]["body"]), outputs
}

// shownChecks are the check-runs of a commit, by name.
func (d decided) shownChecks() map[string]string {
	all := map[string]string{}
	for _, c := range d.hub.Checks() {
		if c["head_sha"] == d.commit("change") {
			output, _ := c["output"].(map[string]any)
			all[fmt.Sprint(c["name"])] = fmt.Sprintf("%v: %v", c["conclusion"], output["title"])
		}
	}
	return all
}

// A change of another environment than the default one is planned for that one.
func TestChangeOfAnotherEnvironment(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  change_environments = [\"example\", \"lab\"]")
	code, comment, outputs := d.planned(t, func(s site) {
		s.edit("configs/example/debian-12.pkrvars.hcl", "61440", "71680")
	})
	if code != 0 || strings.Contains(comment, "0 of ") {
		t.Errorf("exit code %d, the comment says 0\n%s", code, comment)
	}
	for _, want := range []string{
		"**Environment** `lab`: nothing moves, all 6 targets are unchanged.",
		"**Environment** `example`: **1 of 2 targets to build**, 1 unchanged",
		"variable `vm_disk_size_mb`", "`configs/example/debian-12.pkrvars.hcl:",
	} {
		if !strings.Contains(comment, want) {
			t.Errorf("the comment lacks %q:\n%s", want, comment)
		}
	}
	if diff := cmp.Diff(map[string]string{
		"packer-hybrid plan lab":      "success: Nothing moves in lab; 1 of 2 targets to build in example",
		"packer-hybrid plan example":  "success: 1 of 2 targets to build",
		"debian-12@vsphere (example)": "success: To build: variable vm_disk_size_mb",
	}, d.shownChecks()); diff != "" {
		t.Errorf("check-runs (-want +got):\n%s", diff)
	}
	text, err := os.ReadFile(filepath.Join(outputs["upload"], "answer.json"))
	if err != nil {
		t.Fatal(err)
	}
	var answer hybridcore.Answer
	if err := json.Unmarshal(text, &answer); err != nil || answer.Plan == nil || answer.Plan.Request.Env != "lab" {
		t.Errorf("%v\n%s", err, text)
	}
	var envs []string
	for _, one := range answer.Plans {
		envs = append(envs, fmt.Sprint(one.Env, " ", len(one.Plan.Pending())))
	}
	if !slices.Equal(envs, []string{"lab 0", "example 1"}) {
		t.Errorf("the plans of the answer are %v", envs)
	}
}

// Nothing to build is said when nothing moves in any environment.
func TestChangeThatMovesNothing(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  unmerged = []")
	code, comment, _ := d.planned(t, func(s site) {
		if err := os.WriteFile(filepath.Join(s.dir, "NOTES.md"), []byte("words\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if code != 0 || !strings.Contains(comment, "**0 of 8 targets to build** in `lab` and `example`") {
		t.Errorf("exit code %d\n%s", code, comment)
	}
	if diff := cmp.Diff(map[string]string{
		"packer-hybrid plan lab": "success: 0 of 6 targets to build",
	}, d.shownChecks()); diff != "" {
		t.Errorf("check-runs (-want +got):\n%s", diff)
	}
}

// An environment that cannot be planned does not hide the others.
func TestChangeThatBreaksOneEnvironment(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  unmerged = []")
	code, comment, _ := d.planned(t, func(s site) {
		s.edit("configs/example/debian-12.pkrvars.hcl", "= 61440", "= {")
		s.edit("configs/lab/debian-12.pkrvars.hcl", "iso_file", "vm_memory_mb = 4096\niso_file")
	})
	if code == 0 || !strings.Contains(comment, "**Environment** `lab`: **") || !strings.Contains(comment, "of 6 targets to build") ||
		!strings.Contains(comment, "**Environment** `example`: **Blocked:**") || !strings.Contains(comment, "configs/example/debian-12.pkrvars.hcl") {
		t.Errorf("exit code %d\n%s", code, comment)
	}
	checks := d.shownChecks()
	if !strings.HasPrefix(checks["packer-hybrid plan lab"], "success: ") ||
		!strings.HasPrefix(checks["packer-hybrid plan example"], "failure: ") {
		t.Errorf("the check-runs are %v", checks)
	}
}

// What the change itself declares counts for what there is to plan.
func TestChangeOfTheEnvironments(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  unmerged = []")
	code, comment, _ := d.planned(t, func(s site) {
		s.edit("packer-hybrid.hcl", "environment \"example\" {\n  prod      = true", "environment \"next\" {\n  prod      = true")
		s.git("mv", "configs/example", "configs/next")
	})
	if code != 0 || !strings.Contains(comment, "**Environment** `next`") || strings.Contains(comment, "**Environment** `example`: **Blocked") {
		t.Errorf("exit code %d\n%s", code, comment)
	}
}

// Where a change takes away all that changes are planned for, nothing else is planned instead.
func TestChangeTakesAllAway(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  change_environments = [\"example\"]")
	d.git("checkout", "-q", "-B", "change", "main")
	d.edit("packer-hybrid.hcl", "environment \"example\" {\n  prod      = true", "environment \"next\" {\n  prod      = true")
	d.edit("packer-hybrid.hcl", "change_environments = [\"example\"]", "change_environments = [\"next\"]")
	d.git("mv", "configs/example", "configs/next")
	d.git("commit", "-q", "-a", "-m", "another name")
	d.patch = d.commit("change")
	code, log, _ := d.step(t, "pull_request", d.changeOf(5), []string{"GITHUB_TOKEN="}, "--hold")
	if code != 0 || strings.Contains(log, "plan for lab") ||
		!strings.Contains(log, "nothing to do: the change takes away each environment that changes are planned for: example") {
		t.Errorf("exit code %d\n%s", code, log)
	}
}

// A project may plan its changes for some environments only.
func TestChangeEnvironments(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  change_environments = [\"lab\"]")
	code, comment, _ := d.planned(t, func(s site) {
		s.edit("configs/example/debian-12.pkrvars.hcl", "61440", "71680")
	})
	if code != 0 || !strings.Contains(comment, "## Image plan for `lab`\n") || strings.Contains(comment, "`example`") {
		t.Errorf("exit code %d\n%s", code, comment)
	}
}

// Others have merged since GitHub sent the event's base: the plan has what the change
// itself moves.
func TestStaleBase(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  change_environments = [\"lab\"]")
	base := d.main
	d.git("checkout", "-q", "-B", "change", "main")
	d.edit("configs/lab/ubuntu-24.04.pkrvars.hcl", "iso_file", "vm_cpu_count = 4\niso_file")
	d.git("commit", "-q", "-a", "-m", "four processors for ubuntu")
	d.patch = d.commit("change")
	d.git("checkout", "-q", "main")
	d.edit("configs/lab/debian-12.pkrvars.hcl", "iso_file", "vm_memory_mb = 4096\niso_file")
	d.git("commit", "-q", "-a", "-m", "somebody else")
	d.git("checkout", "-q", "-b", "merged")
	d.git("merge", "-q", "--no-ff", "-m", "merge", "change")
	for name, env := range map[string][]string{
		"merged with a newer base": {"GITHUB_TOKEN=", "GITHUB_SHA=" + d.commit("merged")},
		"the head alone":           {"GITHUB_TOKEN=", "GITHUB_SHA=" + d.patch},
	} {
		if strings.HasPrefix(name, "the head") {
			d.git("checkout", "-q", "--detach", d.patch)
		}
		d.main = base
		code, log, outputs := d.step(t, "pull_request", d.changeOf(5), env, "--hold")
		text, err := os.ReadFile(filepath.Join(outputs["upload"], "plan.json"))
		if err != nil || code != 0 {
			t.Fatalf("%s: exit code %d, %v\n%s", name, code, err, log)
		}
		var answer hybridcore.Answer
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatal(err)
		}
		for _, p := range answer.Plan.Pending() {
			if p.Target.Image.Name != "ubuntu-24.04" {
				t.Errorf("%s: %s is to be built, which the change does not touch: %v", name, p.Target.Name(), p.Reasons)
			}
		}
		if n := len(answer.Plan.Pending()); n != 3 {
			t.Errorf("%s: %d targets", name, n)
		}
	}
}

// A group of GitHub's merge queue is planned like a pull request, and has its check-run.
func TestMergeQueue(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  change_environments = [\"lab\"]")
	d.git("checkout", "-q", "-B", "change", "main")
	d.edit("configs/lab/ubuntu-24.04.pkrvars.hcl", "iso_file", "vm_cpu_count = 4\niso_file")
	d.git("commit", "-q", "-a", "-m", "queued")
	queued := d.commit("change")
	d.hub.SetHead(queued)
	payload := fmt.Sprintf(`{"action":"checks_requested","repository":{"id":5,"full_name":"o/r","default_branch":"main"},`+
		`"sender":{"id":4,"login":"mara"},"merge_group":{"head_sha":%q,"head_ref":"refs/heads/gh-readonly-queue/main/pr-7-x",`+
		`"base_sha":%q,"base_ref":"refs/heads/main"}}`, queued, d.main)
	env := []string{"GITHUB_TOKEN=", "GITHUB_SHA=" + queued}
	code, log, outputs := d.step(t, "merge_group", payload, env, "--hold")
	if code != 0 || outputs["plan"] == "" {
		t.Fatalf("exit code %d\n%s", code, log)
	}
	code, log, _ = d.step(t, "merge_group", payload, nil, "--report", filepath.Join(outputs["upload"], "report"))
	if diff := cmp.Diff(map[string]string{"packer-hybrid plan lab": "success: 3 of 6 targets to build"},
		d.shownChecks()); code != 0 || diff != "" || len(d.hub.Comments()) != 0 {
		t.Errorf("exit code %d, %d comments, check-runs (-want +got):\n%s\n%s", code, len(d.hub.Comments()), diff, log)
	}
}

// pushOf is the payload of a push to main.
func (d decided) pushOf() string {
	return fmt.Sprintf(`{"ref":"refs/heads/main","after":%[1]q,"head_commit":{"id":%[1]q},"repository":{"id":5,`+
		`"full_name":"o/r","default_branch":"main"},"sender":{"id":4,"login":"mara"}}`, d.main)
}

// A merge is built for the first environment of the rule, and goes on to the next one
// when that was approved.
func TestMergeGoesOn(t *testing.T) {
	t.Parallel()
	d := newDecided(t, "  unmerged = []")
	d.edit("packer-hybrid.hcl", "\nci {\n", "\nmerge {\n  environments = [\"lab\", \"example\"]\n}\n\nci {\n")
	d.git("commit", "-q", "-a", "-m", "what a merge builds")
	d.main = d.commit("main")
	d.hub.SetHead(d.main)
	code, log, outputs := d.step(t, "push", d.pushOf(), nil, "--decide")
	decision, err := ci.ParseDecision(outputs["decision"])
	if code != 0 || err != nil || decision.Env != "lab" || outputs["next"] != "example" {
		t.Fatalf("exit code %d, %v, %+v\n%s", code, err, decision, log)
	}
	code, log, none := d.step(t, "push", d.pushOf(), []string{"PACKER_HYBRID_NEXT=example"}, "--decide")
	if code != 3 || none["decision"] != "" || !strings.Contains(log, "a variable of the repository or its organisation") {
		t.Errorf("a variable for all environments: exit code %d, %v\n%s", code, none, log)
	}
	next := func(more ...string) (int, string) {
		env := append([]string{
			"PACKER_HYBRID_DECISION=" + outputs["decision"], "GITHUB_WORKFLOW_REF=o/r/.github/workflows/images.yml@refs/heads/main",
		}, more...)
		code, log, _ := d.step(t, "push", d.pushOf(), env, "--next")
		return code, log
	}
	for _, set := range []string{"", "prod"} {
		if code, log := next("PACKER_HYBRID_NEXT=" + set); code != 3 || len(d.hub.Dispatches()) != 0 ||
			!strings.Contains(log, "the environment example of GitHub has no variable PACKER_HYBRID_NEXT = example") {
			t.Errorf("with %q: exit code %d\n%s", set, code, log)
		}
	}
	code, log = next("PACKER_HYBRID_NEXT=example")
	all := d.hub.Dispatches()
	if code != 0 || len(all) != 1 {
		t.Fatalf("exit code %d, %v\n%s", code, all, log)
	}
	inputs, _ := all[0]["inputs"].(map[string]any)
	if all[0]["ref"] != "main" || inputs["command"] != "build --env example" || inputs["sha"] != d.main {
		t.Errorf("the dispatch is %v", all[0])
	}
	// The run that is started: nothing follows the last environment, and no part of a build goes on.
	for command, want := range map[string]string{
		"build --env example": "", "build --env lab": "example", "build debian-12 --env lab": "", "plan --env lab": "",
	} {
		code, log, outputs := d.step(t, "workflow_dispatch", dispatchOf(d.main, command), nil, "--decide")
		if code != 0 || outputs["next"] != want {
			t.Errorf("%s: exit code %d, next %q, want %q\n%s", command, code, outputs["next"], want, log)
		}
	}
}
