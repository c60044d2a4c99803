// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:05:16Z
// Spec: openspec/specs/cli/spec.md#requirement-verbs
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/checks"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/packer"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/platforms"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/directory"
	"github.com/packer-hybrid/packer-hybrid/runner"
	"github.com/packer-hybrid/packer-hybrid/runner/ci"
)

// verb makes a command from a verb of the shared grammar.
func (a *app) verb(v hybridcore.Verb) *cobra.Command {
	req := hybridcore.Request{Action: v.Action, Origin: hybridcore.Origin{Kind: "cli"}}
	cmd := &cobra.Command{
		Use: string(v.Action) + " " + v.Args, Short: v.Short, Long: v.Long, Example: v.Example,
		ValidArgsFunction: a.completeImages,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := req.Finish(args); err != nil {
				return fmt.Errorf("%s: %w", v.Action, err)
			}
			_, err := a.do(cmd.Context(), req)
			return err
		},
	}
	hybridcore.BindCommon(cmd.Flags(), &req)
	if v.Bind != nil {
		v.Bind(cmd.Flags(), &req)
	}
	switch v.Action {
	case hybridcore.ActionPlan:
		cmd.Flags().StringVar(&a.matrix, "matrix", "", "print instead the jobs that would build: github (a matrix) or gitlab (a child pipeline)")
	case hybridcore.ActionCollect:
		cmd.ValidArgsFunction = nil // folders
	}
	return cmd
}

// do opens what a request needs, answers it, and prints the answer.
func (a *app) do(ctx context.Context, req hybridcore.Request) (hybridcore.Answer, error) {
	open := a.runner
	switch {
	case req.Action == hybridcore.ActionPlan || a.policy != nil || a.phase.stateless():
		open = a.planner
	case req.Reads():
		open = a.reader
	}
	if err := a.checkMatrix(req); err != nil {
		return hybridcore.Answer{}, err
	}
	r, done, err := open()
	if err != nil {
		return hybridcore.Answer{}, err
	}
	defer done()
	if req.ID == "" && (req.Records() || req.Action == hybridcore.ActionValidate) {
		req.ID = hybridcore.NewRunID(time.Now()) // a plan has none: the same tree gives the same bytes
	}
	if a.phase != nil && req.Action == a.phase.action {
		return a.phase.do(ctx, a, r, req)
	}
	return a.answer(ctx, r, req, r.Do)
}

// answer has a request done, shows its progress, and prints what it came to.
func (a *app) answer(ctx context.Context, r *runner.Runner, req hybridcore.Request,
	do func(context.Context, hybridcore.Request, runner.Reporter) (hybridcore.Answer, error),
) (hybridcore.Answer, error) {
	console := a.console()
	answer, failure := do(ctx, req, progress{a, console})
	console.Close()
	if failure == nil {
		failure = a.export(r, answer)
	}
	return answer, a.present(r, answer, failure)
}

// progress shows what a run does.
type progress struct {
	app     *app
	console *checks.Console
}

// Event implements runner.Reporter.
func (p progress) Event(e hybridcore.Event) {
	if e.Kind == hybridcore.EventPlan {
		_ = checks.WriteFindings(p.app.Err, p.app.Style(p.app.Raw.Err), e.Plan.Findings) // as the error says at the end
	} else {
		p.console.Event(e)
	}
	if p.app.reporter != nil {
		p.app.contained(func() { p.app.reporter.Event(e) })
	}
}

