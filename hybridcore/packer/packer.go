// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:17Z
// Spec: openspec/specs/packer/spec.md#requirement-owned-child-process
// Diagram: openspec/specs/packer/diagram.md#one-job

// Package packer runs Packer as an owned child process and turns its
// machine-readable stream into an outcome that can be trusted.
//
// Each verb is a pure function that builds the command (buildCmd, validateCmd,
// versionCmd) and one function, run, that owns the process: its group, its
// pipes, its end and whatever it leaves behind.
package packer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// DefaultGrace is the time between SIGTERM and SIGKILL when a Tool names none.
// Deleting what an Azure build created takes more than a minute.
const DefaultGrace = 5 * time.Minute

// Tool is one Packer binary.
type Tool struct {
	Path    string // absolute
	Version string // without a leading v, e.g. 1.15.0
	// PluginDirs are trees in Packer's own layout to take plugins from; the
	// first that holds a fitting plugin wins.
	PluginDirs []string
	// StandIns are trees of the lab's stand-ins, asked for what no PluginDir
	// has. Empty outside the lab: a stand-in is then refused wherever it lies.
	StandIns []string
	Memory   Memory // remembers verified digests; may be empty
	// Grace is the time between SIGTERM and SIGKILL after a cancel; 0 is DefaultGrace.
	Grace time.Duration
}

// Job is one run of Packer over one stage.
type Job struct {
	Dir string // the stage: working directory and template folder, absolute
	// Scratch is the job's own directory outside the workspace, absolute. It is
	// made when missing and holds TMPDIR, Packer's configuration and cache, and
	// the plugin tree. Plugins put Unix sockets there, whose paths end at 108
	// bytes: keep it within MaxScratch bytes. The caller removes it; Packer's
	// unmasked log lies there while Packer runs.
	Scratch string
	VarFile string   // passed as -var-file; empty for none. It beats PKR_VAR_ variables: no secret belongs in it
	Only    []string // passed as -only: the builds of Source and no others; empty for all
	// Source is what is built and must report an artifact, e.g. vsphere-iso.linux.
	// Empty accepts any.
	Source string
	// Secrets are environment entries, NAME=VALUE, that the target needs on top
	// of the allow-list: PKR_VAR_password, SSL_CERT_FILE, ANSIBLE_CONFIG. They
	// beat the allow-list and are never logged.
	Secrets  []string
	Env      []string // the parent's environment, from which the allow-list picks
	Plugins  []Plugin
	Manifest string // where the template's manifest post-processor writes, absolute; must not exist before a build
	// Redact takes secrets out of a line. Everything that leaves in events and
	// outcomes passes it; nil changes nothing. Packer masks nothing in
	// machine-readable mode.
	Redact func(string) string
	// Log gets Packer's whole output as readable lines with the time since the
	// start. It must redact by itself. Its errors and its pace do not stop the
	// build; see Outcome.Notes. It is called from one goroutine.
	Log io.Writer
	// OnEvent gets the output line by line, in order, from one goroutine. The
	// event's Target is left to the caller.
	OnEvent func(hybridcore.Event)
	// OnCancel is called once, in a goroutine of its own, right after the
	// SIGTERM of a cancel went out. Build waits for it for up to 10 s.
	OnCancel func()
	// Hurry, when closed after a cancel, ends the grace: SIGKILL goes out at once.
	Hurry <-chan struct{}
}

// Artifact is what Packer reported as the result of one build.
type Artifact struct {
	Build     string   // as Packer names it, e.g. vsphere-iso.linux
	BuilderID string   // e.g. jetbrains.vsphere
	ID        string   // the platform's or builder's identifier
	Text      string   // one sentence for people
	Files     []string // local files, if any
}

// Outcome is what one run of Packer came to.
type Outcome struct {
	Status    hybridcore.Status // Built, Validated, Failed or Cancelled
	ExitCode  int               // of the process; -1 when it was ended by a signal or never ran
	Signal    string            // that ended the process, e.g. "killed"; empty when it exited
	Artifacts []Artifact
	Errors    []string // as Packer reported them, one for each failed build
	Steps     []hybridcore.Step
	Failure   *hybridcore.Failure // nil when Status is Built or Validated
	// Findings are what Packer said about the templates, with paths relative to
	// the stage. They are read from Packer's text: for display only.
	Findings []hybridcore.Finding
	Clean    bool     // the last step in the guest looked for residue of the build, and nothing is left
	Notes    []string // facts worth a line: Ansible's recap, lost log lines, survivors
	Started  time.Time
	Duration time.Duration
}

// checkManifest refuses a manifest that an earlier run could have written:
// Packer would add to it, and an old entry would look like a new one.
func (j Job) checkManifest() error {
	if !filepath.IsAbs(j.Manifest) {
		return fmt.Errorf("running packer: the manifest path %q is not absolute", j.Manifest)
	}
	_, err := os.Lstat(j.Manifest)
	switch {
	case err == nil:
		return fmt.Errorf("running packer: the manifest %s exists already; every build needs a fresh path", j.Manifest)
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("running packer: looking for an old manifest: %w", err)
	}
	return nil
}

// check refuses what would fail late, deep inside a plugin.
func (j Job) check() error {
	if !filepath.IsAbs(j.Dir) || !filepath.IsAbs(j.Scratch) {
		return fmt.Errorf("running packer: stage %q and scratch %q must be absolute", j.Dir, j.Scratch)
	}
	if len(j.Scratch) > MaxScratch {
		return fmt.Errorf("running packer: the scratch path %s has %d bytes; plugins put sockets below it, which works up to %d", j.Scratch, len(j.Scratch), MaxScratch)
	}
	for _, entry := range j.Secrets {
		name, _, ok := strings.Cut(entry, "=")
		if !ok || name == "" || strings.ContainsRune(entry, 0) {
			return fmt.Errorf("running packer: a variable of the job is not NAME=VALUE (name %q)", name)
		}
	}
	info, err := os.Stat(j.Dir)
	if err != nil {
		return fmt.Errorf("running packer: looking at the stage: %w", err)
	}
	if !info.IsDir() {
		return fmt.Errorf("running packer: the stage %s is not a directory", j.Dir)
	}
	return nil
}

func (t Tool) grace() time.Duration {
	if t.Grace > 0 {
		return t.Grace
	}
	return DefaultGrace
}
