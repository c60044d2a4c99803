// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:03:46Z
// Spec: openspec/specs/security/spec.md#requirement-three-classes-of-jobs
// Diagram: openspec/specs/security/diagram.md#classes-of-jobs

package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// keywords are what GitLab has at the top of a file that is no job.
var keywords = []string{
	"default", "include", "stages", "variables", "workflow", "image", "services", "cache",
	"before_script", "after_script", "spec",
}

// runnerTags are the tags of the runners that a class has for itself; the last of
// untrusted is for the tests of this repository.
var runnerTags = map[class][]string{
	untrusted:  {"packer-hybrid-ephemeral", "packer-hybrid-check"},
	decide:     {"packer-hybrid-decide"},
	privileged: {"packer-hybrid-state"},
}

// reports is the environment whose one variable is a token for reports on changes.
const reports = "reports"

var (
	gitlabSecret = regexp.MustCompile(`\bPKR_VAR_|\bPACKER_HYBRID_STATE\b`)
	reportToken  = regexp.MustCompile(`\bGITLAB_TOKEN\b`)
	// protectedRef is a condition under which GitLab's protection of branches and
	// tags says who made the commit.
	protectedRef = regexp.MustCompile(`\$CI_COMMIT_BRANCH == \$CI_DEFAULT_BRANCH|\$CI_COMMIT_REF_PROTECTED == "true"`)
)

// pipelineJobs are the jobs of a file of GitLab, each with all that it extends.
func pipelineJobs(file string, root *yaml.Node) []job {
	var all []job
	for key, is := range pairs(root) {
		if is.Kind != yaml.MappingNode || strings.HasPrefix(key.Value, ".") || slices.Contains(keywords, key.Value) {
			continue
		}
		all = append(all, job{file, key.Value, classOf(key), key, extended(root, is, 0)})
	}
	return all
}

// extended is a job with what it has of others; nearer ones win. Only maps are
// merged, as GitLab does.
func extended(root, is *yaml.Node, depth int) *yaml.Node {
	whole := &yaml.Node{Kind: yaml.MappingNode, Line: is.Line, Content: slices.Clone(is.Content)}
	if depth > 10 {
		return whole
	}
	names := several(value(is, "extends"))
	slices.Reverse(names)
	for _, name := range names {
		base := value(root, name)
		if base == nil {
			continue
		}
		for key, inherited := range pairs(extended(root, base, depth+1)) {
			switch own := value(whole, key.Value); {
			case own == nil:
				whole.Content = append(whole.Content, key, inherited)
			case own.Kind == yaml.MappingNode && inherited.Kind == yaml.MappingNode:
				for inner, is := range pairs(inherited) {
					if value(own, inner.Value) == nil {
						own.Content = append(own.Content, inner, is)
					}
				}
			}
		}
	}
	return whole
}

// Pipelines reports, in GitLab's pipelines, jobs without a class and jobs that have
// or read what their class must not. Jobs of a child pipeline are made by
// packer-hybrid, and its tests hold them to the same.
func Pipelines(t *Tree) []Problem {
	c := &workflowCheck{}
	for _, f := range t.Files {
		if !isPipeline(f.Path) {
			continue
		}
		c.file = f.Path
		root := document(f.Text)
		for _, at := range scalars(value(root, "default")) {
			if gitlabSecret.MatchString(at.Value) || at.Value == "environment" {
				c.add(at, "a credential for every job: give it to the environment of a platform")
			}
		}
		for _, j := range pipelineJobs(f.Path, root) {
			c.gitlabJob(j)
		}
	}
	return c.problems
}

// gitlabJob checks one job.
func (c *workflowCheck) gitlabJob(j job) {
	if j.class == "" {
		c.add(j.key, noClass(j))
		return
	}
	for _, at := range scalars(j.is) {
		if gitlabSecret.MatchString(at.Value) {
			c.add(at, j.name+" names a credential or the state: runners and environments have these")
		}
	}
	c.gitlabTags(j)
	c.gitlabEnvironment(j)
	c.gitlabTrigger(j)
	if j.class == untrusted {
		return
	}
	rules := value(j.is, "rules")
	if rules == nil {
		c.add(j.key, j.name+" runs for every event: its rules are to ask for the default branch or a protected tag")
		return
	}
	for _, rule := range rules.Content {
		if condition := text(value(rule, "if")); !protectedRef.MatchString(condition) {
			c.add(rule, fmt.Sprintf("%s runs where anybody may push: %q asks for no default branch and no protected ref",
				j.name, condition))
		}
	}
}

// checksOut says whether a job of GitLab has the commit's files.
func checksOut(j job) bool { return text(value(value(j.is, "variables"), "GIT_STRATEGY")) != "none" }

// gitlabTags holds a job to the runners of its class.
func (c *workflowCheck) gitlabTags(j job) {
	has := several(value(j.is, "tags"))
	if value(j.is, "trigger") != nil {
		return // it runs on no runner
	}
	if len(has) != 1 || !slices.Contains(runnerTags[j.class], has[0]) {
		c.add(j.key, misplaced(j, has, runnerTags))
	}
}

// gitlabEnvironment refuses environments, which have credentials: those of platforms
// are in the child pipeline, and the token for reports goes to a job without a checkout.
func (c *workflowCheck) gitlabEnvironment(j job) {
	environment := value(j.is, "environment")
	name := text(environment)
	if name == "" {
		name = text(value(environment, "name"))
	}
	report := name == reports && j.class == untrusted && !checksOut(j)
	if environment != nil && !report && (name != stateEnvironment || j.class != privileged) {
		c.add(environment, fmt.Sprintf("%s has the credentials of the environment %q; jobs of the child have those of one",
			j.name, name))
	}
	if j.class != untrusted || !checksOut(j) {
		return
	}
	for _, at := range scalars(j.is) {
		if reportToken.MatchString(at.Value) {
			c.add(at, "the token in "+j.name+", which reads what nobody has reviewed")
		}
	}
}

// gitlabTrigger keeps the variables of a pipeline from its child, where they would
// replace those of the jobs.
func (c *workflowCheck) gitlabTrigger(j job) {
	trigger := value(j.is, "trigger")
	if trigger == nil {
		return
	}
	forward := value(trigger, "forward")
	for _, kind := range []string{"yaml_variables", "pipeline_variables"} {
		if text(value(forward, kind)) != "false" {
			c.add(j.key, j.name+" passes variables on to its child: forward: {"+kind+": false}")
		}
	}
}

// tags are the runner's tags for the table.
func tags(j job) string {
	if value(j.is, "trigger") != nil {
		return "of each platform"
	}
	return "`" + strings.Join(several(value(j.is, "tags")), "`, `") + "`"
}

// gitlabToken is the token that a job uses, for the table.
func gitlabToken(j job) string {
	for _, at := range scalars(j.is) {
		if reportToken.MatchString(at.Value) {
			return "`GITLAB_TOKEN`"
		}
	}
	return ""
}

// gitlabSecrets are the credentials of a job, for the table.
func gitlabSecrets(j job) string {
	if value(j.is, "trigger") != nil {
		return "each job: those of its environment, `ENV/PLATFORM` or `packer-hybrid-state`"
	}
	if text(value(value(j.is, "environment"), "name")) == stateEnvironment {
		return "`PACKER_HYBRID_TICKET_KEY`"
	}
	return ""
}