// runner wires the packages together for the project around the directory.
func (a *app) runner() (*runner.Runner, func(), error) {
	project, err := a.project()
	if err != nil {
		return nil, nil, err
	}
	if err := a.stateOfAJob(project); err != nil {
		return nil, nil, err
	}
	store, err := openState(project, a.upgraded)
	if err != nil {
		return nil, nil, err
	}
	logDir, err := a.logDir(project)
	if err != nil {
		return nil, nil, err
	}
	log, closeLog, err := logs.New(logs.Options{
		Redactor: a.Redactor, Console: a.Raw.Err, Color: a.Style(a.Raw.Err).Color,
		File: filepath.Join(logDir, "packer-hybrid.log"),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("opening the log: %w", err)
	}
	r := a.wire(project)
	r.State, r.Log, r.Folders = store, log, runner.Folders{Logs: logDir, Uploads: string(a.uploads)}
	return r, func() { _, _ = r.Close(), closeLog() }, nil
}

// stateOfAJob refuses a state that came with the commit of a CI job, also in a step
// beside ci, such as reap.
func (a *app) stateOfAJob(project config.Project) error {
	if _, err := ci.Detect(a.Getenv); err != nil {
		return nil //nolint:nilerr // this is no job
	}
	return a.untrackedState(context.Background(), project)
}

// reader is a planner that shows the state as what runs have written.
func (a *app) reader() (*runner.Runner, func(), error) {
	project, err := a.project()
	if err == nil {
		err = a.stateOfAJob(project)
	}
	if err != nil {
		return nil, nil, err
	}
	return a.planner()
}

// planner is a runner that only reads: it makes and upgrades no state, and keeps no log.
func (a *app) planner() (*runner.Runner, func(), error) {
	project, err := a.project()
	if err != nil {
		return nil, nil, err
	}
	store := directory.Nothing(stateDir(project))
	if a.policy == nil { // the state in a tree whose author is not trusted is that author's
		if store, err = viewState(project); err != nil {
			return nil, nil, err
		}
	}
	r := a.wire(project)
	r.State, r.Log = store, slog.New(slog.DiscardHandler)
	return r, func() { _ = r.Close() }, nil
}

// wire is what every runner has.
func (a *app) wire(project config.Project) *runner.Runner {
	connect := func(ctx context.Context, t hybridcore.Target) (runner.Client, error) { return platforms.Open(ctx, t) }
	if hybridcore.LabOf(a.Environ) != "" {
		connect = func(ctx context.Context, t hybridcore.Target) (runner.Client, error) {
			return platforms.OpenInLab(ctx, t)
		}
	}
	return &runner.Runner{
		Project: project, Environ: a.Environ, Redactor: a.Redactor, Now: time.Now,
		Hurry: a.Hurry, FindTool: a.findTool(project.Build.CancelGrace), FindRPC: a.findRPC, PinnedPlugins: a.pinnedPlugins(),
		Schemas: packer.Schemas{PluginDirs: a.allPluginDirs(), Memory: a.memory()},
		Connect: connect, Policy: a.policy, Compare: a.reporter != nil,
		Remember: runner.Memory{
			Verdicts: runner.Verdicts(filepath.Join(a.cacheDir(), "verdicts")), Program: program(), Whole: a.Output == "json",
		},
	}
}

func (a *app) project() (config.Project, error) {
	dir := a.dir
	if dir == "" {
		dir = "."
	}
	root, err := config.FindRoot(dir)
	if err != nil {
		return config.Project{}, err
	}
	if err := a.ownCache(root); err != nil {
		return config.Project{}, err
	}
	project, err := config.Load(root)
	if kept := a.Getenv(stateVariable); err == nil && kept != "" {
		if !filepath.IsAbs(kept) {
			return config.Project{}, hybridcore.Usagef("%s is %q: give the whole path of a folder", stateVariable, kept)
		}
		project.State.Path = filepath.Clean(kept)
	}
	return project, err
}

// findTool looks for Packer where the flags say, on PATH and in the cache of
// `make tools`.
func (a *app) findTool(grace time.Duration) func(context.Context) (packer.Tool, error) {
	return func(ctx context.Context) (packer.Tool, error) {
		cache := a.cacheDir()
		candidates := []string{"packer", filepath.Join(cache, "bin", "packer")}
		if a.packerPath != "" {
			candidates = []string{a.packerPath}
		}
		tool, err := a.memory().Find(ctx, candidates, runner.MinPacker)
		if err != nil {
			return packer.Tool{}, err
		}
		tool.Grace = grace
		tool.PluginDirs = a.allPluginDirs()
		if dir := a.Getenv("PACKER_HYBRID_LAB_PLUGINS"); dir != "" && a.Getenv("PACKER_HYBRID_LAB") != "" {
			tool.StandIns = []string{dir}
		}
		return tool, nil
	}
}

// allPluginDirs are the trees of installed plugins, those that flags name first.
func (a *app) allPluginDirs() []string {
	dirs := append(slices.Clone(a.pluginDirs), filepath.SplitList(a.Getenv("PACKER_PLUGIN_PATH"))...)
	dirs = append(dirs, a.pinnedPlugins())
	if home := a.Getenv("HOME"); home != "" {
		dirs = append(dirs, filepath.Join(home, ".config", "packer", "plugins"))
	}
	return dirs
}

// pinnedPlugins is the tree of plugins that tools/build made: where
// PACKER_HYBRID_PLUGINS says, as in the container image, else in the cache.
func (a *app) pinnedPlugins() string {
	if dir := a.Getenv("PACKER_HYBRID_PLUGINS"); dir != "" {
		return dir
	}
	return filepath.Join(a.cacheDir(), "plugins")
}

// memory remembers what was found out about Packer and its plugins.
func (a *app) memory() packer.Memory { return packer.Memory(filepath.Join(a.cacheDir(), "memory")) }

// console shows progress on standard output, or on standard error when
// standard output is for one JSON document.
func (a *app) console() *checks.Console {
	out, raw := a.Out, a.Raw.Out
	if a.Output == "json" {
		out, raw = a.Err, a.Raw.Err
	}
	style := a.Style(raw)
	if style.Live {
		out = raw // the redactor would hold back the drawing; events are redacted
	}
	return checks.NewConsole(out, style, a.verbose)
}

// completeImages completes image names from the catalogue.
func (a *app) completeImages(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	project, err := a.project()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	r := &runner.Runner{Project: project}
	defer func() { _ = r.Close() }()
	images, err := r.Images()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var names []string
	for _, image := range images {
		names = append(names, image.Name+"\t"+image.Title)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
