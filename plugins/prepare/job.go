// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:46:05Z
// Spec: openspec/specs/full-validation/spec.md#requirement-verdicts-of-the-real-plugins
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

// Package prepare lets the real plugins check staged templates: it evaluates a
// stage as Packer does, starts each component that a build uses and hands it
// its configuration.
package prepare

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/plugins/template"
)

// Job is what is to be checked. It is read from standard input: it may hold
// secrets in the environments of its stages.
type Job struct {
	Protocol int     `json:"protocol"` // Protocol, or the caller is of another version
	Packer   Binary  `json:"packer"`   // for the components that Packer itself holds; no path leaves them undecided
	Cache    string  `json:"cache"`    // directory for what plugins say about themselves; empty keeps nothing
	Parallel int     `json:"parallel"` // components that run at once; 0 is the number of processors
	Stages   []Stage `json:"stages"`
}

// Binary is a program whose digest the caller has verified.
type Binary struct {
	Address string `json:"address,omitempty"` // of a plugin, e.g. github.com/hashicorp/vsphere
	Version string `json:"version"`
	Path    string `json:"path"`
	SHA256  string `json:"sha256"` // hex
}

// Stage is one staged target.
type Stage struct {
	Name string `json:"name"`
	// the stage's own directory; what lies below differs from stage to stage by name only
	Root     string   `json:"root"`
	Dir      string   `json:"dir"`       // the templates: working directory of everything, below Root
	Temp     string   `json:"temp"`      // for the sockets of plugins: short, and the user's own
	Source   string   `json:"source"`    // TYPE.NAME: what is built of the templates; empty for everything
	VarFiles []string `json:"var_files"` // as with -var-file
	Env      []string `json:"env"`       // NAME=VALUE: variables (PKR_VAR_NAME), and the whole environment of the plugins
	Plugins  []Binary `json:"plugins"`
}

// Answer is what came of a job, stage by stage.
type Answer struct {
	Stages []Verdict `json:"stages"`
}

// Verdict is what came of one stage: it is valid when nothing is undecided and
// no finding is an error.
type Verdict struct {
	Name       string    `json:"name"`
	Findings   []Finding `json:"findings,omitempty"`
	Undecided  []string  `json:"undecided,omitempty"` // what could not be evaluated as Packer does it
	Components int       `json:"components"`          // that were asked, or had answered the same question before
}

// Finding is one message with its place in the stage.
type Finding struct {
	Warning bool   `json:"warning,omitempty"`
	Message string `json:"message"`
	Detail  string `json:"detail,omitempty"`
	File    string `json:"file,omitempty"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
}

// Protocol is the form of jobs and answers.
const Protocol = 1

// Limits of one job.
const (
	maxJob      = 64 << 20 // bytes of JSON
	maxStages   = 10_000
	maxFindings = 100     // of one stage
	maxText     = 4 << 10 // bytes of one message
	stageLimit  = 2 * time.Minute
)

// ReadJob reads and checks a job.
func ReadJob(from io.Reader) (Job, error) {
	var job Job
	data, err := io.ReadAll(io.LimitReader(from, maxJob+1))
	if err != nil {
		return job, fmt.Errorf("reading the job: %w", err)
	}
	if len(data) > maxJob {
		return job, fmt.Errorf("the job is larger than %d MiB", maxJob>>20)
	}
	if err := json.Unmarshal(data, &job); err != nil {
		return job, errors.New("the job is no JSON of the expected form") // the error would quote it
	}
	if job.Protocol != Protocol {
		return job, fmt.Errorf("the job is of protocol %d, and this program speaks %d: install both from one release",
			job.Protocol, Protocol)
	}
	if len(job.Stages) > maxStages {
		return job, fmt.Errorf("the job has %d stages; the most is %d", len(job.Stages), maxStages)
	}
	for _, stage := range job.Stages {
		if !filepath.IsAbs(stage.Root) || !filepath.IsAbs(stage.Temp) || !below(stage.Dir, stage.Root) {
			return job, fmt.Errorf("the directories of the stage %.80q are not absolute, or not below each other", stage.Name)
		}
	}
	return job, nil
}

func below(path, root string) bool {
	rel, err := filepath.Rel(root, path)
	return err == nil && filepath.IsAbs(path) && filepath.IsLocal(rel)
}

// session is what the stages of one job share.
type session struct {
	job       Job
	parsed    template.Parsed
	slots     chan struct{} // one for each running component
	mu        sync.Mutex
	specs     map[string]*spec
	answers   map[string]*prepared
	described map[string]*described
}

// Run judges every stage, several at once. What goes wrong with a stage is its
// verdict.
func Run(ctx context.Context, job Job) Answer {
	if job.Parallel <= 0 {
		job.Parallel = runtime.NumCPU()
	}
	c := &session{
		job: job, slots: make(chan struct{}, job.Parallel),
		specs: map[string]*spec{}, answers: map[string]*prepared{}, described: map[string]*described{},
	}
	answer := Answer{Stages: make([]Verdict, len(job.Stages))}
	places := make(chan struct{}, job.Parallel)
	var all sync.WaitGroup
	for i, stage := range job.Stages {
		places <- struct{}{}
		all.Go(func() {
			defer func() { <-places }()
			ctx, cancel := context.WithTimeoutCause(ctx, stageLimit, fmt.Errorf("no verdict within %s", stageLimit))
			defer cancel()
			answer.Stages[i] = c.stage(ctx, stage)
		})
	}
	all.Wait()
	return answer
}

// once makes a value for a key once and lets everybody else wait for it.
func once[V any](c *session, all map[string]*V, key string, make func() *V) (*V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := all[key]; ok {
		return v, false
	}
	v := make()
	all[key] = v
	return v, true
}

// shorten bounds a text.
func shorten(text string) string {
	if len(text) > maxText {
		return strings.ToValidUTF8(text[:maxText], "") + "…"
	}
	return text
}
