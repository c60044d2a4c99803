// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:38:00Z
// Spec: openspec/specs/bot/spec.md#requirement-dispatched-exactly-once
// Diagram: openspec/specs/bot/diagram.md#parts

package github

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

	"github.com/packer-hybrid/packer-hybrid/bot/cirun"
	"github.com/packer-hybrid/packer-hybrid/forge"
	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// Inputs of the workflow that a run gets.
const (
	inputCommand = "command"
	inputSHA     = "sha"
	inputRequest = "request_id"
	inputTicket  = "ticket"
)

// RunsConfig says where runs are asked for, and as whom: with a token, or as
// an installation of a GitHub App, which gets tokens of an hour.
type RunsConfig struct {
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

// Runs dispatches a workflow of GitHub Actions, and follows its runs.
type Runs struct {
	api      client
	workflow string
	files    *http.Client
	now      func() time.Time
}

// NewRuns checks a configuration.
func NewRuns(c RunsConfig) (*Runs, error) {
	g := &Runs{workflow: cmp.Or(c.Workflow, "images.yml"), now: c.Now, files: forge.Files()}
	if g.now == nil {
		g.now = time.Now
	}
	timeout := cmp.Or(c.Timeout, forge.CallTimeout)
	through, err := c.signed(timeout)
	if err != nil {
		return nil, err
	}
	g.api, err = newClient(c.API, c.Repository, through, timeout)
	return g, err
}

// signed is the client's transport: as the app's installation, or by the token.
func (c RunsConfig) signed(timeout time.Duration) (*http.Client, error) {
	switch {
	case c.App != 0:
		base, err := forge.Address(title, cmp.Or(c.API, standardAPI))
		if err != nil {
			return nil, err
		}
		plain := webapi.Transport{Most: forge.MaxAnswer}
		app, err := ghinstallation.New(plain, c.App, c.Install, c.Key)
		if err != nil {
			return nil, hybridcore.Usagef("the key of GitHub App %d cannot be read; give the .pem file that GitHub made for it",
				c.App)
		}
		app.BaseURL = strings.TrimSuffix(base.String(), "/")
		// else the body is null, which GitHub does not describe
		app.InstallationTokenOptions = &github.InstallationTokenOptions{}
		app.Client = &http.Client{Transport: plain, Timeout: timeout}
		return webapi.Client(app), nil
	case c.Token == "":
		return nil, hybridcore.Usagef(
			"neither GITHUB_TOKEN nor GITHUB_APP_ID is set: the bot asks GitHub by a token or as a GitHub App")
	default:
		return byToken(c.Token), nil
	}
}

// ask makes one request of the bot's.
func (g *Runs) ask(ctx context.Context, what string, do request) error {
	return g.hinted(ctx, what, "check the repository, the workflow's name and inputs, and what the bot's token may do", do)
}

type request func(context.Context, *github.Client) (*github.Response, error)

// hinted makes one request; the hint says what to do when its refusal stays.
func (g *Runs) hinted(ctx context.Context, what, hint string, do request) error {
	var answer *github.Response
	err := g.api.call(ctx, func(ctx context.Context, c *github.Client) (err error) {
		answer, err = do(ctx, c)
		return err
	})
	if err == nil {
		return nil
	}
	r := forge.Refusal{What: "GitHub for " + what, Err: err, Hint: hint}
	if answer != nil && answer.Response != nil {
		r.Status, r.Header = answer.StatusCode, answer.Header
	}
	if failed, ok := errors.AsType[*ghinstallation.HTTPError](err); ok && failed.Response != nil {
		r.Status, r.Header = failed.Response.StatusCode, failed.Response.Header
	}
	_, primary := errors.AsType[*github.RateLimitError](err)
	_, secondary := errors.AsType[*github.AbuseRateLimitError](err)
	r.Limited = primary || secondary || webapi.Limited(r.Header)
	return r.Classify(g.now())
}

// Head returns the commit of a branch.
func (g *Runs) Head(ctx context.Context, ref string) (string, error) {
	var found *github.Reference
	err := g.ask(ctx, "the branch "+ref,
		func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
			found, answer, err = c.Git.GetRef(ctx, g.api.owner, g.api.repo, "heads/"+ref)
			return answer, err //nolint:wrapcheck // ask does
		})
	if err != nil {
		return "", err
	}
	return found.GetObject().GetSHA(), nil
}

