// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:09:31Z
// Spec: openspec/specs/workflows/spec.md#requirement-nothing-of-an-event-in-a-script
// Diagram: openspec/specs/workflows/diagram.md#jobs-of-the-images

package rules

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	pinnedAction = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)+@[0-9a-f]{40}$`)
	plainCall    = regexp.MustCompile(`(?m)^\s*packer-hybrid\s`)
)

// Workflows reports, in GitHub's workflows and actions: expressions in scripts
// and in arguments of containers, which run as code whatever an event says;
// events that give a stranger's code our secrets; jobs that do not name their
// permissions; actions that are not pinned by commit with the version beside
// it; checkouts that leave the token in .git; and packer-hybrid under a shell
// that keeps the signals of a cancelled job to itself.
func Workflows(t *Tree) []Problem {
	var problems []Problem
	for _, f := range t.Files {
		workflow := path.Dir(f.Path) == ".github/workflows"
		action := path.Base(f.Path) == "action.yml" || path.Base(f.Path) == "action.yaml"
		if f.testdata() || !workflow && !action {
			continue
		}
		c := &workflowCheck{file: f.Path}
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(f.Text), &doc); err != nil || len(doc.Content) != 1 {
			c.add(&doc, "is no YAML document")
		} else {
			if workflow {
				c.workflow(doc.Content[0])
			}
			c.walk(doc.Content[0])
		}
		problems = append(problems, c.problems...)
	}
	return problems
}

// workflowCheck collects the problems of one file.
type workflowCheck struct {
	file     string
	problems []Problem
}

func (c *workflowCheck) add(at *yaml.Node, text string) {
	c.problems = append(c.problems, Problem{c.file, at.Line, text})
}

// value is what a mapping has under a key; nil for nothing.
func value(node *yaml.Node, key string) *yaml.Node {
	if node == nil || node.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// workflow checks what only a workflow has.
func (c *workflowCheck) workflow(root *yaml.Node) {
	if on := value(root, "on"); on != nil {
		for _, name := range append(slices.Clone(on.Content), on) {
			if name.Value == "pull_request_target" || name.Value == "workflow_run" {
				c.add(name, name.Value+" gives a stranger's code the secrets of this repository: use pull_request")
			}
		}
	}
	if all := value(root, "permissions"); all == nil || all.Kind != yaml.MappingNode || len(all.Content) > 0 {
		c.add(root, "a workflow begins with permissions: {}, and each job names its own")
	}
	jobs := value(root, "jobs")
	if jobs == nil {
		c.add(root, "has no jobs")
		return
	}
	for i := 0; i+1 < len(jobs.Content); i += 2 {
		if own := value(jobs.Content[i+1], "permissions"); own == nil || own.Kind != yaml.MappingNode {
			c.add(jobs.Content[i], "the job "+jobs.Content[i].Value+" does not name its permissions")
		}
	}
}

// walk checks every mapping of a document.
func (c *workflowCheck) walk(node *yaml.Node) {
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			c.setting(node, node.Content[i].Value, node.Content[i+1])
		}
	}
	for _, inner := range node.Content {
		c.walk(inner)
	}
}

// setting checks one value of a step or job.
func (c *workflowCheck) setting(of *yaml.Node, key string, is *yaml.Node) {
	switch key {
	case "run", "args", "entrypoint":
		if expression(is) {
			c.add(is, "an expression in "+key+" is run as code: give it as an environment variable")
		}
		if plainCall.MatchString(is.Value) {
			c.add(is, "write exec packer-hybrid: a cancelled job signals the shell, which does not pass it on")
		}
	case "uses":
		switch {
		case strings.HasPrefix(is.Value, "./"):
		case !pinnedAction.MatchString(is.Value) || !strings.HasPrefix(is.LineComment, "# v"):
			c.add(is, is.Value+" is not pinned: write the commit, and the version in a comment after it")
		}
		if keep := value(value(of, "with"), "persist-credentials"); strings.HasPrefix(is.Value, "actions/checkout@") && (keep == nil || keep.Value != "false") {
			c.add(is, "the checkout leaves the job's token in .git: set persist-credentials: false")
		}
	}
}

// expression says whether a value, or one in its list, holds an expression.
func expression(node *yaml.Node) bool {
	return strings.Contains(node.Value, "${{") || slices.ContainsFunc(node.Content, expression)
}
