// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:02:52Z
// Spec: openspec/specs/security/spec.md#requirement-what-is-shipped-is-checked
// Diagram: openspec/specs/security/diagram.md#classes-of-jobs

package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// What a job may take from the job that decided, and in which words. Expressions
// that say the same in other words are refused: a reader has one form to check.
const (
	decidedCommit      = "${{ needs.decide.outputs.sha }}"
	decidedDecision    = "${{ needs.decide.outputs.decision }}"
	decidedRunner      = "${{ fromJSON(needs.decide.outputs.runners)[matrix.platform] }}"
	decidedEnvironment = "${{ fromJSON(needs.decide.outputs.environments)[matrix.platform] }}"
	stateEnvironment   = "packer-hybrid-state"
	decidedPlatforms   = "${{ fromJSON(needs.decide.result == 'success' && needs.decide.outputs.platforms || '[]') }}"
	plannedTargets     = "${{ fromJSON(needs.plan.outputs.matrix) }}"
	defaultBranch      = "${{ github.event.repository.default_branch }}"
	people             = `contains(fromJSON('["OWNER", "MEMBER", "COLLABORATOR"]'), ` +
		`github.event.comment.author_association)`
	decidedNext = "${{ needs.decide.outputs.next }}"
	onlyChanges = "github.event_name == 'pull_request'"
	changes     = `contains(fromJSON('["pull_request", "merge_group"]'), github.event_name)`
)

var (
	// Contexts are found in any case, as GitHub finds them.
	anySecret = regexp.MustCompile(`(?i)\bsecrets\b`)
	anyToken  = regexp.MustCompile(`(?i)\bgithub\s*(\.\s*token\b|\[)|\(\s*github\s*[,)]|\bGITHUB_TOKEN\b`)
	fromEvent = regexp.MustCompile(`(?i)\b(inputs|github\s*\.\s*(event|head_ref|base_ref|ref|ref_name|sha|actor))\b`)

	commonSecret   = regexp.MustCompile(`^\$\{\{ secrets\.(PKR_VAR_BUILD_[A-Z_]+|PACKER_HYBRID_(?:TICKET_KEY|STATE_TOKEN)) \}\}$`)
	ticketKey      = regexp.MustCompile(`(?i)\bPACKER_HYBRID_TICKET_KEY\b`)
	stateToken     = regexp.MustCompile(`(?i)\bPACKER_HYBRID_STATE_TOKEN\b`)
	platformSecret = regexp.MustCompile(`^\$\{\{ matrix\.platform == '([a-z]+)' ` +
		`&& secrets\.(PKR_VAR_([A-Z]+)_[A-Z_]+) \|\| '' \}\}$`)

	hosted     = regexp.MustCompile(`^(ubuntu|windows|macos)-[a-z0-9.-]+$`)
	freshPath  = regexp.MustCompile(`^\$\{\{ steps\.[a-z]+\.outputs\.upload \}\}$`)
	runnerTemp = regexp.MustCompile(`^\$\{\{ runner\.temp \}\}/[a-z]+$`)
	programRun = regexp.MustCompile(`\bpacker-hybrid ci\b`)
)

// ownLabels are the labels of runners that a class has for itself; those of the
// platforms come from the decision.
var ownLabels = map[class][]string{
	untrusted:  {"packer-hybrid-ephemeral"},
	decide:     {"packer-hybrid-decide"},
	privileged: {"packer-hybrid-state"},
}

// Classes reports, in GitHub's workflows, jobs without a class and jobs that have
// or read what their class must not.
func Classes(t *Tree) []Problem {
	var problems []Problem
	for _, f := range t.Files {
		if !isWorkflow(f.Path) {
			continue
		}
		c := &classCheck{workflowCheck: workflowCheck{file: f.Path}}
		root := document(f.Text)
		for _, at := range scalars(value(root, "env")) {
			c.refuse(at, anySecret, "a secret in the environment of every job: give it to the step that needs it")
		}
		all := workflowJobs(f.Path, root)
		c.classes, c.planned = map[string]class{}, map[string]bool{}
		for _, j := range all {
			c.classes[j.name] = j.class
		}
		for _, j := range all {
			c.job(j)
			c.comments(root, j)
		}
		problems = append(problems, c.problems...)
	}
	return problems
}

// classCheck collects the problems of one workflow.
type classCheck struct {
	workflowCheck

	classes map[string]class
	planned map[string]bool // jobs that wait for the job plan, or are it
}

// refuse adds a problem when a scalar matches.
func (c *classCheck) refuse(at *yaml.Node, what *regexp.Regexp, problem string) {
	if at != nil && what.MatchString(at.Value) {
		c.add(at, problem)
	}
}

// equal adds a problem unless a value is this one.
func (c *classCheck) equal(j job, at *yaml.Node, wanted, what string) {
	if text(at) != wanted {
		if at == nil {
			at = j.key
		}
		c.add(at, fmt.Sprintf("%s of %s is not %s", what, j.name, wanted))
	}
}

// job checks one job.
func (c *classCheck) job(j job) {
	switch j.class {
	case untrusted:
		c.noSecret(j)
		c.untrusted(j)
	case decide:
		c.noSecret(j)
		c.decide(j)
	case privileged:
		c.privileged(j)
	default:
		c.add(j.key, noClass(j))
	}
	if uses := value(j.is, "uses"); uses != nil {
		c.add(uses, j.name+" is a workflow of somebody else, whose jobs have no class")
	}
	for _, step := range steps(j) {
		c.files(step)
	}
}