// Find looks for a run by the request's ID in its name. GitHub lists the newest
// first, and nothing older than the request can be its run.
func (g *Runs) Find(ctx context.Context, o cirun.Order) (cirun.Run, bool, error) {
	options := &github.ListWorkflowRunsOptions{Event: "workflow_dispatch", ListOptions: github.ListOptions{PerPage: 100}}
	from := forge.Begun(o.Request)
	for range forge.MaxPages {
		var page *github.WorkflowRuns
		next := 0
		err := g.ask(ctx, "the run of "+o.Request,
			func(ctx context.Context, c *github.Client) (answer *github.Response, err error) {
				page, answer, err = c.Actions.ListWorkflowRunsByFileName(ctx, g.api.owner, g.api.repo, g.workflow, options)
				if err == nil {
					next = answer.NextPage
				}
				return answer, err //nolint:wrapcheck // ask does
			})
		if err != nil {
			return cirun.Run{}, false, err
		}
		runs, err := webapi.Elements(page.WorkflowRuns)
		if err != nil {
			return cirun.Run{}, false, fmt.Errorf("asking GitHub for the run of %s: %w", o.Request, err)
		}
		for _, run := range runs {
			if slices.Contains(strings.Fields(run.GetDisplayTitle()), o.Request) {
				return cirun.Run{ID: strconv.FormatInt(run.GetID(), 10), URL: run.GetHTMLURL()}, true, nil
			}
			if older(run, from) {
				return cirun.Run{}, false, nil
			}
		}
		if options.Page = next; next == 0 {
			return cirun.Run{}, false, nil
		}
	}
	return cirun.Run{}, false, forge.Endless("GitHub", "runs of "+g.workflow, o.Request)
}

// Dispatch asks for a run of the workflow. GitHub names it when it can; else it
// is to be found.
func (g *Runs) Dispatch(ctx context.Context, o cirun.Order) (cirun.Run, error) {
	var made struct {
		ID  int64  `json:"workflow_run_id"`
		URL string `json:"html_url"`
	}
	err := g.ask(ctx, "a run of "+g.workflow, func(ctx context.Context, c *github.Client) (*github.Response, error) {
		return g.post(ctx, c, &made, map[string]any{
			"ref": o.Ref, "return_run_details": true,
			"inputs": map[string]string{
				inputCommand: o.Line, inputSHA: o.Commit, inputRequest: o.Request,
				inputTicket: string(o.Ticket),
			},
		})
	})
	if err != nil || made.ID == 0 {
		return cirun.Run{}, err
	}
	return cirun.Run{ID: strconv.FormatInt(made.ID, 10), URL: made.URL}, nil
}

// post dispatches the workflow.
func (g *Runs) post(ctx context.Context, c *github.Client, made any, body map[string]any) (*github.Response, error) {
	path := fmt.Sprintf("repos/%s/%s/actions/workflows/%s/dispatches", g.api.owner, g.api.repo, url.PathEscape(g.workflow))
	r, err := c.NewRequest(http.MethodPost, path, body)
	if err != nil {
		return nil, err //nolint:wrapcheck // ask does
	}
	return c.Do(ctx, r, made) //nolint:wrapcheck // ask does
}

// Cancel ends a run. One that has ended is no error.
func (g *Runs) Cancel(ctx context.Context, run cirun.Run) error {
	id, err := forge.Number(run.ID)
	if err != nil {
		return err
	}
	return g.ask(ctx, "the end of run "+run.ID, func(ctx context.Context, c *github.Client) (*github.Response, error) {
		answer, err := c.Actions.CancelWorkflowRunByID(ctx, g.api.owner, g.api.repo, id)
		if _, taken := errors.AsType[*github.AcceptedError](err); taken || answer != nil &&
			answer.StatusCode == http.StatusConflict {
			return answer, nil
		}
		return answer, err //nolint:wrapcheck // ask does
	})
}

// older says whether a run was made before a time; not of one that has no time.
func older(run *github.WorkflowRun, than time.Time) bool {
	return run.CreatedAt != nil && run.CreatedAt.Before(than)
}
