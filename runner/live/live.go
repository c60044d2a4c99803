// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:12:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

// Package live asks the platforms whether what the state has as current is still
// there.
package live

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// patience is how long one platform may take to answer for one target.
const patience = 2 * time.Minute

// KindGone is the reason for building what was built and is gone.
const KindGone = "gone"

// Stage looks at platforms.
type Stage struct{ Project *project.Project }

// Plan looks at what a plan takes for unchanged. What is gone is built again; what
// could not be looked at stays as it is, and says why.
func (s Stage) Plan(ctx context.Context, plan hybridcore.Plan) hybridcore.Plan {
	plan.Targets, plan.Findings = slices.Clone(plan.Targets), slices.Clone(plan.Findings)
	asked := slices.DeleteFunc(slices.Clone(plan.Targets), func(t hybridcore.PlannedTarget) bool {
		return t.Decision != hybridcore.Unchanged
	})
	looks := s.each(ctx, plan.Request, asked)
	for i := range plan.Targets {
		t := &plan.Targets[i]
		look, looked := looks[t.Target.Key()]
		if !looked {
			continue
		}
		t.Look = &look
		switch look.Presence {
		case hybridcore.Gone:
			t.Decision = hybridcore.Build
			t.Reasons = []hybridcore.Reason{{Kind: KindGone, Subject: t.Current.Artifact.Name(), Text: look.Text}}
		case hybridcore.NotLooked:
			plan.Findings = append(plan.Findings, look.Findings...)
		case hybridcore.There:
		}
	}
	return plan
}

// Looks looks at all that a plan knows as built, by key. What is not found where the
// changed settings of a target lead may be where it was built.
func (s Stage) Looks(ctx context.Context, plan hybridcore.Plan) map[string]hybridcore.Look {
	looks := s.each(ctx, plan.Request, plan.Targets)
	for _, t := range plan.Targets {
		look := looks[t.Target.Key()]
		if look.Presence == hybridcore.Gone && t.Decision != hybridcore.Unchanged {
			look.Presence = hybridcore.NotLooked
			look.Text = "not looked at, because its inputs have changed since it was built: where they lead now, " + look.Text
			look.Findings = []hybridcore.Finding{notLooked(t.Target.Name(), look.Text)}
			looks[t.Target.Key()] = look
		}
	}
	return looks
}

// Drift looks at all that a plan knows as built, and says of each what is not as it was
// recorded, or that nobody looked. What is well has no finding. The findings are in the
// order of the plan; their subject is the name of the target.
func (s Stage) Drift(ctx context.Context, plan hybridcore.Plan) []hybridcore.Finding {
	looks := s.Looks(ctx, plan)
	findings := []hybridcore.Finding{}
	for _, t := range plan.Targets {
		if look, looked := looks[t.Target.Key()]; looked {
			findings = append(findings, look.Findings...)
		}
	}
	return findings
}

// each looks at targets, as many at once as the request allows.
func (s Stage) each(ctx context.Context, req hybridcore.Request, targets []hybridcore.PlannedTarget) (
	looks map[string]hybridcore.Look,
) {
	looks = map[string]hybridcore.Look{}
	slots := make(chan struct{}, s.Project.Workers(req))
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, t := range targets {
		if t.Current == nil {
			continue
		}
		all.Go(func() {
			select {
			case slots <- struct{}{}:
				defer func() { <-slots }()
			case <-ctx.Done():
			}
			look := s.look(ctx, t.Target, t.Current.Artifact)
			if look.Presence == hybridcore.NotLooked {
				look.Findings = []hybridcore.Finding{notLooked(t.Target.Name(), look.Text)}
			}
			mu.Lock()
			defer mu.Unlock()
			looks[t.Target.Key()] = look
		})
	}
	all.Wait()
	return looks
}

// look asks the target's platform for an artifact.
func (s Stage) look(ctx context.Context, t hybridcore.Target, recorded *hybridcore.Artifact) hybridcore.Look {
	look := hybridcore.Look{At: s.Project.Now().UTC(), Presence: hybridcore.NotLooked}
	title := t.Platform.Info().Title
	if recorded == nil || len(recorded.URIs) == 0 {
		look.Text = "not looked at, because the record does not say what it is on " + title
		return look
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("%s did not answer within %s", title, patience))
	defer cancel()
	var found []hybridcore.URI
	err := s.Project.With(ctx, t, func(c project.Client) (err error) {
		found, err = c.Find(ctx, recorded.Name())
		return err
	})
	if err != nil {
		look.Text = "not looked at, because " + s.Project.Redact(err.Error())
		return look
	}
	if busy := changing(recorded.URIs, found); busy != "" {
		look.Text = "not looked at, because " + busy + " is being changed on " + title
		return look
	}
	look.Presence = hybridcore.There
	if missing, rule := lost(recorded.URIs, found); len(missing) > 0 {
		look.Presence = hybridcore.Gone
		look.Text = fmt.Sprintf("%s is gone from %s", strings.Join(missing, ", "), title)
		look.Findings = []hybridcore.Finding{gone(t.Name(), rule, look.Text)}
	}
	return look
}

// changing names what is there and not complete now, such as an image that gets a tag.
func changing(recorded, found []hybridcore.URI) string {
	for _, uri := range recorded {
		busy := func(f hybridcore.URI) bool {
			return f.Kind == hybridcore.KindIncomplete+uri.Kind && identifier(f) == identifier(uri)
		}
		if slices.ContainsFunc(found, busy) {
			return uri.Kind + " " + uri.Name
		}
	}
	return ""
}

// node matches the machine of a cluster before the number of a virtual machine of
// Proxmox VE, which moves to others.
var node = regexp.MustCompile(`^[A-Za-z0-9.-]+/([0-9]+)$`)

// identifier is what an object keeps wherever it is moved.
func identifier(uri hybridcore.URI) string { return node.ReplaceAllString(uri.ID, "$1") }

// lost are what was recorded and not found, by kind and name, and the rule of that.
// Another object of the same name is not the one that was recorded.
func lost(recorded, found []hybridcore.URI) (missing []string, rule string) {
	rule = RuleReplaced
	for _, uri := range recorded {
		same := func(f hybridcore.URI) bool { return f.Kind == uri.Kind && identifier(f) == identifier(uri) }
		if slices.ContainsFunc(found, same) {
			continue
		}
		text := uri.Kind + " " + uri.Name
		if slices.ContainsFunc(found, func(f hybridcore.URI) bool { return f.Kind == uri.Kind }) {
			text += " (another one has its name)"
		} else {
			rule = RuleGone
		}
		missing = append(missing, text)
	}
	return missing, rule
}
