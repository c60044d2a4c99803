// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:28:00Z
// Spec: openspec/specs/gitlab/spec.md#requirement-one-pipeline-for-images
// Diagram: openspec/specs/gitlab/diagram.md#jobs-of-the-images

//go:build pipelines

package pipelines_test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

const (
	labProject   = "acme/golden/images"
	projectToken = "glpat-0123456789abcdefghij"
	buildSecret  = "a-password-of-a-pipeline"
)

// pipelined is a project on a simulated GitLab, with the repository's own pipeline.
type pipelined struct {
	checkout

	next int64 // number of the next pipeline
	hub  *gitlab.Server
	env  []string // of the runner
}

// newPipelined makes the project of init, with one image for one platform.
func newPipelined(t *testing.T, env []string) *pipelined {
	t.Helper()
	p := &pipelined{checkout: newCheckout(t, ".gitlab-ci.yml", ".gitlab/images.yml"), next: 1000}
	catalogue := p.read("templates/images.hcl")
	catalogue = catalogue[:strings.Index(catalogue, `image "ubuntu-24.04"`)]
	p.write("templates/images.hcl", strings.Replace(catalogue, `["proxmox", "vsphere", "azure"]`, `["vsphere"]`, 1))
	for _, unused := range []string{
		"templates/vars/linux/ubuntu", "templates/installers/ubuntu",
		"configs/lab/ubuntu-24.04.pkrvars.hcl",
	} {
		if err := os.RemoveAll(filepath.Join(p.dir, unused)); err != nil {
			t.Fatal(err)
		}
	}
	p.git("remote", "add", "origin", "https://gitlab.example/"+labProject+".git")
	p.write(".git/info/exclude", ".gitlab-ci-local/\n")
	p.commit("base")
	p.git("update-ref", "refs/remotes/origin/main", "HEAD")
	p.env = append(os.Environ(), append(env, "PACKER_HYBRID_CACHE="+cache(t), "PATH="+handing(t)+":"+os.Getenv("PATH"),
		"TMPDIR="+t.TempDir(), "GITLAB_TOKEN="+projectToken, "HOME="+t.TempDir(), "PKR_VAR_proxmox_token="+buildSecret)...)
	return p
}

// handing is a folder with packer-hybrid, before which a job of a release, a reap or a look
// has the files of the jobs that it needs: GitLab's runner brings them, and
// gitlab-ci-local leaves that to the folder that all its jobs share.
func handing(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	script := `#!/bin/bash
shopt -s nullglob
case "$*" in
  *--release*) from=(.gitlab-ci-local/artifacts/{release,prepare,mark}*/artifacts) ;;
  *--reap\ --from*) from=(.gitlab-ci-local/artifacts/reap*/artifacts) ;;
  *--drift\ --from*) from=(.gitlab-ci-local/artifacts/drift*/artifacts) ;;
  *) from=() ;;
esac
for kept in "${from[@]}"; do mkdir -p artifacts && cp -R "$kept/." artifacts/; done
exec "` + program + `" "$@"
`
	if err := os.WriteFile(filepath.Join(dir, "packer-hybrid"), []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}

// serve starts the simulated GitLab, as it is after the last push.
func (p *pipelined) serve() {
	p.t.Helper()
	refs := map[string]string{"main": p.rev("main"), "change": p.rev("HEAD")}
	p.hub = labtest.GitLab(p.t, gitlab.Config{
		Project: labProject, ID: 7, Token: projectToken,
		Self: gitlab.User{ID: 90, Username: "project_7_bot", Level: gitlab.Developer}, Refs: refs, Change: 42,
	})
}

// pipeline is what came of one.
type pipeline struct {
	code int
	log  string
	jobs []string // with their ends, sorted
}

var jobEnd = regexp.MustCompile(`(?m)^\s*(PASS|FAIL) +(?:\[images\] -> )?(\S+)`)

// run has gitlab-ci-local run a pipeline of a source for what is checked out.
func (p *pipelined) run(source string, variables map[string]string) pipeline {
	p.t.Helper()
	cmd := p.command(source, variables)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		p.t.Fatal(err)
	}
	return p.ran(cmd.ProcessState.ExitCode(), string(out))
}

