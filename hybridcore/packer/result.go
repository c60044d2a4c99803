// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:04:24Z
// Spec: openspec/specs/packer/spec.md#requirement-success-needs-evidence
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package packer

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/child"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer/output"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// buildResult decides what a build came to. Text that Packer printed for people
// only words the verdict.
func buildResult(t Tool, job Job, end child.Ending, c *collector, out *Outcome) {
	artifacts, err := c.builds.complete(job.Source)
	out.Artifacts = artifacts
	if end.Code == 0 && err == nil {
		err = checkEvidence(job, artifacts)
	}
	switch {
	case end.Code == 0 && c.residue.Failure() != "":
		fail(c, out, c.residue.Failure())
	case end.Code == 0 && err == nil:
		out.Status = hybridcore.Built
		if end.Cancelled {
			out.Notes = append(out.Notes, "the cancel came after the build had ended: the image is complete")
		}
	case end.Cancelled:
		cancelled(t, end, c, out)
	case end.Code == 0:
		fail(c, out, exitZero(err, c))
	default:
		fail(c, out, c.cause(end))
	}
}

// checkEvidence compares the manifest with what the stream announced.
func checkEvidence(job Job, artifacts []Artifact) error {
	entries, err := output.ReadManifest(job.Manifest)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if err := checkEntry(e, job, artifacts); err != nil {
			return err
		}
		seen[e.Builder+"."+e.Name] = true
	}
	if len(seen) != len(entries) {
		return errors.New("the manifest has two entries of one build")
	}
	for _, a := range artifacts {
		if job.Source != "" && !output.IsBuild(a.Build, job.Source) {
			continue
		}
		found := false
		for _, e := range entries {
			found = found || e.Is(a.Build)
		}
		if !found {
			return fmt.Errorf("the manifest has no entry of %s", a.Build)
		}
	}
	return nil
}

func checkEntry(e output.Entry, job Job, artifacts []Artifact) error {
	known := false
	for _, a := range artifacts {
		known = known || (e.Is(a.Build) && e.ID == a.ID)
	}
	if !known {
		return fmt.Errorf("the manifest names the artifact %.200q of %s.%s, which packer did not report", e.ID, e.Builder,
			e.Name)
	}
	for key, value := range e.Custom {
		if job.Redact != nil && job.Redact(value) != value {
			return fmt.Errorf("custom_data.%s of the manifest holds a secret: take it out of the manifest post-processor, "+
				"and change the secret", key)
		}
	}
	return nil
}

// exitZero words why exit 0 was not enough.
func exitZero(err error, c *collector) string {
	if len(c.builds) == 0 {
		return "packer ended without reporting an artifact: the inner process was killed (out of memory?)"
	}
	return "packer exited 0, but there is no proof of an image: " + err.Error()
}

// validateResult decides what a validation came to.
func validateResult(t Tool, _ Job, end child.Ending, c *collector, out *Outcome) {
	switch {
	case end.Code == 0 && c.valid:
		out.Status = hybridcore.Validated
	case end.Cancelled:
		cancelled(t, end, c, out)
	case end.Code == 0:
		fail(c, out, "packer validate ended without saying that the configuration is valid: the inner process was killed "+
			"(out of memory?)")
	default:
		fail(c, out, c.cause(end))
	}
}

func cancelled(t Tool, end child.Ending, c *collector, out *Outcome) {
	fail(c, out, "cancelled")
	out.Status = hybridcore.Cancelled
	if end.Killed {
		out.Failure.Message = fmt.Sprintf(
			"cancelled, and killed because packer did not end within %s: it may have left things behind on the platform",
			t.grace())
	}
}

func fail(c *collector, out *Outcome, message string) {
	out.Status = hybridcore.Failed
	f := &hybridcore.Failure{Message: message, Tail: c.tail}
	if len(c.errors) > 0 || len(c.steps) > 0 {
		f.Step = c.failed(c.recorded())
		f.File = output.StepFile(f.Step, c.dir)
	}
	if c.ansible.Failed != "" && strings.HasPrefix(f.Step, "Executing Ansible") {
		f.Step = c.ansible.Failed
		if c.ansible.File != "" {
			f.File = c.ansible.File
		}
		if c.ansible.Message != "" && out.Status == hybridcore.Failed {
			f.Message += ": " + c.ansible.Failed + ": " + c.ansible.Message
		}
	}
	out.Failure = f
}

