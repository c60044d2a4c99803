// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:06:40Z
// Spec: openspec/specs/ci/spec.md#requirement-fan-out
// Diagram: openspec/specs/ci/diagram.md#fan-out

package gitlab

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// maxNeeds bounds the jobs that one needs at GitLab.
const maxNeeds = forge.MaxFollowing

// buildLine is the build of a plan, in the shared grammar.
func buildLine(plan hybridcore.Plan) string {
	r := plan.Request
	words := append([]string{"build"}, r.Images...)
	words = append(words, "--env", r.Env)
	if len(r.Platforms) > 0 {
		var names []string
		for _, p := range r.Platforms {
			names = append(names, string(p))
		}
		words = append(words, "--targets", strings.Join(names, ","))
	}
	if r.Rebuild {
		words = append(words, "--rebuild")
	}
	if r.RetryFailed != "" {
		words = append(words, "--retry-failed", r.RetryFailed)
	}
	return strings.Join(words, " ")
}

// glJob is a job of a child pipeline.
type glJob struct {
	Stage       string            `yaml:"stage"`
	Tags        []string          `yaml:"tags,omitempty"`
	Needs       []string          `yaml:"needs,omitempty"`
	When        string            `yaml:"when,omitempty"`
	MayFail     bool              `yaml:"allow_failure,omitempty"`
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

const pipelineHeader = `# Made by packer-hybrid: a job for each target that is to be built and for each platform that is published,
# looked at or reaped, and one that collects. Image and settings of the jobs come from a second file of the trigger;
# see docs/fan-out.md.
`

// childPipeline is a child pipeline as YAML: the targets that a plan builds (nil: there
// is no build), and what the decision has besides. With nothing to do it has one
// job that says so, because GitLab refuses an empty one.
func childPipeline(c forge.Shares) (string, error) {
	plan, p := c.Plan, pipeline{shares: c, doc: yaml.Node{Kind: yaml.MappingNode}}
	stages := []string{"build", "collect", "release", "reap"}
	if len(c.Next) > 0 {
		stages = append(stages, "next")
	}
	p.add("stages", stages)
	if plan != nil {
		if err := forge.Sharable(*plan); err != nil {
			return "", err
		}
		p.build(*plan, p.line(hybridcore.ActionBuild, buildLine(*plan)), "", nil)
		if err := p.following(); err != nil {
			return "", err
		}
	}
	if r, ok := c.Decision.Find(hybridcore.ActionPublish); ok {
		p.release(r)
	}
	if r, ok := c.Decision.Find(hybridcore.ActionDrift); ok && r.Looks() {
		p.inParts(r, "drift", "drifted")
	}
	if r, ok := c.Decision.Find(hybridcore.ActionReap); ok {
		p.inParts(r, "reap", "reaped")
	}
	if p.jobs == 0 {
		why := "nothing to build: every target is unchanged"
		if plan == nil {
			why = "no jobs: what was asked for builds, publishes, looks at and reaps nothing on a platform, and the job " +
				"plan has its answer"
		}
		p.job("nothing", glJob{
			Stage: "collect", Script: []string{"echo '" + why + "'"},
			Variables: map[string]string{"GIT_STRATEGY": "none"},
		})
	}
	var out bytes.Buffer
	out.WriteString(pipelineHeader)
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(&p.doc); err != nil && p.err == nil {
		p.err = err
	}
	if p.err != nil {
		return "", fmt.Errorf("encoding the pipeline: %w", p.err)
	}
	return out.String(), nil
}

// pipeline is one that is being made.
type pipeline struct {
	shares  forge.Shares
	doc     yaml.Node
	err     error // the first
	jobs    int
	collect string // the job that the release waits for; empty for none
}

// add adds one entry, in the order in which they are to stand.
func (p *pipeline) add(key string, value any) {
	node := yaml.Node{}
	if err := node.Encode(value); err != nil && p.err == nil {
		p.err = err
	}
	p.doc.Content = append(p.doc.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key, Tag: "!!str"}, &node)
}

func (p *pipeline) job(name string, job glJob) {
	if len(job.Needs) > maxNeeds { // beyond that the order of the stages says the same
		job.Needs = nil
	}
	p.jobs++
	p.add(name, job)
}

// variables are those of a job that does a line of the decision. A ticket of the
// bot is not among them: the job that made this pipeline has verified it, and they
// have the request's ID only.
func (p *pipeline) variables(line, commit string, more map[string]string) map[string]string {
	all := map[string]string{commandVariable: line, "GIT_DEPTH": "0"}
	if commit != "" {
		all[shaVariable] = commit
	}
	if p.shares.Decision.Ticket {
		all[requestVariable] = p.shares.Decision.Request
	}
	maps.Copy(all, more)
	return all
}

// line is the decision's for an action, or else another.
func (p *pipeline) line(action hybridcore.Action, or string) string {
	for _, line := range p.shares.Decision.Lines {
		if word, _, _ := strings.Cut(line, " "); word == string(action) {
			return line
		}
	}
	return or
}

// environment holds the credentials of one platform: variables that are scoped
// to it reach its jobs only.
func environment(env string, platform hybridcore.Platform) map[string]string {
	return map[string]string{"name": env + "/" + string(platform), "action": "access"}
}

// withState is the environment of the jobs with the state: GITLAB_TOKEN, and the
// key of tickets, are scoped to it, and reach no job near a platform.
func withState() map[string]string {
	return map[string]string{"name": "packer-hybrid-state", "action": "access"}
}