// command is gitlab-ci-local for a pipeline.
func (p *pipelined) command(source string, variables map[string]string) *exec.Cmd {
	p.t.Helper()
	sha := p.rev("HEAD")
	for ahead := range int64(6) { // of children too
		p.hub.AddPipeline(p.next+ahead, "main", sha, source)
	}
	p.next++
	all := map[string]string{
		"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": source, "CI_PROJECT_ID": "7",
		"CI_API_V4_URL": p.hub.URL(),
	}
	maps.Copy(all, variables)
	text, err := json.Marshal(all) // which is YAML
	if err != nil {
		p.t.Fatal(err)
	}
	file := filepath.Join(p.t.TempDir(), "variables.yml")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		p.t.Fatal(err)
	}
	cmd := exec.CommandContext(p.t.Context(), tool(p.t, "gitlab-ci-local"), "--no-color", "--concurrency", "1",
		"--no-artifacts-to-source",
		"--variables-file", file, "--ignore-predefined-vars", strings.Join(slices.Sorted(maps.Keys(all)), ","))
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// ran reads what gitlab-ci-local printed.
func (p *pipelined) ran(code int, log string) pipeline {
	p.t.Helper()
	r := pipeline{code: code, log: log}
	for _, end := range jobEnd.FindAllStringSubmatch(r.log, -1) {
		r.jobs = append(r.jobs, end[2]+" "+end[1])
	}
	slices.Sort(r.jobs)
	if slices.Contains(r.jobs, "images PASS") || slices.Contains(r.jobs, "images FAIL") {
		p.next++ // the child
	}
	for _, secret := range []string{projectToken, buildSecret} {
		if strings.Contains(r.log, secret) {
			p.t.Errorf("a secret is in the log:\n%s", r.log)
		}
	}
	return r
}

// mergeRequest are the variables of a pipeline for the merge request.
func (p *pipelined) mergeRequest() map[string]string {
	return map[string]string{
		"CI_MERGE_REQUEST_IID": "42", "CI_MERGE_REQUEST_PROJECT_ID": "7", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7",
		"CI_MERGE_REQUEST_DIFF_BASE_SHA": p.rev("main"), "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "change; touch pwned",
	}
}

// artifact is a file that a job left to GitLab.
func (p *pipelined) artifact(job, file string) string {
	p.t.Helper()
	return p.read(filepath.Join(".gitlab-ci-local/artifacts", job, file))
}

// quality reads a Code Quality report as GitLab does.
func (p *pipelined) quality(job string) []map[string]any {
	p.t.Helper()
	var all []map[string]any
	if err := json.Unmarshal([]byte(p.artifact(job, "artifacts/gl-code-quality-report.json")), &all); err != nil {
		p.t.Fatal(err)
	}
	for _, one := range all {
		place, _ := one["location"].(map[string]any)
		if place["path"] == "" || one["fingerprint"] == "" || one["description"] == "" {
			p.t.Errorf("GitLab would drop %v", one)
		}
	}
	return all
}

// cases reads a JUnit report: name → whether it failed.
func (p *pipelined) cases(job string) map[string]bool {
	p.t.Helper()
	var report struct {
		Cases []struct {
			Name    string    `xml:"name,attr"`
			Failure *struct{} `xml:"failure"`
		} `xml:"testsuite>testcase"`
	}
	if err := xml.Unmarshal([]byte(p.artifact(job, "artifacts/junit.xml")), &report); err != nil {
		p.t.Fatal(err)
	}
	all := map[string]bool{}
	for _, c := range report.Cases {
		all[c.Name] = c.Failure != nil
	}
	return all
}

// states are the commit statuses that GitLab shows, in words.
func (p *pipelined) states() string {
	var all []string
	for _, s := range p.hub.Statuses() {
		if s["retried"] == false {
			all = append(all, fmt.Sprint(strings.TrimPrefix(fmt.Sprint(s["name"]), "packer-hybrid "), "=", s["status"]))
		}
	}
	return strings.Join(all, ", ")
}

