// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T06:05:28Z
// Spec: openspec/specs/bot/spec.md#requirement-running-the-bot
// Diagram: openspec/specs/bot/diagram.md#parts

package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/bot/chat"
	"github.com/packer-hybrid/packer-hybrid/bot/dispatch"
	"github.com/packer-hybrid/packer-hybrid/bot/policy"
	"github.com/packer-hybrid/packer-hybrid/bot/store"
	"github.com/packer-hybrid/packer-hybrid/cmd/internal/cli"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/forge/forges"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
	"github.com/packer-hybrid/packer-hybrid/runner/stored"
)

// Times of the verb bot.
const (
	listed     = time.Minute     // within which a CI system lists a run that it took
	siteFresh  = 2 * time.Second // that the project is taken as read
	checkWait  = 20 * time.Second
	bytesOfKey = 64 << 10
)

// botFlags are the flags of the verb bot.
type botFlags struct {
	listen, admin, data  string
	ci, repository, flow string
	grace                time.Duration
	check                bool

	key string // of tickets
}

// botCmd serves the bot.
func (a *app) botCmd() *cobra.Command {
	var f botFlags
	cmd := &cobra.Command{
		Use: "bot", Short: "Take commands from Slack, and follow their runs there",
		Long: `Bot takes commands from Slack, decides on them by the block bot of
packer-hybrid.hcl, has GitHub Actions or GitLab CI run them, and shows each run
in its channel until it ends. What was acknowledged is on disk: after a crash it
is carried out once. docs/slack-bot.md says how to set it up.

Environment:
  SLACK_BOT_TOKEN       xoxb-…, always needed
  SLACK_APP_TOKEN       xapp-…, for Socket Mode, which needs no open port
  SLACK_SIGNING_SECRET  for Slack's requests over HTTP at --listen, path /slack
  SLACK_API_URL         another address of Slack's Web API
  PACKER_HYBRID_BOT_DB  postgres://…, instead of SQLite below --data
  PACKER_HYBRID_TICKET_KEY  key that the job that plans has too, by which it
                        knows the bot's decisions: openssl rand -base64 32. With commas
                        several: the first signs, all verify. --ci local makes one
  GITHUB_TOKEN, or GITHUB_APP_ID, GITHUB_APP_INSTALLATION_ID and
  GITHUB_APP_KEY_FILE;  GITHUB_API_URL for a GitHub of your own
  GITLAB_TOKEN, GITLAB_TRIGGER_TOKEN; GITLAB_API_URL
  GITHUB_WEBHOOK_SECRET, GITLAB_WEBHOOK_TOKEN  for events at --listen, path /events`,
		Example: `  packer-hybrid bot --check
  packer-hybrid bot --repository example/golden-images
  packer-hybrid bot --ci gitlab --repository example/golden-images --listen 127.0.0.1:3000`,
		Args: cli.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.Output != "text" {
				return hybridcore.Usagef("bot logs JSON lines; leave --output out")
			}
			return botCommand{a, f}.run(cmd.Context())
		},
	}
	fs := cmd.Flags()
	fs.StringVar(&f.listen, "listen", "127.0.0.1:3000",
		"address for Slack's requests; used when SLACK_SIGNING_SECRET is set")
	fs.StringVar(&f.admin, "admin", "127.0.0.1:9464", "address of /healthz, /readyz and /metrics")
	fs.StringVar(&f.data, "data", "",
		"folder of the queue (default: packer-hybrid/bot below the user's state folder)")
	fs.StringVar(&f.ci, "ci", "github",
		"what runs commands: "+strings.Join(forges.Run(), ", ")+", or local for this machine")
	fs.StringVar(&f.repository, "repository", "", "OWNER/NAME at GitHub, path or number of the project at GitLab "+
		"(default: GITHUB_REPOSITORY or CI_PROJECT_PATH)")
	fs.StringVar(&f.flow, "workflow", "", "file of the workflow at GitHub, or of the pipeline at GitLab, that runs "+
		"commands (default: images.yml, .gitlab-ci.yml)")
	fs.DurationVar(&f.grace, "grace", 30*time.Second,
		"time to finish what was begun after SIGTERM; the rest stays in the queue")
	fs.BoolVar(&f.check, "check", false, "check configuration, policy and tokens, say what is wrong, and end")
	return cmd
}

// botCommand is the verb bot with its flags.
type botCommand struct {
	app   *app
	flags botFlags
}

