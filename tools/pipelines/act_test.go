// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:45:00Z
// Spec: openspec/specs/workflows/spec.md#requirement-one-workflow-for-images
// Diagram: openspec/specs/workflows/diagram.md#jobs-of-the-images

//go:build pipelines

package pipelines_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/lab"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/labtest"
)

// object is a JSON object.
type object = map[string]any

const (
	jobToken = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
	repo     = "o/r"
)

// site is a repository of images with the workflows of this one, as its user has
// it, an origin that gives out commits as GitHub does, and a simulated GitHub.
type site struct {
	checkout // in which act reads the workflows

	origin  string // bare
	scratch string
	hub     *github.Server
	runner  []string          // environment of the runner
	secrets map[string]string // of the repository
}

// newSite makes a site whose first commit is on main. The lab may be nil.
func newSite(t *testing.T, l *lab.Lab) *site {
	t.Helper()
	s := &site{
		checkout: newCheckout(t, ".github/workflows/images.yml"), origin: t.TempDir(), scratch: t.TempDir(),
		secrets: map[string]string{"GITHUB_TOKEN": jobToken},
	}
	s.edit("packer-hybrid.hcl", `merge    = ["build"]`, `merge    = ["build debian-12 --platforms proxmox,vsphere"]`)
	s.edit("packer-hybrid.hcl", `tag      = ["build", "publish"]`,
		`tag      = ["build debian-12 --platforms proxmox,vsphere", "publish debian-12 --platforms proxmox,vsphere"]`)
	s.edit("packer-hybrid.hcl", "# runners = {", "runners = {")
	s.runner = []string{
		"PACKER_HYBRID_CACHE=" + cache(t), "PACKER_HYBRID_STATE=" + filepath.Join(s.scratch, "state"),
		"STANDIN_ORIGIN=file://" + s.origin, "STANDIN_ARTIFACTS=" + filepath.Join(s.scratch, "artifacts"),
	}
	if l != nil {
		s.credentials(l.Env())
	}
	s.git("init", "-q", "--bare", "-b", "main", "--template=", s.origin)
	s.git("-C", s.origin, "config", "uploadpack.allowAnySHA1InWant", "true") // as GitHub gives out any commit
	s.git("remote", "add", "origin", s.origin)
	s.commit("base")
	s.git("push", "-q", "origin", "main")
	return s
}

// newShortSite is for tests that ask what becomes of a build, not what is in its image.
func newShortSite(t *testing.T, l *lab.Lab) *site {
	t.Helper()
	s := newSite(t, l)
	labtest.ShortRecipe(t, s.dir)
	s.commit("a recipe that takes seconds")
	s.git("push", "-q", "origin", "main")
	return s
}

// credentials makes secrets of the lab's passwords, and gives the rest to the runner.
func (s *site) credentials(env []string) {
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		switch name {
		case "PKR_VAR_build_password", "PKR_VAR_proxmox_token", "PKR_VAR_vsphere_password", "PKR_VAR_azure_client_secret":
			s.secrets[strings.ToUpper(name)] = value
		default:
			s.runner = append(s.runner, entry)
		}
	}
}

// github starts the simulated GitHub, which knows these commits; the first is
// the head of the pull request. The token must not write what is denied.
func (s *site) github(commits []string, denied ...string) {
	s.t.Helper()
	config := github.Config{
		Repository: repo, Token: jobToken, Login: "github-actions[bot]", Commits: commits, Change: 7, Base: s.rev("main"),
		Roles: map[string]string{"mara": "write", "mona": "write"}, Users: map[string]int64{"mona": 5, "somebody": 6},
		Denied: denied,
	}
	s.hub = labtest.GitHub(s.t, config)
}

// entry is what act says about a moment of a job.
type entry struct {
	Job     string            `json:"jobID"`
	Matrix  map[string]any    `json:"matrix"`
	StepID  []string          `json:"stepID"`
	Step    string            `json:"step"`
	Result  string            `json:"stepResult"`
	Ended   string            `json:"jobResult"`
	Command string            `json:"command"`
	Name    string            `json:"name"`
	Arg     string            `json:"arg"`
	Pairs   map[string]string `json:"kvPairs"`
	Content string            `json:"content"`
	Raw     bool              `json:"raw_output"`
	Message string            `json:"msg"`
}

// ran is a workflow that ended.
type ran struct {
	code    int
	entries []entry
	text    string
}

