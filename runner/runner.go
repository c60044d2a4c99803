// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:11:42Z
// Spec: openspec/specs/runner/spec.md#requirement-plan-stage
// Diagram: openspec/specs/runner/diagram.md#stages

// Package runner holds the stages of one request: plan, execute, record. It
// wires the packages below it and decides; it renders nothing.
package runner

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
)

// MinPacker is the oldest Packer that builds: the first with the plugin
// installation layout that is relied on.
const MinPacker = "1.10.0"

// Reporter shows progress. Event may be called from several goroutines.
type Reporter interface {
	Event(e hybridcore.Event)
}

// Client looks things up on one live platform, and removes what a dead run left.
type Client interface {
	Find(ctx context.Context, name string) ([]hybridcore.URI, error)
	Reap(ctx context.Context, left hybridcore.Remains, dry bool) ([]hybridcore.URI, error)
	Close(ctx context.Context) error
}

// Marker is a client that marks what was built as part of a release.
type Marker interface {
	Mark(ctx context.Context, of hybridcore.URI, mark hybridcore.Mark) (bool, error)
}

// Folders are where a run writes for people.
type Folders struct {
	Logs    string // a folder for each run
	Uploads string // takes the place of artifacts/ in the project; empty for that one
}

// Runner runs requests for one project.
type Runner struct {
	Project  config.Project
	Environ  []string // the process environment, KEY=VALUE
	State    *state.Store
	Folders  Folders
	Redactor *logs.Redactor
	Reporter Reporter // may be nil for a plan
	Log      *slog.Logger
	Now      func() time.Time
	// Hurry, when closed, ends the grace that a cancelled Packer has.
	Hurry <-chan struct{}
	// FindTool finds Packer; it is asked once.
	FindTool func(context.Context) (packer.Tool, error)
	// FindRPC finds packer-hybrid-rpc, which talks to plugins.
	FindRPC func() (string, error)
	// PinnedPlugins is a tree whose plugins were built from sources that a
	// go.sum pins: nothing is said when the lock has no hash of them.
	PinnedPlugins string
	// Schemas finds what is known of the settings of installed plugins.
	Schemas packer.Schemas
	// Connect opens a client for the target's platform. Without it nothing is
	// reached, and what leads to a platform need not be at hand.
	Connect func(context.Context, hybridcore.Target) (Client, error)

	// Policy is of a tree whose author is not trusted; nil trusts it.
	Policy *validate.Policy
	// Remember is what earlier validations found; the zero value remembers nothing.
	Remember Memory
	// Compare says that the answer of a build also has what changed in its images.
	Compare bool

	renewal time.Duration // of leases; zero is state.Renewal

	found found
}

// found is what a runner looks for once.
type found struct {
	mu      sync.Mutex
	tool    *packer.Tool
	plugins map[packerNeed]packer.Plugin
	set     *templates.Set
	root    *os.Root // of the project
}

// packerNeed is one required plugin.
type packerNeed struct{ address, constraint string }

// Close gives up what the runner has open. It may be used again.
func (r *Runner) Close() error {
	r.found.mu.Lock()
	defer r.found.mu.Unlock()
	if r.found.root == nil {
		return nil
	}
	err := r.found.root.Close()
	r.found.set, r.found.root = nil, nil
	if err != nil {
		return fmt.Errorf("closing the project: %w", err)
	}
	return nil
}

// Images lists the catalogue of the project.
func (r *Runner) Images() ([]hybridcore.Image, error) {
	set, _, err := r.templates()
	if err != nil {
		return nil, err
	}
	return set.Images(), nil
}

// templates reads the templates of the project, once: what was planned is what
// is staged.
func (r *Runner) templates() (*templates.Set, *os.Root, error) {
	r.found.mu.Lock()
	defer r.found.mu.Unlock()
	if r.found.set != nil {
		return r.found.set, r.found.root, nil
	}
	root, err := os.OpenRoot(r.Project.Root)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the project: %w", err)
	}
	set, err := templates.Load(root)
	if err != nil {
		_ = root.Close()
		return nil, nil, err
	}
	r.found.set, r.found.root = set, root
	return set, root, nil
}

// packerTool finds Packer, once.
func (r *Runner) packerTool(ctx context.Context) (packer.Tool, error) {
	r.found.mu.Lock()
	defer r.found.mu.Unlock()
	if r.found.tool == nil {
		tool, err := r.FindTool(ctx)
		if err != nil {
			return packer.Tool{}, err
		}
		r.found.tool = &tool
	}
	return *r.found.tool, nil
}

// installed finds the plugins that templates require, in their order, each once.
func (r *Runner) installed(tool packer.Tool, required []templates.Plugin) ([]packer.Plugin, error) {
	r.found.mu.Lock()
	defer r.found.mu.Unlock()
	if r.found.plugins == nil {
		r.found.plugins = map[packerNeed]packer.Plugin{}
	}
	var found []packer.Plugin
	for _, p := range required {
		need := packerNeed{p.Source, p.Version}
		plugin, known := r.found.plugins[need]
		if !known {
			got, err := tool.Plugins([]packer.Requirement{{Addresses: p.Addresses(), Constraint: p.Version}})
			if err != nil {
				return nil, err
			}
			plugin = got[0]
			r.found.plugins[need] = plugin
		}
		found = append(found, plugin)
	}
	return found, nil
}

// redact makes text from outside fit for a report.
func (r *Runner) redact(text string) string { return r.Redactor.String(hybridcore.Sanitize(text)) }

// Recorded says whether a run left a record: one in which nothing was built,
// published or tried does not.
func Recorded(rec hybridcore.Record) bool {
	return rec.Status != hybridcore.UnchangedDone && rec.Request.Records() && !rec.Request.DryRun
}
