// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:02:52Z
// Spec: openspec/specs/security/spec.md#requirement-three-classes-of-jobs
// Diagram: openspec/specs/security/diagram.md#classes-of-jobs

package rules

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// class says what a job may read and have.
type class string

const (
	untrusted  class = "untrusted"  // reads what nobody has reviewed
	decide     class = "decide"     // reads the event and the default branch
	privileged class = "privileged" // works on a commit that was decided on
)

// classLine is the last line of the comment above a job.
var classLine = regexp.MustCompile(`(?:^|\n)# class: (untrusted|decide|privileged)$`)

// job is one job of a workflow of GitHub or of a pipeline of GitLab.
type job struct {
	file  string
	name  string
	class class
	key   *yaml.Node // with the line of the job
	is    *yaml.Node // the job itself; of GitLab with all that it extends
}

// classOf reads the class of a job from the comment above its key.
func classOf(key *yaml.Node) class {
	found := classLine.FindStringSubmatch(strings.TrimSpace(key.HeadComment))
	if found == nil {
		return ""
	}
	return class(found[1])
}

// workflowJobs are the jobs of a workflow of GitHub.
func workflowJobs(file string, root *yaml.Node) []job {
	var all []job
	for key, is := range pairs(value(root, "jobs")) {
		all = append(all, job{file, key.Value, classOf(key), key, is})
	}
	return all
}

// noClass is the problem of a job without a class.
func noClass(j job) string {
	return "the job " + j.name + " has no class: write # class: untrusted, decide or privileged as the last line above it"
}

// misplaced is the problem of a job on the runner of another class.
func misplaced(j job, labels []string, own map[class][]string) string {
	return fmt.Sprintf("%s runs on %q, which is not for the class %s: %s",
		j.name, labels, j.class, strings.Join(own[j.class], ", "))
}

// pairs yields the keys of a mapping with their values.
func pairs(node *yaml.Node) func(yield func(key, is *yaml.Node) bool) {
	return func(yield func(key, is *yaml.Node) bool) {
		if node == nil || node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(node.Content); i += 2 {
			if !yield(node.Content[i], node.Content[i+1]) {
				return
			}
		}
	}
}

// text is the value of a scalar; empty for nothing and for anything else.
func text(node *yaml.Node) string {
	if node == nil || node.Kind != yaml.ScalarNode {
		return ""
	}
	return node.Value
}

// several is a scalar or a list of them.
func several(node *yaml.Node) []string {
	if node == nil {
		return nil
	}
	if node.Kind == yaml.ScalarNode {
		return []string{node.Value}
	}
	var all []string
	for _, one := range node.Content {
		all = append(all, one.Value)
	}
	return all
}

// scalars are all keys and values below a node.
func scalars(node *yaml.Node) []*yaml.Node {
	if node == nil {
		return nil
	}
	if node.Kind == yaml.ScalarNode {
		return []*yaml.Node{node}
	}
	var all []*yaml.Node
	for _, inner := range node.Content {
		all = append(all, scalars(inner)...)
	}
	return all
}

// isWorkflow says whether a file is a workflow of GitHub.
func isWorkflow(name string) bool {
	return path.Dir(name) == ".github/workflows" && (path.Ext(name) == ".yml" || path.Ext(name) == ".yaml")
}

// isPipeline says whether a file is part of a pipeline of GitLab.
func isPipeline(name string) bool {
	return name == ".gitlab-ci.yml" || path.Dir(name) == ".gitlab" && path.Ext(name) == ".yml"
}

// document is the mapping that a YAML file holds; nil for anything else.
func document(source string) *yaml.Node {
	var doc yaml.Node
	if yaml.Unmarshal([]byte(source), &doc) != nil || len(doc.Content) != 1 || doc.Content[0].Kind != yaml.MappingNode {
		return nil
	}
	return doc.Content[0]
}

// jobs are all jobs of the tree, in the order of files and of each file.
func jobs(t *Tree) []job {
	var all []job
	for _, f := range t.Files {
		root := document(f.Text)
		switch {
		case isWorkflow(f.Path):
			all = append(all, workflowJobs(f.Path, root)...)
		case isPipeline(f.Path):
			all = append(all, pipelineJobs(f.Path, root)...)
		}
	}
	return all
}

// securityFile has the table of jobs below this heading.
const (
	securityFile  = "SECURITY.md"
	tableHeading  = "## Jobs and secrets"
	tableHeadings = "| job | class | runner | token | secrets |"
)

// JobsTable is the table of jobs and secrets in Markdown, as the files have them.
func JobsTable(t *Tree) string {
	lines := []string{tableHeadings, "| --- | --- | --- | --- | --- |"}
	for _, j := range jobs(t) {
		lines = append(lines, row(j))
	}
	return strings.Join(lines, "\n") + "\n"
}

// row is a job's line in the table.
func row(j job) string {
	cells := []string{"`" + path.Base(j.file) + "` " + j.name, string(j.class)}
	if isWorkflow(j.file) {
		cells = append(cells, runsOn(j), rights(j), strings.Join(secretsOf(j), ", "))
	} else {
		cells = append(cells, tags(j), gitlabToken(j), gitlabSecrets(j))
	}
	for i, cell := range cells {
		if cell == "" {
			cells[i] = "none"
		}
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// Jobs compares the table in SECURITY.md with the files: a row that is missing, or
// that the files do not have.
func Jobs(t *Tree) []Problem {
	var problems []Problem
	there := map[string]int{}
	if f := t.Get(securityFile); f != nil {
		there = tableRows(f.Text)
	}
	for _, j := range jobs(t) {
		wanted := row(j)
		if _, has := there[wanted]; !has {
			problems = append(problems, Problem{j.file, j.key.Line, "the table in " + securityFile + " lacks the row " + wanted})
		}
		delete(there, wanted)
	}
	for _, line := range slices.Sorted(maps.Keys(there)) {
		problems = append(problems, Problem{securityFile, there[line], "no job is as this row says: " + line})
	}
	return problems
}

// tableRows are the rows of the table of jobs with their lines, each cell trimmed.
func tableRows(markdown string) map[string]int {
	rows := map[string]int{}
	inside := false
	for i, line := range strings.Split(markdown, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
			inside = line == tableHeading
		case inside && strings.HasPrefix(line, "|"):
			cells := strings.Split(strings.Trim(line, "| "), "|")
			for n := range cells {
				cells[n] = strings.TrimSpace(cells[n])
			}
			if clean := "| " + strings.Join(cells, " | ") + " |"; clean != tableHeadings && !strings.HasPrefix(cells[0], "---") {
				rows[clean] = i + 1
			}
		}
	}
	return rows
}