// command is a run of a workflow by act.
func (s *site) command(event string, payload object) *exec.Cmd {
	s.t.Helper()
	text, err := json.Marshal(payload)
	if err != nil {
		s.t.Fatal(err)
	}
	files := map[string]string{"event.json": string(text), "secrets": ""}
	for _, name := range slices.Sorted(maps.Keys(s.secrets)) {
		files["secrets"] += fmt.Sprintf("%s=%q\n", name, s.secrets[name])
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(s.scratch, name), []byte(text), 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
	actions, err := filepath.Abs("testdata/actions")
	if err != nil {
		s.t.Fatal(err)
	}
	args := []string{
		event, "--json", "-W", ".github/workflows/images.yml", "-e", filepath.Join(s.scratch, "event.json"), "--secret-file",
		filepath.Join(s.scratch, "secrets"),
		"-P", "self-hosted=-self-hosted", "--action-cache-path", filepath.Join(s.scratch, "act"), "--no-skip-checkout",
		"--no-cache-server", "--cache-server-addr", "127.0.0.1", "--artifact-server-addr", "127.0.0.1", "--env",
		"GITHUB_API_URL=" + s.hub.URL(), "--env", "GITHUB_REPOSITORY=" + repo,
	}
	for _, action := range []string{
		"checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8", "upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02",
		"download-artifact@d3f86a106a0bac45b974a628896c90dbdf5c8093",
	} {
		name, _, _ := strings.Cut(action, "@")
		args = append(args, "--local-repository", "https://github.com/actions/"+action+"="+filepath.Join(actions, name))
	}
	cmd := exec.CommandContext(s.t.Context(), tool(s.t, "act"), args...)
	cmd.Dir = s.dir
	home := filepath.Join(s.scratch, "home") // act reads an .actrc there
	cmd.Env = append(os.Environ(), append(s.runner, "HOME="+home, "PATH="+filepath.Dir(program)+":"+os.Getenv("PATH"))...)
	return cmd
}

// act runs a workflow to its end.
func (s *site) act(event string, payload object) ran {
	s.t.Helper()
	if err := os.RemoveAll(filepath.Join(s.scratch, "artifacts")); err != nil {
		s.t.Fatal(err)
	}
	out, err := s.command(event, payload).CombinedOutput()
	return s.ran(out, err)
}

func (s *site) ran(out []byte, err error) ran {
	s.t.Helper()
	r := ran{text: string(out)}
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		r.code = exit.ExitCode()
	} else if err != nil {
		s.t.Fatalf("act: %v\n%s", err, out)
	}
	for line := range bytes.Lines(out) {
		var e entry
		if json.Unmarshal(line, &e) == nil {
			r.entries = append(r.entries, e)
		}
	}
	if len(r.entries) == 0 {
		s.t.Fatalf("act said nothing:\n%s", out)
	}
	return r
}

// log is what the scripts of the jobs printed.
func (r ran) log() string {
	var all strings.Builder
	for _, e := range r.entries {
		if e.Raw || e.Command == "ignored" {
			all.WriteString(e.Message)
		}
	}
	return all.String()
}

// of are the entries of a command: summary, set-output, error, add-mask.
func (r ran) of(command string) []entry {
	return slices.DeleteFunc(slices.Clone(r.entries), func(e entry) bool { return e.Command != command })
}

func (r ran) summary() string {
	var all strings.Builder
	for _, e := range r.of("summary") {
		all.WriteString(e.Content)
	}
	return all.String()
}

// jobs are the results of the jobs that ran; of those of a matrix a failure.
func (r ran) jobs() map[string]string {
	all := map[string]string{}
	for _, e := range r.entries {
		if e.Ended != "" && all[e.Job] != "failure" {
			all[e.Job] = e.Ended
		}
	}
	return all
}

// exits are the exit codes of the scripts that failed, in their order.
func (r ran) exits() []string {
	var all []string
	for _, e := range r.entries {
		if code, ok := strings.CutPrefix(e.Message, "exit status "); ok {
			all = append(all, code)
		}
	}
	return all
}

// TestWorkflowsAreValid has act's own schema judge every workflow.
func TestWorkflowsAreValid(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(repository, ".github/workflows/*.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no workflow was found: %v", err)
	}
	for _, file := range files {
		out, err := exec.CommandContext(t.Context(), tool(t, "act"), "--validate", "--strict", "-W", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}