// recorded is Packer's own record of why the build failed, or an empty string.
func (c *collector) recorded() string {
	if len(c.errors) == 0 {
		return ""
	}
	return strings.TrimSpace(c.errors[0].text)
}

// cause words why a run ended with something other than exit 0.
func (c *collector) cause(end child.Ending) string {
	recorded := strings.Join(output.Lines(c.recorded()), " ")
	switch {
	case c.residue.Failure() != "" && end.Signal == "":
		return c.residue.Failure()
	case end.Signal != "":
		return "packer was ended by a signal from outside: " + end.Signal
	case pluginDied(recorded) && c.crash != "":
		return "the plugin's process died: " + recorded + ": " + c.crash
	case pluginDied(recorded):
		return "the plugin's process died: " + recorded
	case c.crash != "":
		return fmt.Sprintf("packer crashed (exit code %d): %s", end.Code, c.crash)
	case recorded != "":
		return recorded
	case len(c.diags) > 0:
		return output.Headline(c.diags[0])
	case !c.heard:
		return fmt.Sprintf("packer exited with code %d and said nothing: it probably crashed (out of memory, or a "+
			"template nested too deeply)", end.Code)
	case len(c.marked) > 0:
		return c.marked[len(c.marked)-1].text
	default:
		return fmt.Sprintf("packer exited with code %d", end.Code)
	}
}

// pluginDied recognises how Packer's RPC says that the other side is gone.
func pluginDied(text string) bool {
	for _, sign := range []string{
		"unexpected EOF", "connection is shut down", "connection reset by peer",
		"plugin exited before we could connect",
	} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// conclude fills what all verdicts share and takes secrets out of every text.
func conclude(job Job, end child.Ending, c *collector, out *Outcome, now time.Time) {
	c.endStep(now)
	out.ExitCode, out.Signal = end.Code, end.Signal
	out.Steps = c.steps
	for _, e := range c.errors {
		text := strings.Join(output.Lines(e.text), " ")
		if e.target != "" {
			text = e.target + ": " + text
		}
		out.Errors = append(out.Errors, text)
	}
	for _, host := range c.ansible.Hosts {
		out.Notes = append(out.Notes, "ansible: "+host)
	}
	if end.Swept > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d processes outlived packer and were ended", end.Swept))
	}
	out.Findings = output.FindingsOf(c.diags)
	for i := range out.Findings {
		output.ShowLine(job.Dir, &out.Findings[i])
	}
	out.Findings = append(out.Findings, c.residue.Findings...)
	out.Clean = c.residue.Checked && c.residue.Left == 0
	out.Duration = now.Sub(out.Started)
	out.redact(job.Redact)
}

// redact passes every text of the outcome through the caller's redaction and
// bounds it.
func (o *Outcome) redact(redact func(string) string) {
	clean := func(said *string) {
		*said = text.Sanitize(*said)
		if redact != nil {
			*said = redact(*said)
		}
		*said = output.Bound(*said)
	}
	for _, list := range [][]string{o.Errors, o.Notes} {
		for i := range list {
			clean(&list[i])
		}
	}
	for i := range o.Steps {
		clean(&o.Steps[i].Name)
	}
	for i := range o.Artifacts {
		clean(&o.Artifacts[i].Text)
		clean(&o.Artifacts[i].ID)
	}
	for i := range o.Findings {
		f := &o.Findings[i]
		for _, said := range []*string{&f.Message, &f.Hint, &f.Source, &f.File, &f.Subject} {
			clean(said)
		}
	}
	if o.Failure == nil {
		return
	}
	for _, said := range []*string{&o.Failure.Step, &o.Failure.File, &o.Failure.Message} {
		clean(said)
	}
	for i := range o.Failure.Tail {
		clean(&o.Failure.Tail[i])
	}
}
