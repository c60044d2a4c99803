// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:02:00Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package ci

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Limits of the systems: jobs of one matrix, and UTF-16 bytes of one output, at
// GitHub (docs.github.com/actions/reference/limits); jobs that one needs, at
// GitLab.
const (
	maxMatrix = 256
	maxNeeds  = 50
)

// Runners are labels of runners, in GitLab tags, by platform. A platform without
// any gets DefaultRunner at GitHub, and no tags at GitLab.
type Runners map[hybridcore.Platform][]string

// DefaultRunner is the label of GitHub's own runners.
const DefaultRunner = "ubuntu-latest"

// row is one job of a matrix.
type row struct {
	Image       string              `json:"image"`
	Platform    hybridcore.Platform `json:"platform"`
	Target      string              `json:"target"`
	Env         string              `json:"env"`
	Environment string              `json:"environment"` // that holds the credentials of this platform: ENV-PLATFORM
	RunsOn      []string            `json:"runs_on"`
	Command     string              `json:"command"` // what the job does, in the shared grammar
}

// Matrix is the value of strategy.matrix for the targets that a plan builds, on
// one line; without any it is {"include":[]}, to be left out with an `if:`. More
// than GitHub takes is a BlockedError.
func Matrix(plan hybridcore.Plan, runners Runners) (string, error) {
	if err := dealable(plan); err != nil {
		return "", err
	}
	rows := []row{}
	for _, t := range plan.Pending() {
		labels := runners[t.Target.Platform]
		if len(labels) == 0 {
			labels = []string{DefaultRunner}
		}
		rows = append(rows, row{
			Image: t.Target.Image.Name, Platform: t.Target.Platform, Target: t.Target.Name(), Env: t.Target.Env,
			Environment: t.Target.Env + "-" + string(t.Target.Platform), RunsOn: labels, Command: partCommand(plan, t.Target),
		})
	}
	text, err := json.Marshal(map[string][]row{"include": rows})
	if err != nil {
		return "", fmt.Errorf("encoding the matrix: %w", err)
	}
	if n := 2 * len(utf16.Encode([]rune(string(text)))); len(rows) > maxMatrix || n > MaxOutput {
		return "", hybridcore.Blockedf("the matrix would have %d jobs in %d bytes, and GitHub takes at most %d in %d: plan fewer images or platforms at once",
			len(rows), n, maxMatrix, MaxOutput)
	}
	return string(text), nil
}

// dealable refuses a plan whose digests other machines cannot have.
func dealable(plan hybridcore.Plan) error {
	if plan.Base != nil {
		return hybridcore.Usagef("the difference to a commit says nothing of what is built: leave --base out for a matrix")
	}
	for _, t := range plan.Pending() {
		if t.Target.Inputs["packer"] == "" {
			return hybridcore.Blockedf("%s has no digest that a job could be held to, because Packer or its plugins are not here: install on this machine what builds there", t.Target.Name())
		}
	}
	return nil
}

// partCommand is what the job of a target does.
func partCommand(plan hybridcore.Plan, t hybridcore.Target) string {
	words := []string{"build", t.Image.Name, "--env", t.Env, "--targets", string(t.Platform), "--part", t.Digest}
	if plan.Commit != "" {
		words = append(words, "--commit", plan.Commit)
	}
	return strings.Join(words, " ")
}

// collectCommand is what the job after all others does.
func collectCommand(plan hybridcore.Plan) string {
	words := []string{"collect", hybridcore.PartsDir, "--env", plan.Request.Env}
	if len(plan.Request.Platforms) > 0 {
		var names []string
		for _, p := range plan.Request.Platforms {
			names = append(names, string(p))
		}
		words = append(words, "--targets", strings.Join(names, ","))
	}
	if len(plan.Request.Images) > 0 {
		words = append(words, "--image", strings.Join(plan.Request.Images, ","))
	}
	if plan.Request.Rebuild {
		words = append(words, "--rebuild")
	}
	if plan.Commit != "" {
		words = append(words, "--commit", plan.Commit)
	}
	return strings.Join(words, " ")
}

