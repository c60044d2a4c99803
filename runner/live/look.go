// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T14:45:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package live

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// patience is how long one platform may take to sign in and to answer for one target;
// for each further one it has a second more.
const patience = 2 * time.Minute

// Stage looks at platforms.
type Stage struct{ Project *project.Project }

// group are targets that are reached by one session.
type group struct {
	key     string
	targets []hybridcore.PlannedTarget
}

// all looks at targets, by one session for those with the same connection, and at so many
// connections at once as the request allows.
func (s Stage) all(ctx context.Context, req hybridcore.Request, targets []hybridcore.PlannedTarget) (
	looks map[string]hybridcore.Look,
) {
	looks = map[string]hybridcore.Look{}
	var groups []group
	for _, t := range targets {
		if t.Current == nil {
			continue
		}
		if t.Current.Artifact == nil || len(t.Current.Artifact.URIs) == 0 {
			looks[t.Target.Key()] = notLooked(s.now(), t.Target,
				"the record does not say what it is on "+t.Target.Platform.Info().Title)
			continue
		}
		key := connection(t)
		at := slices.IndexFunc(groups, func(g group) bool { return g.key == key })
		if at < 0 {
			at, groups = len(groups), append(groups, group{key: key})
		}
		groups[at].targets = append(groups[at].targets, t)
	}
	var mu sync.Mutex
	project.Parallel(len(groups), max(s.Project.Workers(req), 1), func(i int) {
		found := s.together(ctx, groups[i].targets)
		mu.Lock()
		defer mu.Unlock()
		for n, t := range groups[i].targets {
			looks[t.Target.Key()] = found[n]
		}
	})
	return looks
}

// connection tells apart what is reached by different sessions. A service that only some
// kinds of objects need is signed in to only where they are.
func connection(t hybridcore.PlannedTarget) string {
	ways := map[string]string{"platform": string(t.Target.Platform)}
	for _, uri := range t.Current.Artifact.URIs {
		ways["kind "+uri.Kind] = ""
	}
	for _, v := range t.Target.Variables {
		if v.Connection && !hybridcore.IsGuest(v.Name) {
			ways["variable "+v.Name] = v.Plain()
		}
	}
	return hybridcore.DigestOf(ways)
}

// together looks at targets with one connection.
func (s Stage) together(ctx context.Context, targets []hybridcore.PlannedTarget) []hybridcore.Look {
	first, title := targets[0].Target, targets[0].Target.Platform.Info().Title
	within := patience + time.Duration(len(targets)-1)*time.Second
	ctx, cancel := context.WithTimeoutCause(ctx, within, fmt.Errorf("%s did not answer within %s", title, within))
	defer cancel()
	looks := make([]hybridcore.Look, len(targets))
	err := s.Project.With(ctx, first, func(c project.Client) error {
		var of []hybridcore.Target
		var recorded []*hybridcore.Artifact
		for _, t := range targets {
			of, recorded = append(of, t.Target), append(recorded, t.Current.Artifact)
		}
		looks = s.artifacts(ctx, c, of, recorded)
		return nil
	})
	if err != nil {
		for i, t := range targets {
			looks[i] = notLooked(s.now(), t.Target, s.why(ctx, err))
		}
	}
	return looks
}

// artifacts looks at what was recorded of targets through one client: at all of its facts
// where there is a fingerprint to compare with, else at its existence and name.
func (s Stage) artifacts(ctx context.Context, c project.Client, of []hybridcore.Target, recorded []*hybridcore.Artifact,
) []hybridcore.Look {
	seen, err := look(ctx, c, of, recorded)
	looks := make([]hybridcore.Look, len(of))
	for i, t := range of {
		if err != nil {
			looks[i] = notLooked(s.now(), t, s.why(ctx, err))
			continue
		}
		looks[i] = judgement{target: t, clean: s.Project.Redact}.judge(s.now(), recorded[i], seen[i])
	}
	return looks
}

// Artifact looks at what was recorded of one target through a client.
func (s Stage) Artifact(ctx context.Context, c project.Client, of hybridcore.Target, recorded *hybridcore.Artifact,
) hybridcore.Look {
	return s.artifacts(ctx, c, []hybridcore.Target{of}, []*hybridcore.Artifact{recorded})[0]
}

// look asks a client for all objects of artifacts, in at most two calls.
func look(ctx context.Context, c project.Client, of []hybridcore.Target, recorded []*hybridcore.Artifact) (
	[][]hybridcore.Seen, error,
) {
	client, ok := c.(project.Looker)
	if !ok {
		return nil, hybridcore.Blockedf("the client of %s looks at nothing", of[0].Platform.Info().Title)
	}
	var whole, short []hybridcore.URI
	for _, a := range recorded {
		if len(a.Fingerprints) > 0 {
			whole = append(whole, a.URIs...)
		} else {
			short = append(short, a.URIs...)
		}
	}
	found := map[hybridcore.URI]hybridcore.Seen{}
	ask := func(uris []hybridcore.URI, how func(context.Context, []hybridcore.URI) ([]hybridcore.Seen, error)) error {
		if len(uris) == 0 {
			return nil
		}
		seen, err := how(ctx, uris)
		for _, one := range seen {
			found[one.Of] = one
		}
		return err
	}
	if err := ask(whole, client.Fingerprint); err != nil {
		return nil, err
	}
	if err := ask(short, client.Look); err != nil {
		return nil, err
	}
	all := make([][]hybridcore.Seen, len(recorded))
	for i, a := range recorded {
		for _, uri := range a.URIs {
			one, known := found[uri]
			if !known {
				one = hybridcore.Seen{Of: uri, Unseen: "nothing was said of " + uri.Kind + " " + uri.Name}
			}
			all[i] = append(all[i], one)
		}
	}
	return all, nil
}

// now is a look that was taken now.
func (s Stage) now() hybridcore.Look { return hybridcore.Look{At: s.Project.Now().UTC()} }

// why is why nobody could look: that the time was up, if it was.
func (s Stage) why(ctx context.Context, err error) string {
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return s.Project.Redact(err.Error())
}
