// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:37:00Z
// Spec: openspec/specs/ci/spec.md#requirement-reports-of-a-job
// Diagram: openspec/specs/ci/diagram.md#the-verb

package job

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
	"github.com/packer-hybrid/packer-hybrid/runner/process"
)

// sarif is the file of findings for code scanning.
const sarif = "findings.sarif"

// files writes the job's files and returns the paths of answer, plan, record,
// parity and SARIF in the repository, the first of each.
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
		one("answer", c.whole)
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
	switch j.System {
	case ci.GitLab:
		j.gitlab(findings, paths)
	case ci.GitHub:
		if j.write(sarif, func(w io.Writer) error {
			return checks.WriteSARIF(w, j.prefix, findings,
				j.host.Process.Version)
		}) {
			paths["sarif"] = path.Join(j.prefix, process.ArtifactsDir, sarif)
		}
	}
	j.hand()
	return paths
}

// begin makes the folder of the job's files, and removes what the checkout
// brought in its place.
func (j *job) begin(ctx context.Context) error {
	if !j.Unreviewed { // whose job reads no state
		if err := j.host.Process.UntrackedState(ctx, j.project); err != nil {
			return err
		}
	}
	dir, err := j.host.Process.MakeJobDir(j.project.Root)
	if err != nil {
		return err
	}
	if j.System == ci.GitHub { // which clears it after the job; what is to be uploaded is not beside what is kept
		dir = j.host.Process.TempDir()
	}
	if j.host.Process.Uploads, err = process.NewUploads(dir); err != nil {
		return err
	}
	if j.System == ci.GitHub { // at once: a job that is killed uploads what it has
		j.try("the output upload", j.actions.Output("upload", string(j.host.Process.Uploads)))
	}
	return nil
}

// hand adds the logs of the runs to the job's files, and gives all of them to
// the system: GitLab takes them from artifacts/, GitHub from the folder itself.
func (j *job) hand() {
	u := j.host.Process.Uploads
	logs, err := j.host.Process.LogDir(j.project)
	j.try("the logs", err)
	for _, c := range j.answers {
		if c.record != nil && err == nil {
			j.try("the logs", u.WithLogs(logs, c.record.RunID))
		}
	}
	j.try("the files in artifacts/", u.Hand(j.project.Root))
	if u != "" && j.System == ci.GitLab {
		j.try("the folder of the files", os.RemoveAll(string(u)))
	}
}

// gitlab writes the reports that GitLab reads.
func (j *job) gitlab(findings []hybridcore.Finding, paths map[string]string) {
	j.write("gl-code-quality-report.json",
		func(w io.Writer) error { return checks.WriteCodeQuality(w, j.prefix, findings) })
	var records []hybridcore.Record
	for _, c := range j.answers {
		switch {
		case c.record != nil:
			records = append(records, *c.record)
		case c.plan != nil && c.req.Action == hybridcore.ActionValidate:
			records = append(records, checks.Validation(j.report(c).Plan))
		}
	}
	if len(records) > 0 {
		j.write("junit.xml", func(w io.Writer) error { return checks.WriteJUnit(w, records...) })
	}
	if j.fanned != "" {
		j.write("pipeline.yml", func(w io.Writer) error {
			_, err := io.WriteString(w, j.fanned)
			return err //nolint:wrapcheck // write names the file
		})
	}
	variables := map[string]string{}
	for name, file := range paths {
		variables["PACKER_HYBRID_"+strings.ToUpper(name)] = file
	}
	text, err := ci.Dotenv(variables)
	if err != nil {
		j.try("packer-hybrid.env", err)
		return
	}
	j.write("packer-hybrid.env", func(w io.Writer) error {
		_, err := io.WriteString(w, text)
		return err //nolint:wrapcheck // write names the file
	})
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
	if j.System == ci.GitHub {
		text := "Nothing to do: " + j.Nothing + "."
		if j.Answer != "" {
			text = j.Answer
		}
		j.try("the step summary", j.actions.Summary(j.host.Process.Redactor.String(checks.Code(text))))
	}
	if j.Answer == "" {
		return
	}
	if p := j.poster("answer"); p != nil {
		p.Comment("\n"+checks.Code(j.Answer), true)
		j.problems = append(j.problems, p.Close(ctx, Reporting)...)
	}
}

// open begins a folded part of the log.
func (j *job) open(title string) error {
	if j.System == ci.GitLab {
		return ci.SectionStart(j.log, j.section(), title, time.Now())
	}
	return j.actions.Group(title)
}

func (j *job) close() error {
	if j.System == ci.GitLab {
		return ci.SectionEnd(j.log, j.section(), time.Now())
	}
	return j.actions.EndGroup()
}

func (j *job) section() string {
	return fmt.Sprintf("packer_hybrid_%d_%s", j.current.at+1, j.current.req.Action)
}

// foreign is where everything goes that a request prints.
func (j *job) foreign() (io.WriteCloser, error) {
	if j.System == ci.GitLab {
		return ci.NewLines(j.log), nil
	}
	return j.actions.Foreign()
}
