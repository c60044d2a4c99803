// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:38:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/bradleyfalzon/ghinstallation/v2"
	"github.com/google/go-github/v62/github"

	"github.com/packer-hybrid/packer-hybrid/bot"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// GitHubConfig says where runs are asked for, and as whom: with a token, or as
// an installation of a GitHub App, which gets tokens of an hour.
type GitHubConfig struct {
	API        string // base address; empty: https://api.github.com/
	Repository string // OWNER/NAME
	Workflow   string // file name; empty: images.yml
	Token      string // with actions: write, contents, checks: read
	App        int64  // ID of the app; 0: Token is used
	Install    int64  // ID of the installation
	Key        []byte // the app's private key, PEM

	Timeout time.Duration    // of one request; 0: ten seconds
	Now     func() time.Time // nil: the system's clock
}

// GitHub dispatches a workflow of GitHub Actions, and follows its runs.
type GitHub struct {
	owner, repo, workflow string

	base    *url.URL
	http    *http.Client
	files   *http.Client
	timeout time.Duration
	now     func() time.Time
}

// NewGitHub checks a configuration.
func NewGitHub(c GitHubConfig) (*GitHub, error) {
	base, err := address(cmp.Or(c.API, "https://api.github.com/"))
	if err != nil {
		return nil, err
	}
	owner, repo, ok := strings.Cut(c.Repository, "/")
	if !ok || owner == "" || repo == "" || strings.Contains(repo, "/") {
		return nil, hybridcore.Usagef("%.80q is not the name of a repository: give --repository OWNER/NAME", c.Repository)
	}
	g := &GitHub{
		owner: owner, repo: repo, workflow: cmp.Or(c.Workflow, "images.yml"), base: base,
		timeout: cmp.Or(c.Timeout, callTimeout), now: c.Now,
	}
	if g.now == nil {
		g.now = time.Now
	}
	plain := webapi.Transport{Most: maxAnswer}
	var signed http.RoundTripper
	switch {
	case c.App != 0:
		app, err := ghinstallation.New(plain, c.App, c.Install, c.Key)
		if err != nil {
			return nil, hybridcore.Usagef("the key of GitHub App %d cannot be read; give the .pem file that GitHub made for it",
				c.App)
		}
		app.BaseURL = strings.TrimSuffix(base.String(), "/")
		// else the body is null, which GitHub does not describe
		app.InstallationTokenOptions = &github.InstallationTokenOptions{}
		app.Client = &http.Client{Transport: plain, Timeout: g.timeout}
		signed = app
	case c.Token == "":
		return nil, hybridcore.Usagef(
			"neither GITHUB_TOKEN nor GITHUB_APP_ID is set: the bot asks GitHub by a token or as a GitHub App")
	default:
		signed = webapi.Transport{Most: maxAnswer, Sign: webapi.Bearer(c.Token)}
	}
	g.http = webapi.Client(signed)
	g.files = &http.Client{Transport: webapi.Transport{Most: maxAnswer, Files: true}, Timeout: fileTimeout}
	return g, nil
}

// call makes one request.
func (g *GitHub) call(ctx context.Context, what string, do githubCall) error {
	return g.hinted(ctx, what, "check the repository, the workflow's name and inputs, and what the bot's token may do", do)
}

type githubCall func(context.Context, *github.Client) (*github.Response, error)

// hinted makes one request; the hint says what to do when its refusal stays. Its
// client is a new one each time: go-github's remembers limits by the system's
// clock, and refuses requests itself.
func (g *GitHub) hinted(ctx context.Context, what, hint string, do githubCall) error {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	client := github.NewClient(g.http)
	client.BaseURL = g.base
	answer, err := do(ctx, client)
	if err == nil {
		return nil
	}
	r := refusal{what: "GitHub for " + what, err: err, hint: hint}
	if answer != nil && answer.Response != nil {
		r.status, r.header = answer.StatusCode, answer.Header
	}
	if failed, ok := errors.AsType[*ghinstallation.HTTPError](err); ok && failed.Response != nil {
		r.status, r.header = failed.Response.StatusCode, failed.Response.Header
	}
	_, primary := errors.AsType[*github.RateLimitError](err)
	_, secondary := errors.AsType[*github.AbuseRateLimitError](err)
	r.limited = primary || secondary || webapi.Limited(r.header)
	return r.classify(g.now())
}