// following adds the environments that a merge is built for later: for each a job that
// somebody starts by hand, which its protected environment lets only some do, and the
// build behind it.
func (p *pipeline) following() error {
	before := p.collect
	for _, plan := range p.shares.Next {
		if err := forge.Sharable(plan); err != nil {
			return err
		}
		env := plan.Request.Env
		line, _, err := p.shares.Decision.For(env)
		if err != nil {
			return err
		}
		gate, needs := "approve "+env, []string{}
		if before != "" {
			needs = append(needs, before)
		}
		if len(plan.Pending()) == 0 {
			continue
		}
		p.job(gate, glJob{
			Stage: "next", When: "manual", Needs: needs, Variables: map[string]string{"GIT_STRATEGY": "none"},
			Environment: map[string]string{"name": env, "action": "access"},
			Script:      []string{"echo '" + env + " is built for by the jobs that follow'"},
		})
		before = p.build(plan, line, env, []string{gate})
	}
	return nil
}

// build adds the jobs of a plan, which wait for others; of an environment that follows
// they are named by it. It returns the job that collects; empty for none.
func (p *pipeline) build(plan hybridcore.Plan, line, env string, after []string) string {
	named, stage, last, when := func(name string) string { return name }, "build", "collect", "always"
	if env != "" {
		// A job that always runs would not wait for one that is started by hand. So it runs
		// after a failed part because that may fail; what it came to is what it says then.
		named, stage, last, when = func(name string) string { return name + " (" + env + ")" }, "next", "next", ""
	}
	var jobs []string
	for _, t := range plan.Pending() {
		target := t.Target
		jobs = append(jobs, named(target.Name()))
		p.job(named(target.Name()), glJob{
			Stage: stage, Needs: after, MayFail: env != "",
			Tags: slices.Clone(p.shares.Runners[target.Platform]), Script: []string{"packer-hybrid ci --part"},
			Environment: environment(target.Env, target.Platform),
			Variables: p.variables(line, plan.Commit, map[string]string{
				ci.TargetVariable: target.Name(), ci.DigestVariable: target.Digest, ci.EnvVariable: target.Env,
			}),
			Artifacts: &glArtifacts{When: "always", Paths: []string{"artifacts/"}},
		})
	}
	if len(jobs) == 0 {
		return ""
	}
	name := named("collect")
	if env == "" {
		p.collect = name
	}
	p.job(name, glJob{
		Stage: last, When: when, Needs: jobs, Environment: withState(),
		Script:    []string{"packer-hybrid ci --collect " + hybridcore.PartsDir},
		Variables: p.variables(line, plan.Commit, nil), Artifacts: reportFiles(),
	})
	return name
}

func reportFiles() *glArtifacts {
	return &glArtifacts{When: "always", Paths: []string{"artifacts/"}, Reports: map[string]string{
		"codequality": "artifacts/gl-code-quality-report.json", "dotenv": "artifacts/packer-hybrid.env",
		"junit": "artifacts/junit.xml",
	}}
}

// releaseDir is where the jobs of a release leave what the next ones need.
const releaseDir = "artifacts/release"

// release publishes in two phases: all platforms are prepared before any is marked.
func (p *pipeline) release(r hybridcore.Request) {
	line, commit := p.line(hybridcore.ActionPublish, ""), p.shares.Decision.SHA
	kept := &glArtifacts{When: "always", Paths: []string{"artifacts/"}}
	job := func(phase string, needs []string) glJob {
		script := "packer-hybrid ci --release " + phase
		if phase != "plan" {
			script += " --from " + releaseDir
		}
		return glJob{
			Stage: "release", Needs: needs, Script: []string{script}, Variables: p.variables(line, commit, nil), Artifacts: kept,
		}
	}
	var first []string
	if p.collect != "" {
		first = []string{p.collect}
	}
	plan := job("plan", first)
	plan.Environment = withState()
	p.job("release plan", plan)
	needs := []string{"release plan"}
	for _, phase := range []string{"prepare", "mark"} {
		before := slices.Clone(needs)
		for _, platform := range p.shares.Decision.Reached(r) {
			one := job(phase, before)
			one.Tags, one.Environment = slices.Clone(p.shares.Runners[platform]), environment(p.shares.Decision.Env, platform)
			one.Variables[ci.PlatformVariable] = string(platform)
			name := phase + " " + string(platform)
			p.job(name, one)
			needs = append(needs, name)
		}
	}
	last := job("record", needs)
	last.When, last.Artifacts, last.Environment = "always", reportFiles(), withState()
	p.job("released", last)
}

// night is the stage of both: what one of them found keeps nobody from the other.
const night = "reap"

// inParts adds a verb that a job for each platform does, and the job that puts together what
// they hand over.
func (p *pipeline) inParts(r hybridcore.Request, each, together string) {
	line, commit := p.line(r.Action, ""), p.shares.Decision.SHA
	var needs []string
	for _, platform := range p.shares.Decision.Reached(r) {
		name := each + " " + string(platform)
		p.job(name, glJob{
			Stage: night, Tags: slices.Clone(p.shares.Runners[platform]), Script: []string{"packer-hybrid ci --" + each},
			Environment: environment(p.shares.Decision.Env, platform),
			Variables:   p.variables(line, commit, map[string]string{ci.PlatformVariable: string(platform)}),
			Artifacts:   &glArtifacts{When: "always", Paths: []string{"artifacts/"}},
		})
		needs = append(needs, name)
	}
	more := map[string]string{}
	if p.shares.Decision.Scheduled {
		more[scheduledVariable] = "true"
	}
	p.job(together, glJob{
		Stage: night, When: "always", Needs: needs, Environment: withState(),
		Script:    []string{"packer-hybrid ci --" + each + " --from artifacts"},
		Variables: p.variables(line, commit, more), Artifacts: reportFiles(),
	})
}