func TestGitLabMergeRequest(t *testing.T) {
	t.Parallel()
	p := newPipelined(t, nil)
	p.git("checkout", "-q", "-b", "change")
	p.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 3072\n")
	p.commit("/approve\n\nmore memory")
	p.serve()
	r := p.run("merge_request_event", p.mergeRequest())
	if r.code != 0 || fmt.Sprint(r.jobs) != "[change PASS report PASS]" || p.states() != "plan lab=success" ||
		len(p.hub.Notes()) != 1 {
		t.Fatalf("exit code %d, jobs %v, statuses %s, %d notes\n%s", r.code, r.jobs, p.states(), len(p.hub.Notes()), r.log)
	}
	if body := fmt.Sprint(p.hub.Notes()[0]["body"]); !strings.Contains(body, "vm_memory_mb") ||
		!strings.Contains(body, "commit="+p.rev("HEAD")) {
		t.Errorf("the note is %s", body)
	}
	// Variables of a change would come before GitLab's own in the job that reports.
	if _, err := os.Stat(filepath.Join(p.dir, ".gitlab-ci-local/artifacts/change/.gitlab-ci-reports/dotenv")); err == nil {
		t.Error("the job of a change gives variables to others")
	}
	if all := p.quality("change"); len(all) != 0 {
		t.Errorf("Code Quality: %v", all)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "pwned")); err == nil {
		t.Error("the name of a branch was run by a shell")
	}

	// A mistake: the pipeline fails, and every report has it at its line.
	p.edit("templates/os/linux.pkr.hcl", "playbook_file", "playbok_file")
	p.commit("a mistake")
	r = p.run("merge_request_event", p.mergeRequest())
	if r.code == 0 || fmt.Sprint(r.jobs) != "[change FAIL report PASS]" ||
		!strings.HasSuffix(p.states(), "plan lab=failed, plan example=failed") || len(p.hub.Notes()) != 1 {
		t.Fatalf("exit code %d, jobs %v, statuses %s, %d notes\n%s", r.code, r.jobs, p.states(), len(p.hub.Notes()), r.log)
	}
	if body := fmt.Sprint(p.hub.Notes()[0]["body"]); !strings.Contains(body, "playbok_file") {
		t.Errorf("the note is %s", body)
	}
	if all := p.quality("change"); len(all) == 0 || !strings.Contains(fmt.Sprint(all), "path:templates/os/linux.pkr.hcl") {
		t.Errorf("Code Quality: %v", all)
	}
	if cases := p.cases("change"); len(cases) != 1 || !slices.Contains(slices.Collect(maps.Values(cases)), true) {
		t.Errorf("JUnit: %v", cases)
	}
}

// TestGitLabMergeRequestOfTwoEnvironments changes another environment than the default one.
func TestGitLabMergeRequestOfTwoEnvironments(t *testing.T) {
	t.Parallel()
	p := newPipelined(t, nil)
	p.git("checkout", "-q", "-b", "change")
	p.edit("configs/example/debian-12.pkrvars.hcl", "61440", "71680")
	p.commit("a larger disk")
	p.serve()
	r := p.run("merge_request_event", p.mergeRequest())
	if r.code != 0 || p.states() != "plan lab=success, plan example=success, debian-12@vsphere (example)=success" ||
		len(p.hub.Notes()) != 1 {
		t.Fatalf("exit code %d, statuses %s, %d notes\n%s", r.code, p.states(), len(p.hub.Notes()), r.log)
	}
	body := fmt.Sprint(p.hub.Notes()[0]["body"])
	for _, want := range []string{
		"**Environment** `lab`: nothing moves", "**Environment** `example`: **1 of 1 target", "vm_disk_size_mb",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the note lacks %q:\n%s", want, body)
		}
	}
}

// From another project, and without a token: what is left is in the files.
func TestGitLabFork(t *testing.T) {
	t.Parallel()
	p := newPipelined(t, nil)
	p.git("checkout", "-q", "-b", "change")
	p.write("configs/lab/debian-12@vsphere.pkrvars.hcl", "vm_memory_mb = 3072\n")
	p.commit("more memory")
	p.serve()
	fork := p.mergeRequest()
	fork["CI_MERGE_REQUEST_SOURCE_PROJECT_ID"] = "8"
	p.env = append(p.env, "GITLAB_TOKEN=")
	r := p.run("merge_request_event", fork)
	if r.code != 0 || fmt.Sprint(r.jobs) != "[change PASS]" || len(p.hub.Calls()) != 0 {
		t.Errorf("exit code %d, jobs %v, requests %v\n%s", r.code, r.jobs, p.hub.Calls(), r.log)
	}
	if text := p.artifact("change", "artifacts/plan.json"); !strings.Contains(text, "vm_memory_mb") {
		t.Errorf("the plan is %s", text)
	}
	p.quality("change")
}

