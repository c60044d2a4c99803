// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:02:52Z
// Spec: openspec/specs/security/spec.md#requirement-three-classes-of-jobs
// Diagram: openspec/specs/security/diagram.md#classes-of-jobs

package rules

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// privileged holds a job to the decision: its commit, its runner, its environment,
// and the secrets of one platform in the steps that need them.
func (c *classCheck) privileged(j job) {
	needs := several(value(j.is, "needs"))
	if !slices.Contains(needs, "decide") {
		c.add(j.key, j.name+" does not need the job decide, which says what it may work on")
	}
	if j.name != "plan" && !slices.ContainsFunc(needs,
		func(name string) bool { return name == "plan" || c.planned[name] }) {
		c.add(j.key, j.name+" does not wait for the job plan, which verifies the bot's ticket")
	}
	c.planned[j.name] = true
	for _, name := range several(value(j.is, "needs")) {
		if c.classes[name] == untrusted {
			c.add(j.key, j.name+" needs "+name+", which reads what nobody has reviewed")
		}
	}
	if text(value(j.is, "environment")) == decidedNext {
		c.onward(j)
	} else {
		rights := []string{"contents: read", "checks: write", "pull-requests: write", "actions: read"}
		if keepsIssue(j) {
			rights = append(rights, "issues: write")
		}
		c.permissions(j, rights...)
		c.place(j)
	}
	for key, at := range pairs(value(j.is, "env")) {
		c.refuse(at, anySecret, "a secret in the environment of all steps of "+j.name+": give it to the step that needs it")
		c.variable(j, key, at)
	}
	for _, step := range steps(j) {
		c.step(j, step)
	}
}

// keepsIssue says whether a job puts together what was looked for on the platforms: of that a
// night keeps an issue.
func keepsIssue(j job) bool {
	return slices.ContainsFunc(steps(j), func(step *yaml.Node) bool {
		run := text(value(step, "run"))
		return strings.Contains(run, " --drift ") && strings.Contains(run, " --from ")
	})
}

// onward holds the job that goes on to the next environment: its token may start a run,
// and so it has nothing else, no code and no file of another job.
func (c *classCheck) onward(j job) {
	c.permissions(j, "actions: write")
	c.runner(j)
	for _, at := range scalars(j.is) {
		c.refuse(at, anySecret, "a secret in "+j.name+", whose token may start a run")
	}
	for _, step := range steps(j) {
		if value(step, "uses") != nil || text(value(step, "run")) != "exec packer-hybrid ci --next" {
			c.add(step, j.name+" has a token that may start a run, and does something else: run: exec packer-hybrid ci --next")
		}
	}
}

// place checks where a privileged job runs: with the state, or near one platform and
// in the environment that has its secrets.
func (c *classCheck) place(j job) {
	near := slices.ContainsFunc(scalars(j.is), func(at *yaml.Node) bool {
		return strings.Contains(at.Value, "matrix.platform")
	})
	environment := value(j.is, "environment")
	if !near && (environment == nil || text(environment) == stateEnvironment) && value(j.is, "strategy") == nil {
		c.runner(j)
		return
	}
	for _, at := range scalars(j.is) {
		c.refuse(at, ticketKey, j.name+" has the key of the bot's tickets; the job plan verifies them for all")
	}
	c.equal(j, value(j.is, "runs-on"), decidedRunner, "the runner")
	c.equal(j, value(j.is, "environment"), decidedEnvironment, "the environment")
	matrix := value(value(j.is, "strategy"), "matrix")
	platforms := value(matrix, "platform")
	byTarget := text(matrix) == plannedTargets
	byPlatform := matrix != nil && len(matrix.Content) == 2 && text(platforms) == decidedPlatforms
	if !byTarget && !byPlatform {
		c.add(j.key, "the matrix of "+j.name+" is neither "+plannedTargets+" nor the platforms of the decision")
	}
}