// steps are the steps of a job.
func steps(j job) []*yaml.Node {
	if all := value(j.is, "steps"); all != nil {
		return all.Content
	}
	return nil
}

// action says whether a step uses an action of this name.
func action(step *yaml.Node, name string) bool {
	return strings.HasPrefix(text(value(step, "uses")), "actions/"+name+"@")
}

// files checks where files of other jobs come from and go to: never a folder that a
// checkout can hold links in.
func (c *classCheck) files(step *yaml.Node) {
	at := value(value(step, "with"), "path")
	switch {
	case action(step, "upload-artifact") && !freshPath.MatchString(text(at)):
		c.add(step, "uploads another folder than the fresh one of packer-hybrid ci: path: ${{ steps.ID.outputs.upload }}")
	case action(step, "download-artifact") && !runnerTemp.MatchString(text(at)):
		c.add(step, "downloads into the checkout: path: ${{ runner.temp }}/NAME")
	}
}

// noSecret refuses what neither an untrusted nor a deciding job may have.
func (c *classCheck) noSecret(j job) {
	for _, at := range scalars(j.is) {
		c.refuse(at, anySecret, fmt.Sprintf("a secret in %s, whose class is %s", j.name, j.class))
	}
	if at := value(j.is, "environment"); at != nil {
		c.add(at, fmt.Sprintf("an environment, and so its secrets, in %s, whose class is %s", j.name, j.class))
	}
	c.runner(j)
	for _, step := range steps(j) {
		if action(step, "checkout") && value(value(step, "with"), "repository") != nil {
			c.add(step, j.name+" checks out another repository")
		}
	}
}

// runner holds a job that is not near a platform to the labels of its class.
func (c *classCheck) runner(j job) {
	at := value(j.is, "runs-on")
	labels := several(at)
	own := slices.ContainsFunc(labels, func(label string) bool { return slices.Contains(ownLabels[j.class], label) })
	other := slices.ContainsFunc(labels, func(label string) bool {
		return label != "self-hosted" && !slices.Contains(ownLabels[j.class], label)
	})
	fresh := j.class == untrusted && len(labels) == 1 && hosted.MatchString(labels[0])
	if !fresh && (!own || other) {
		c.add(j.key, misplaced(j, labels, ownLabels))
	}
}

// permissions refuses rights beyond these.
func (c *classCheck) permissions(j job, allowed ...string) {
	for key, is := range pairs(value(j.is, "permissions")) {
		if right := key.Value + ": " + is.Value; !slices.Contains(allowed, right) {
			c.add(key, fmt.Sprintf("%s has the right %s; its class has at most %s", j.name, right, strings.Join(allowed, ", ")))
		}
	}
}

// untrusted holds a job to what nobody has reviewed may have: it reads, or it
// reports without having checked anything out.
func (c *classCheck) untrusted(j job) {
	reads := slices.ContainsFunc(steps(j), func(step *yaml.Node) bool { return action(step, "checkout") })
	if !reads {
		c.permissions(j, "checks: write", "pull-requests: write")
		return
	}
	c.permissions(j, "contents: read")
	for _, at := range scalars(j.is) {
		c.refuse(at, anyToken, "the job's token in a step of "+j.name+", which reads what nobody has reviewed")
	}
}

// decide holds a job to the event and the default branch.
func (c *classCheck) decide(j job) {
	c.permissions(j, "contents: read", "checks: write", "pull-requests: write", "actions: read")
	if at := value(j.is, "needs"); at != nil {
		c.add(at, j.name+" decides by what another job says; only the event and the default branch count")
	}
	for _, step := range steps(j) {
		if action(step, "checkout") {
			c.equal(j, value(value(step, "with"), "ref"), defaultBranch, "the checkout")
		}
		if action(step, "download-artifact") {
			c.add(step, j.name+" decides by what another job left")
		}
	}
}

// comments holds a job that a comment could start to people with a part in the
// repository, and lets nobody's comment displace another's.
func (c *classCheck) comments(root *yaml.Node, j job) {
	on := value(root, "on")
	if on == nil || !slices.ContainsFunc(scalars(on), func(at *yaml.Node) bool { return at.Value == "issue_comment" }) {
		return
	}
	if slices.Contains(several(value(j.is, "needs")), "decide") {
		return
	}
	condition := strings.Join(strings.Fields(text(value(j.is, "if"))), " ")
	condition = strings.TrimPrefix(condition, "!cancelled() && ")
	if strings.Contains(condition, onlyChanges) && !strings.Contains(condition, "||") || guarded(condition) {
		return
	}
	if !strings.Contains(condition, people) {
		c.add(j.key, "anybody's comment starts "+j.name+": its condition lacks "+people)
	}
	group := text(value(value(j.is, "concurrency"), "group"))
	if !strings.Contains(group, "github.event.issue.number") || !strings.Contains(group, "github.event.comment.user.id") {
		c.add(j.key, j.name+" has no concurrency group for each change and author: one comment would displace another's")
	}
}

// guarded says whether a condition holds for changes only, whatever comes after.
func guarded(condition string) bool {
	rest, is := strings.CutPrefix(condition, changes)
	return is && (rest == "" || strings.HasPrefix(rest, " && (") && strings.HasSuffix(rest, ")") &&
		strings.Count(rest, "(") == 1 && strings.Count(rest, ")") == 1)
}