// Head returns the commit of a branch.
func (g *GitHub) Head(ctx context.Context, ref string) (string, error) {
	var found *github.Reference
	err := g.call(ctx, "the branch "+ref,
		func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
			found, answer, err = c.Git.GetRef(ctx, g.owner, g.repo, "heads/"+ref)
			return answer, err //nolint:wrapcheck // call does
		})
	if err != nil {
		return "", err
	}
	return found.GetObject().GetSHA(), nil
}

// Find looks for a run by the request's ID in its name. GitHub lists the newest
// first, and nothing older than the request can be its run.
func (g *GitHub) Find(ctx context.Context, o bot.Order) (bot.Run, bool, error) {
	options := &github.ListWorkflowRunsOptions{Event: "workflow_dispatch", ListOptions: github.ListOptions{PerPage: 100}}
	from := begun(o.Request)
	for range maxPages {
		var page *github.WorkflowRuns
		next := 0
		err := g.call(ctx, "the run of "+o.Request,
			func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
				if page, answer, err = c.Actions.ListWorkflowRunsByFileName(ctx, g.owner, g.repo, g.workflow, options); err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // call does
			})
		if err != nil {
			return bot.Run{}, false, err
		}
		runs, err := webapi.Elements(page.WorkflowRuns)
		if err != nil {
			return bot.Run{}, false, fmt.Errorf("asking GitHub for the run of %s: %w", o.Request, err)
		}
		for _, run := range runs {
			if slices.Contains(strings.Fields(run.GetDisplayTitle()), o.Request) {
				return bot.Run{ID: strconv.FormatInt(run.GetID(), 10), URL: run.GetHTMLURL()}, true, nil
			}
			if older(run, from) {
				return bot.Run{}, false, nil
			}
		}
		if options.Page = next; next == 0 {
			return bot.Run{}, false, nil
		}
	}
	return bot.Run{}, false, endless("GitHub", "runs of "+g.workflow, o.Request)
}

// Dispatch asks for a run of the workflow. GitHub names it when it can; else it
// is to be found.
func (g *GitHub) Dispatch(ctx context.Context, o bot.Order) (bot.Run, error) {
	var made struct {
		ID  int64  `json:"workflow_run_id"`
		URL string `json:"html_url"`
	}
	err := g.call(ctx, "a run of "+g.workflow, func(ctx context.Context, c *github.Client) (*github.Response, error) {
		return g.post(ctx, c, &made, map[string]any{
			"ref": o.Ref, "return_run_details": true,
			"inputs": map[string]string{
				inputCommand: o.Line, inputSHA: o.Commit, inputRequest: o.Request,
				inputTicket: string(o.Ticket),
			},
		})
	})
	if err != nil || made.ID == 0 {
		return bot.Run{}, err
	}
	return bot.Run{ID: strconv.FormatInt(made.ID, 10), URL: made.URL}, nil
}

// post dispatches the workflow.
func (g *GitHub) post(ctx context.Context, c *github.Client, made any, body map[string]any) (*github.Response, error) {
	path := fmt.Sprintf("repos/%s/%s/actions/workflows/%s/dispatches", g.owner, g.repo, url.PathEscape(g.workflow))
	r, err := c.NewRequest(http.MethodPost, path, body)
	if err != nil {
		return nil, err //nolint:wrapcheck // call does
	}
	return c.Do(ctx, r, made) //nolint:wrapcheck // call does
}

// Cancel ends a run. One that has ended is no error.
func (g *GitHub) Cancel(ctx context.Context, run bot.Run) error {
	id, err := number(run.ID)
	if err != nil {
		return err
	}
	return g.call(ctx, "the end of run "+run.ID, func(ctx context.Context, c *github.Client) (*github.Response, error) {
		answer, err := c.Actions.CancelWorkflowRunByID(ctx, g.owner, g.repo, id)
		if _, taken := errors.AsType[*github.AcceptedError](err); taken || answer != nil &&
			answer.StatusCode == http.StatusConflict {
			return answer, nil
		}
		return answer, err //nolint:wrapcheck // call does
	})
}

func number(id string) (int64, error) {
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil || n <= 0 {
		return 0, hybridcore.Usagef("%.80q is not the number of a run", id)
	}
	return n, nil
}