// variable refuses a variable by which the event, or the plan, would say what is done.
func (c *classCheck) variable(j job, key, at *yaml.Node) {
	if strings.HasPrefix(key.Value, "INPUT_") {
		c.add(key, j.name+" has a command of its own; the decision has it")
	}
	c.refuse(at, fromEvent, j.name+" takes "+key.Value+" from the event; only the job decide reads it")
	if strings.Contains(at.Value, "matrix.") && !platformSecret.MatchString(at.Value) &&
		!slices.Contains([]string{"${{ matrix.target }}", "${{ matrix.digest }}", "${{ matrix.platform }}"}, at.Value) {
		c.add(at, j.name+" takes "+key.Value+" from the plan, which may name targets, digests and platforms only")
	}
}

// step checks a step of a privileged job.
func (c *classCheck) step(j job, step *yaml.Node) {
	if action(step, "checkout") {
		c.equal(j, value(value(step, "with"), "ref"), decidedCommit, "the checkout")
	}
	env := value(step, "env")
	if run := value(step, "run"); run != nil && programRun.MatchString(run.Value) {
		c.equal(j, value(env, "PACKER_HYBRID_DECISION"), decidedDecision, "PACKER_HYBRID_DECISION")
	}
	for key, at := range pairs(env) {
		c.variable(j, key, at)
		if anySecret.MatchString(at.Value) {
			c.secret(j, at)
		}
	}
	for key, at := range pairs(step) {
		if key.Value == "env" {
			continue
		}
		for _, inner := range scalars(at) {
			c.refuse(inner, anySecret, j.name+" gives a secret to something else than the environment of a step")
		}
	}
}

// secret checks that a secret belongs to every platform, or to the one of the job,
// and that the job is bound to an environment. A job with the state has the key of
// tickets and the token of the state, and no other secret.
func (c *classCheck) secret(j job, at *yaml.Node) {
	if value(j.is, "environment") == nil {
		c.add(at, j.name+" has a secret and no environment")
	}
	ofState := ticketKey.MatchString(at.Value) || stateToken.MatchString(at.Value)
	if text(value(j.is, "environment")) == stateEnvironment && !ofState {
		c.add(at, j.name+" has the state, and a secret of platforms")
	}
	if commonSecret.MatchString(at.Value) {
		return
	}
	found := platformSecret.FindStringSubmatch(at.Value)
	if found == nil || strings.ToUpper(found[1]) != found[3] {
		c.add(at, fmt.Sprintf("%s has a secret in another form than %s", j.name,
			"${{ matrix.platform == 'PLATFORM' && secrets.PKR_VAR_PLATFORM_NAME || '' }}"))
	}
}

// runsOn is the runner of a job for the table.
func runsOn(j job) string {
	labels := several(value(j.is, "runs-on"))
	if slices.Equal(labels, []string{decidedRunner}) {
		return "of its platform"
	}
	labels = slices.DeleteFunc(slices.Clone(labels), func(label string) bool { return label == "self-hosted" })
	return "`" + strings.Join(labels, "`, `") + "`"
}

// rights are the rights of a job's token for the table.
func rights(j job) string {
	var all []string
	for key, is := range pairs(value(j.is, "permissions")) {
		all = append(all, key.Value+": "+is.Value)
	}
	return strings.Join(all, ", ")
}

// secretsOf are the secrets of a job for the table, those of platforms last.
func secretsOf(j job) []string {
	common, platforms := map[string]bool{}, map[string]bool{}
	for _, at := range scalars(j.is) {
		if found := commonSecret.FindStringSubmatch(at.Value); found != nil {
			common["`"+found[1]+"`"] = true
		}
		if found := platformSecret.FindStringSubmatch(at.Value); found != nil {
			platforms["`"+found[2]+"`"] = true
		}
	}
	all := slices.Sorted(maps.Keys(common))
	if len(platforms) > 0 {
		all = append(all, "of one platform "+strings.Join(slices.Sorted(maps.Keys(platforms)), " or "))
	}
	return all
}
