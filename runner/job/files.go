// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:37:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"context"
	"io"
	"os"
	"path"
	"slices"
	"strconv"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/checks/formats"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// files writes the job's files and returns the paths of answer, plan, record,
// parity and what its forge reads in the repository, the first of each.
func (j *job) files(findings []hybridcore.Finding) map[string]string {
	paths, count := map[string]string{}, map[string]int{}
	one := func(name string, doc hybridcore.Answer) {
		file := name + ".json"
		if count[name]++; count[name] > 1 {
			file = name + "-" + strconv.Itoa(count[name]) + ".json"
		}
		if j.write(file, func(w io.Writer) error { return checks.WriteJSON(w, doc) }) && count[name] == 1 {
			paths[name] = path.Join(j.prefix, process.ArtifactsDir, file)
		}
	}
	for _, c := range j.answers {
		if !c.told(j.answers) {
			one("answer", c.with())
		}
		if c.plan != nil && !c.req.InProcess() {
			one("plan", hybridcore.Answer{Plan: c.plan})
		}
		if c.record != nil {
			one("record", hybridcore.Answer{Record: c.record})
		}
		if c.record != nil && c.record.Release != nil {
			one("release", hybridcore.Answer{Release: c.record.Release})
		}
		if c.parity != nil {
			one("parity", hybridcore.Answer{Parity: c.parity})
		} else if c.record != nil && len(c.record.Parity) > 0 {
			one("parity", hybridcore.Answer{Parity: &hybridcore.ParityReport{
				Env:    c.record.Request.Env,
				Parity: c.record.Parity,
			}})
		}
	}
	if j.host.forge.Jobs.Files != nil {
		for _, f := range j.host.forge.Jobs.Files(j.results(findings, paths)) {
			if j.write(f.Name, f.Write) && f.Output != "" {
				paths[f.Output] = path.Join(j.prefix, process.ArtifactsDir, f.Name)
			}
		}
	}
	j.hand()
	return paths
}

// told says whether the answer of another request holds this one.
func (c *answer) told(all []*answer) bool {
	return slices.ContainsFunc(all, func(other *answer) bool { return slices.Contains(other.beside, c) })
}

// with is the answer with the plans that stand beside its own.
func (c *answer) with() hybridcore.Answer {
	whole := c.whole
	if len(c.beside) == 0 {
		return whole
	}
	code := hybridcore.ExitOK
	for _, one := range append([]*answer{c}, c.beside...) {
		a := one.whole
		whole.Plans = append(whole.Plans, hybridcore.EnvPlan{
			Env: one.req.Env, Exit: *a.Exit, Plan: a.Plan, Error: a.Error, Findings: a.Findings,
		})
		code = worse(code, *a.Exit)
	}
	whole.Exit = &code
	return whole
}

// begin makes the folder of the job's files, and removes what the checkout
// brought in its place.
func (j *job) begin(ctx context.Context) error {
	if !j.Unreviewed { // whose job reads no state
		if err := stored.Untracked(ctx, j.host.Process.Places(), j.project); err != nil {
			return err
		}
	}
	dir, err := j.host.Process.Places().MakeJobDir(j.project.Root)
	if err != nil {
		return err
	}
	uploads := j.host.forge.Jobs.Uploads
	if uploads { // the runner clears it after the job; what is to be uploaded is not beside what is kept
		dir = j.host.Process.Places().TempDir()
	}
	if j.host.Process.Uploads, err = process.NewUploads(dir); err != nil {
		return err
	}
	if uploads { // at once: a job that is killed uploads what it has
		j.try("the output upload", j.values.Output("upload", string(j.host.Process.Uploads)))
	}
	return nil
}

// hand adds the logs of the runs to the job's files, and gives all of them to
// the forge: it takes them from artifacts/, or from the folder itself.
func (j *job) hand() {
	u := j.host.Process.Uploads
	logs, err := j.host.Process.Places().LogDir(j.project)
	j.try("the logs", err)
	for _, c := range j.answers {
		if c.record != nil && err == nil {
			j.try("the logs", u.WithLogs(logs, c.record.RunID))
		}
	}
	j.try("the files in artifacts/", u.Hand(j.project.Root))
	if u != "" && !j.host.forge.Jobs.Uploads {
		j.try("the folder of the files", os.RemoveAll(string(u)))
	}
}

// results are what the job came to, for the files that its forge reads.
func (j *job) results(findings []hybridcore.Finding, paths map[string]string) forge.Results {
	r := forge.Results{
		Prefix: j.prefix, Version: j.host.Process.Version, Findings: findings, Paths: paths, Shared: j.fanned,
	}
	for _, c := range j.answers {
		switch {
		case c.record != nil:
			r.Records = append(r.Records, *c.record)
		case c.plan != nil && c.req.Action == hybridcore.ActionValidate:
			r.Records = append(r.Records, formats.Validation(j.report(c).Plan))
		}
	}
	return r
}

// write makes one file.
func (j *job) write(name string, render func(io.Writer) error) bool {
	err := j.host.Process.Artifact(j.project.Root, name, render)
	j.try(path.Join(process.ArtifactsDir, name), err)
	return err == nil
}

// nothing says why there is nothing to do, and answers a comment.
func (j *job) nothing(ctx context.Context) {
	j.say("nothing to do: %s", j.Nothing)
	if j.Answer != "" {
		j.say("%s", j.Answer)
	}
	said := "Nothing to do: " + j.Nothing + "."
	if j.Answer != "" {
		said = j.Answer
	}
	j.try("the step summary", j.values.Summary(j.host.Process.Redactor.String(text.CodeBlock(said))))
	if j.Answer == "" {
		return
	}
	if p := j.poster("answer"); p != nil {
		p.Comment("\n"+text.CodeBlock(j.Answer), true)
		j.problems = append(j.problems, p.Close(ctx, Reporting)...)
	}
}
