// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:14:34Z
// Spec: openspec/specs/bot/spec.md#requirement-one-grammar
// Diagram: openspec/specs/bot/diagram.md#life-of-a-command

package bot

import (
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/bot/door"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/command"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// prefix is the slash command.
const prefix = "/packer-hybrid"

// Verbs that only the bot has.
const (
	verbHelp    = "help"
	verbInspect = "inspect"
	verbRuns    = "runs"
	verbCancel  = "cancel"
	verbRetry   = "retry"
	verbApprove = "approve"
)

// Site is what the project has, read anew for each decision.
type Site struct {
	Bot          config.Bot
	Environments []config.Environment
	DefaultEnv   string
	Images       []hybridcore.Image
}

// ask is a command as it was understood.
type ask struct {
	verb    string
	request hybridcore.Request // of the shared grammar
	run     string             // that cancel, retry, approve and inspect are about
	commit  string             // that approve is for
	plan    string             // that approve is for: its digest or the beginning of it
}

// received is a command with all that decides about it.
type received struct {
	door.Command

	task   store.Task
	site   Site
	who    policy.Person
	recent int
	ask    ask
	wrong  error // what is wrong with the usage
}

// snapshot is what the policy decides on.
func (r received) snapshot(verb string, cells []policy.Cell) policy.Snapshot {
	return policy.Snapshot{Bot: r.site.Bot, Person: r.who, Recent: r.recent, Verb: verb, Cells: cells}
}

// menu is the grammar of the bot.
func menu() command.Menu {
	return command.Menu{
		Prefix: prefix, Verbs: config.ChatVerbs(),
		Own: []command.Form{
			{Name: verbInspect, Args: "[RUN]", Short: "Show the record of a run, the last one that is recorded"},
			{Name: verbRuns, Short: "List the latest commands of this channel"},
			{Name: verbCancel, Args: "RUN", Short: "End a run"},
			{Name: verbRetry, Args: "[RUN]", Short: "Build again what failed in a run, the last one of this channel"},
			{Name: verbApprove, Args: "RUN COMMIT PLAN", Short: "Approve what another person has asked for"},
			{Name: verbHelp, Short: "Show this; without a command a form opens"},
		},
	}
}

// understand reads a line of text.
func understand(text string) (ask, error) {
	words, err := command.Words(text)
	if err != nil {
		return ask{}, err
	}
	if len(words) == 0 {
		return ask{verb: verbHelp}, nil
	}
	a := ask{verb: words[0]}
	needed := map[string][2]int{
		verbHelp: {0, 99}, verbRuns: {0, 0}, verbCancel: {1, 1}, verbApprove: {2, 3}, verbRetry: {0, 1},
		verbInspect: {0, 1},
	}
	bounds, own := needed[a.verb]
	if !own {
		if !slices.Contains(menu().Names(), a.verb) {
			return a, hybridcore.Usagef("unknown command %.80q; known: %s", words[0], strings.Join(menu().Names(), ", "))
		}
		a.request, err = command.Parse(text)
		return a, err
	}
	args := words[1:]
	if len(args) < bounds[0] || len(args) > bounds[1] {
		return a, hybridcore.Usagef("%s takes other arguments", a.verb)
	}
	if len(args) > 0 && a.verb != verbHelp && (a.verb == verbInspect || !strings.HasPrefix(args[0], "-")) {
		a.run, args = args[0], args[1:]
		if err := hybridcore.CheckName("run", a.run); err != nil {
			return a, err
		}
	}
	if a.verb == verbApprove {
		if a.run == "" || !hybridcore.IsObjectID(args[0]) {
			return a, hybridcore.Usagef("approve takes a run, and the whole commit and the plan that its message shows")
		}
		a.commit = args[0]
		if len(args) > 1 { // the buttons of an earlier version name none
			a.plan = args[1]
		}
	}
	return a, nil
}

// permission is the verb by which the policy decides on a request: who may see the status of targets may see what
// is recorded of them.
func permission(of hybridcore.Action) string {
	if of == hybridcore.ActionInspect {
		of = hybridcore.ActionStatus
	}
	return string(of)
}

// complete fills in what a request leaves open, and gives the targets that it
// means and the line that stands for it.
func (s Site) complete(said string, r hybridcore.Request) (hybridcore.Request, []policy.Cell, string, error) {
	words, err := command.Words(said)
	if err != nil {
		return r, nil, "", err
	}
	line := command.Line(words)
	if r.Env == "" {
		if s.DefaultEnv == "" {
			return r, nil, "", hybridcore.Usagef("name the environment with --env: %s", strings.Join(s.envs(), ", "))
		}
		r.Env = s.DefaultEnv
		line += " --env " + r.Env
	}
	at := slices.IndexFunc(s.Environments, func(e config.Environment) bool { return e.Name == r.Env })
	if at < 0 {
		return r, nil, "", hybridcore.Usagef("unknown environment %.80q%s; there are: %s", r.Env,
			text.DidYouMean(r.Env, s.envs()), strings.Join(s.envs(), ", "))
	}
	var names []string
	for _, image := range s.Images {
		names = append(names, image.Name)
	}
	for _, image := range r.Images {
		if !slices.Contains(names, image) {
			return r, nil, "", hybridcore.Usagef("unknown image %.80q%s; there are: %s", image,
				text.DidYouMean(image, names), strings.Join(names, ", "))
		}
	}
	var cells []policy.Cell
	for _, image := range s.Images {
		for _, platform := range image.Platforms {
			cell := policy.Cell{Env: r.Env, Image: image.Name, Platform: platform}
			if s.Environments[at].Has(platform) && r.Wants(cell.String()) {
				cells = append(cells, cell)
			}
		}
	}
	if len(cells) == 0 {
		return r, nil, "", hybridcore.Usagef("no target of %s is meant: its platforms are %s", r.Env,
			platformsOf(s.Environments[at]))
	}
	return r, cells, line, nil
}

func platformsOf(e config.Environment) string {
	var names []string
	for _, p := range e.Platforms {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func (s Site) envs() []string {
	var names []string
	for _, e := range s.Environments {
		names = append(names, e.Name)
	}
	return names
}