// run checks what it is given, and serves.
func (b botCommand) run(ctx context.Context) error {
	project, err := b.app.process().Project()
	if err != nil {
		return err
	}
	if project.Bot.Line == 0 {
		return hybridcore.Usagef("%s has no block bot; docs/slack-bot.md has one to begin with", config.FileName)
	}
	env := b.app.Getenv
	token, appToken, secret := env("SLACK_BOT_TOKEN"), env("SLACK_APP_TOKEN"), env("SLACK_SIGNING_SECRET")
	if err := checkSecrets(token, appToken, secret); err != nil {
		return err
	}
	if b.flags.key, err = b.ticketKey(); err != nil {
		return err
	}
	keys, keyErr := policy.ParseKeys(b.flags.key)
	system, err := b.ciSystem()
	if err != nil {
		return err
	}
	client := chat.New(token, appToken, env("SLACK_API_URL"))
	if b.flags.check {
		return b.check(ctx, project, client, system, keyErr)
	}
	if keyErr != nil {
		return keyErr
	}
	log, closeLog, err := logs.New(logs.Options{Redactor: b.app.Redactor, JSON: b.app.Raw.Err})
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	queue, err := store.Open(ctx, store.Options{URL: b.app.Getenv("PACKER_HYBRID_BOT_DB"), Dir: b.folder()})
	if err != nil {
		return err
	}
	slackBot := &bot.Bot{
		Store: queue, Chat: client, Log: log, Metrics: bot.NewMetrics(queue), Now: time.Now,
		Site: sites(project.Root),
	}
	slackBot.Plan = b.app.host().Plans(project.Root)
	slackBot.Tickets = policy.Tickets{Keys: keys, Audience: system.Audience()}
	shared := b.app.Getenv(stored.Variable) != "" || project.State.Backend != config.BackendDirectory
	if b.flags.ci == dispatch.SystemLocal || shared { // elsewhere runs write another state
		slackBot.State = b.app.process().ByState
	}
	slackBot.StartWorker(system, system, project.Bot.Ref, listed)
	service := bot.Service{
		Bot: slackBot, Secret: secret, Socket: appToken != "", Grace: b.flags.grace,
		Events: dispatch.Events{Sources: forges.Events(env), Changed: slackBot.Worker.Changed, Log: log},
	}
	if service.Admin, err = listen(ctx, "--admin", b.flags.admin); err == nil && secret != "" {
		service.Door, err = listen(ctx, "--listen", b.flags.listen)
	}
	if err == nil {
		err = bot.Serve(ctx, service)
	}
	return errors.Join(err, queue.Close(), closeLog())
}

// checkSecrets says which secret of the Slack app is missing.
func checkSecrets(token, appToken, secret string) error {
	switch {
	case token == "":
		return hybridcore.Usagef("SLACK_BOT_TOKEN is not set; it is the Bot User OAuth Token of the Slack app, xoxb-…")
	case appToken == "" && secret == "":
		return hybridcore.Usagef("neither SLACK_APP_TOKEN, for Socket Mode, nor SLACK_SIGNING_SECRET, for HTTP, is set")
	}
	return nil
}

func listen(ctx context.Context, flag, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, hybridcore.Usagef("%s: %v", flag, err)
	}
	return l, nil
}

// stateHome is where the bot's queue is when nobody says it.
func (b botCommand) stateHome() string {
	base := b.app.Getenv("XDG_STATE_HOME")
	if base == "" {
		base = filepath.Join(b.app.Getenv("HOME"), ".local", "state")
	}
	return filepath.Join(base, "packer-hybrid", "bot")
}

// ciSystem is what the flags and the environment have asked for runs.
func (b botCommand) ciSystem() (forge.System, error) {
	if b.flags.ci == dispatch.SystemLocal {
		return b.onThisMachine()
	}
	of, ok := forges.Named(b.flags.ci)
	if !ok || of.Runs.Open == nil {
		known := append(forges.Run(), dispatch.SystemLocal)
		last := len(known) - 1
		return nil, hybridcore.Usagef("--ci is %.40q%s; it must be %s or %s", b.flags.ci,
			text.DidYouMean(b.flags.ci, known), strings.Join(known[:last], ", "), known[last])
	}
	return of.Runs.Open(forge.Config{Getenv: b.app.Getenv, Repository: b.flags.repository, File: b.flags.flow})
}

// onThisMachine has runs made by this program, as processes of their own.
func (b botCommand) onThisMachine() (forge.System, error) {
	project, err := b.app.process().Project()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(filepath.Join(b.folder(), "runs"))
	if err != nil {
		return nil, fmt.Errorf("finding the bot's data: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding this program: %w", err)
	}
	return dispatch.NewLocal(dispatch.LocalConfig{
		Dir: dir, Repository: project.Root, Program: []string{self},
		Environ: append(slices.Clone(b.app.Environ), policy.KeyVariable+"="+b.flags.key), Forges: forges.Prefixes(),
	})
}

// folder is the folder that survives the bot.
func (b botCommand) folder() string {
	if b.flags.data != "" {
		return b.flags.data
	}
	return b.stateHome()
}

// check says everything that is wrong with what the bot would be given.
func (b botCommand) check(ctx context.Context, project config.Project, client *chat.Client, system forge.System,
	key error,
) error {
	ctx, cancel := context.WithTimeout(ctx, checkWait)
	defer cancel()
	var problems []string
	s, err := siteOf(project.Root)
	if err != nil {
		problems = append(problems, "the catalogue: "+err.Error())
	}
	problems = append(problems, unknownImages(s)...)
	if key != nil {
		problems = append(problems, key.Error())
	}
	problems = append(problems, bot.Check(ctx, client, project.Bot)...)
	problems = append(problems, system.Check(ctx, project.Bot.Ref)...)
	if len(problems) > 0 {
		return hybridcore.Usagef("%s", strings.Join(problems, "\n"))
	}
	head, err := system.Head(ctx, project.Bot.Ref)
	if err != nil {
		return fmt.Errorf("asking for the commit of %s: %w", project.Bot.Ref, err)
	}
	if _, err := fmt.Fprintf(b.app.Out, "bot: policy, Slack and the CI system are right; %s is at %.12s\n",
		project.Bot.Ref, head); err != nil {
		return fmt.Errorf("saying that all is right: %w", err)
	}
	return nil
}