// glJob is a job of a child pipeline.
type glJob struct {
	Stage       string            `yaml:"stage"`
	Tags        []string          `yaml:"tags,omitempty"`
	Needs       []string          `yaml:"needs,omitempty"`
	When        string            `yaml:"when,omitempty"`
	Environment map[string]string `yaml:"environment,omitempty"`
	Variables   map[string]string `yaml:"variables,omitempty"`
	Script      []string          `yaml:"script"`
	Artifacts   *glArtifacts      `yaml:"artifacts,omitempty"`
}

type glArtifacts struct {
	When    string            `yaml:"when"`
	Paths   []string          `yaml:"paths"`
	Reports map[string]string `yaml:"reports,omitempty"`
}

const pipelineHeader = `# Made by packer-hybrid plan --matrix gitlab: one job for each target that is to be built, and one that collects.
# Image and credentials come from a second file of the trigger; see docs/fan-out.md.
`

// Pipeline is a child pipeline for the targets that a plan builds, as YAML; with
// nothing to build one job that says so, because GitLab refuses an empty one.
func Pipeline(plan hybridcore.Plan, runners Runners) (string, error) {
	if err := dealable(plan); err != nil {
		return "", err
	}
	doc := yaml.Node{Kind: yaml.MappingNode}
	add := func(key string, value any) error {
		node := yaml.Node{}
		if err := node.Encode(value); err != nil {
			return fmt.Errorf("encoding the pipeline: %w", err)
		}
		doc.Content = append(doc.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key, Tag: "!!str"}, &node)
		return nil
	}
	err := add("stages", []string{"build", "collect"})
	var jobs []string
	for _, t := range plan.Pending() {
		jobs = append(jobs, t.Target.Name())
		if err == nil {
			err = add(t.Target.Name(), partJob(plan, t.Target, runners))
		}
	}
	switch {
	case err != nil:
	case len(jobs) == 0:
		err = add("nothing", glJob{Stage: "collect", Script: []string{"echo 'nothing to build: every target is unchanged'"}, Variables: map[string]string{"GIT_STRATEGY": "none"}})
	default:
		err = add("collect", collectJob(plan, jobs))
	}
	if err != nil {
		return "", err
	}
	var out bytes.Buffer
	out.WriteString(pipelineHeader)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&doc); err != nil {
		return "", fmt.Errorf("encoding the pipeline: %w", err)
	}
	return out.String(), nil
}

func partJob(plan hybridcore.Plan, t hybridcore.Target, runners Runners) glJob {
	return glJob{
		Stage: "build", Tags: slices.Clone(runners[t.Platform]), Needs: nil, Script: []string{"packer-hybrid ci"},
		// Variables that are scoped to the environment reach this job only.
		Environment: map[string]string{"name": t.Env + "/" + string(t.Platform), "action": "access"},
		Variables:   map[string]string{CommandVariable: partCommand(plan, t), "GIT_DEPTH": "0"},
		Artifacts:   &glArtifacts{When: "always", Paths: []string{"artifacts/", "logs/"}},
	}
}

func collectJob(plan hybridcore.Plan, jobs []string) glJob {
	job := glJob{
		Stage: "collect", When: "always", Script: []string{"packer-hybrid ci"},
		Variables: map[string]string{CommandVariable: collectCommand(plan), "GIT_DEPTH": "0"},
		Artifacts: &glArtifacts{When: "always", Paths: []string{"artifacts/"}, Reports: map[string]string{
			"codequality": "artifacts/gl-code-quality-report.json", "dotenv": "artifacts/packer-hybrid.env", "junit": "artifacts/junit.xml",
		}},
	}
	if len(jobs) <= maxNeeds { // beyond that the order of the stages says the same
		job.Needs = jobs
	}
	return job
}