// TestGitLabBuild runs what reaches a platform, in one lab.
func TestGitLabBuild(t *testing.T) {
	t.Parallel()
	l := startLab(t)
	p := newPipelined(t, l.Env())
	labtest.ShortRecipe(t, p.dir)
	p.commit("a recipe that takes seconds")
	p.git("update-ref", "refs/remotes/origin/main", "HEAD")
	p.serve()

	// A push to the default branch: a plan, a job for the target, one that collects.
	r := p.run("push", nil)
	if r.code != 0 || fmt.Sprint(r.jobs) != "[collect PASS debian-12@vsphere PASS images PASS plan PASS]" {
		t.Fatalf("exit code %d, jobs %v\n%s", r.code, r.jobs, r.log)
	}
	if got := p.states(); got != "plan lab=success, build lab=success, build lab/debian-12@vsphere=success" {
		t.Errorf("statuses %s", got)
	}
	if cases := p.cases("collect"); len(cases) != 1 || cases["debian-12@vsphere"] {
		t.Errorf("JUnit: %v\n%s", cases, r.log)
	}
	if got := p.artifact("collect", ".gitlab-ci-reports/dotenv/artifacts/packer-hybrid.env"); !strings.Contains(got,
		"PACKER_HYBRID_RECORD=artifacts/record.json\n") {
		t.Errorf("dotenv: %q", got)
	}
	// with the lab's own, from which nothing is built
	if !strings.Contains(p.artifact("collect", "artifacts/record.json"), `"status": "built"`) ||
		len(templates(t, l)) != 2 {
		t.Errorf("vCenter has the templates %v", templates(t, l))
	}
	if len(p.hub.Notes()) != 0 {
		t.Errorf("a push wrote notes: %v", p.hub.Notes())
	}

	// The same again: nothing is built.
	r = p.run("push", nil)
	if r.code != 0 || fmt.Sprint(r.jobs) != "[images PASS nothing PASS plan PASS]" {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs, r.log)
	}
	// A tag that anybody may push starts nothing.
	tag := map[string]string{"CI_COMMIT_TAG": "v1.4.0", "CI_COMMIT_BRANCH": "", "CI_COMMIT_REF_PROTECTED": "false"}
	if r = p.run("push", tag); len(r.jobs) > 0 {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs, r.log)
	}
	// One that is protected: nothing more to build, and the release of that name.
	tag["CI_COMMIT_REF_PROTECTED"] = "true"
	r = p.run("push", tag)
	if r.code != 0 || fmt.Sprint(r.jobs) != "[images PASS mark PASS mark PASS mark PASS plan PASS prepare PASS prepare "+
		"PASS prepare PASS release PASS released PASS]" ||
		!strings.HasSuffix(p.states(), "publish lab=success, publish lab/debian-12@vsphere=success") {
		t.Errorf("exit code %d, jobs %v, statuses %s\n%s", r.code, r.jobs, p.states(), r.log)
	}
	if got := p.artifact("released", "artifacts/release.json"); !strings.Contains(got, `"v1.4.0"`) ||
		!strings.Contains(got, "debian-12@vsphere") {
		t.Errorf("the release is %s", got)
	}
	const night = "[drift PASS drift PASS drift PASS drifted PASS images PASS plan PASS reap PASS reap PASS reap PASS " +
		"reaped PASS]"
	r = p.run("schedule", nil)
	if r.code != 0 || fmt.Sprint(r.jobs) != night ||
		!strings.Contains(r.log, "plan for lab: 0 to build, 1 unchanged") || len(p.hub.Issues()) > 0 {
		t.Errorf("exit code %d, jobs %v, issues %v\n%s", r.code, r.jobs, p.hub.Issues(), r.log)
	}
	// What was built is gone: the night says so in an issue.
	machines, err := l.VSphere().Machines(t.Context())
	for _, vm := range machines {
		if err == nil && strings.HasPrefix(vm.Name, "debian-12-2") {
			err = l.VSphere().Remove(t.Context(), vm.Path)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	r = p.run("schedule", nil)
	issues := p.hub.Issues()
	if fmt.Sprint(r.jobs) != strings.Replace(night, "drifted PASS", "drifted FAIL", 1) || len(issues) != 1 ||
		issues[0]["state"] != "opened" || !strings.Contains(fmt.Sprint(issues[0]["description"]), "drift-gone") {
		t.Errorf("something is gone: exit code %d, jobs %v, issues %v\n%s", r.code, r.jobs, issues, r.log)
	}
	// Built again, all is well. A job that plans for others reaches no platform, so it has to be told.
	if r = p.run("web", map[string]string{"PACKER_HYBRID_COMMAND": "build debian-12 --rebuild"}); r.code != 0 ||
		fmt.Sprint(r.jobs) != "[collect PASS debian-12@vsphere PASS images PASS plan PASS]" {
		t.Errorf("exit code %d, jobs %v\n%s", r.code, r.jobs, r.log)
	}
	r = p.run("schedule", nil)
	if issues = p.hub.Issues(); r.code != 0 || len(issues) != 1 || issues[0]["state"] != "closed" {
		t.Errorf("all is well: exit code %d, jobs %v, issues %v\n%s", r.code, r.jobs, issues, r.log)
	}

	// Somebody asks, by hand or with a trigger token.
	for _, c := range []struct {
		source, command, sha string
		code                 int
		says                 string
	}{
		{"web", "build debian-12 --targets vsphere", p.rev("HEAD"), 0, "1 unchanged"},
		{"trigger", "status", "", 0, "debian-12@vsphere"},
		{"trigger", "build", strings.Repeat("c0ffee00", 5), 3, "is not merged into main"},
		{"api", "build debian-12; touch pwned", "", 2, "is not a name"},
		{"web", "", "", 2, "no command: give it in the variable PACKER_HYBRID_COMMAND"},
	} {
		r := p.run(c.source, map[string]string{"PACKER_HYBRID_COMMAND": c.command, "PACKER_HYBRID_SHA": c.sha})
		jobs, end := "[images PASS nothing PASS plan PASS]", "PASS"
		if c.code != 0 {
			jobs, end = "[plan FAIL]", fmt.Sprintf("FAIL %d", c.code)
		}
		if (r.code == 0) != (c.code == 0) || fmt.Sprint(r.jobs) != jobs || !strings.Contains(r.log, c.says) ||
			!strings.Contains(r.log, end) {
			t.Errorf("%s %q: exit code %d, jobs %v\n%s", c.source, c.command, r.code, r.jobs, r.log)
		}
	}
	if _, err := os.Stat(filepath.Join(p.dir, "pwned")); err == nil {
		t.Error("a command line was run by a shell")
	}
	r = p.run("web", map[string]string{
		"PACKER_HYBRID_COMMAND": "status", "CI_COMMIT_BRANCH": "topic",
		"CI_COMMIT_REF_NAME": "topic",
	})
	if len(r.jobs) > 0 {
		t.Errorf("a command on another branch: exit code %d, jobs %v\n%s", r.code, r.jobs, r.log)
	}
	if got := p.states(); !strings.HasSuffix(got, "plan lab=success") || strings.Contains(got, "running") ||
		strings.Contains(got, "pending") {
		t.Errorf("statuses %s", got)
	}
}

// TestGitLabKilled kills packer-hybrid and all that it started in the middle of
// a build: what GitLab runs after the script removes the machine, and the job that
// collects ends the statuses.
func TestGitLabKilled(t *testing.T) {
	t.Parallel()
	l := startLab(t)
	p := newPipelined(t, l.Env())
	p.serve()
	cmd := p.command("web", map[string]string{"PACKER_HYBRID_COMMAND": "build debian-12"})
	said, wait := working(t, cmd, "Provisioning with Ansible")
	killBelow(t, cmd.Process.Pid, "bash") // the runner's own shells see the end of what they run
	_ = wait()                            // the exit code is looked at below
	r := p.ran(cmd.ProcessState.ExitCode(), string(said()))
	// gitlab-ci-local lets the trigger pass although its child failed; GitLab does not.
	if fmt.Sprint(r.jobs) != "[collect FAIL debian-12@vsphere FAIL images PASS plan PASS]" ||
		p.states() != "plan lab=success, build lab=failed, build lab/debian-12@vsphere=failed" {
		t.Errorf("exit code %d, jobs %v, statuses %s\n%s", r.code, r.jobs, p.states(), r.log)
	}
	if names := templates(t, l); len(names) != 1 { // the lab's own
		t.Errorf("vCenter has the templates %v\n%s", names, r.log)
	}
}

// templates are the names of vCenter's templates.
func templates(t *testing.T, l *lab.Lab) []string {
	t.Helper()
	machines, err := l.VSphere().Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range machines {
		if m.Template {
			names = append(names, m.Name)
		} else {
			t.Errorf("left in vCenter: %s", m.Name)
		}
	}
	return names
}
