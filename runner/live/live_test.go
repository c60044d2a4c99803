// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:25:00Z
// Spec: openspec/specs/runner/spec.md#requirement-what-is-current-is-looked-at
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package live_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/config"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/runner/live"
	"github.com/packer-hybrid/packer-hybrid/runner/project"
)

// platform answers with what it has, by identifier, or refuses.
type platform struct {
	has    map[string]hybridcore.Seen
	err    error
	opened *atomic.Int32
}

func (p platform) Find(context.Context, string) ([]hybridcore.URI, error) {
	return nil, errors.New("nothing is to be looked for by name")
}

func (p platform) Reap(context.Context, hybridcore.Remains, bool) ([]hybridcore.URI, error) {
	return nil, errors.New("nothing is to be removed")
}

func (p platform) Close(context.Context) error { return nil }

// Look tells no facts.
func (p platform) Look(ctx context.Context, of []hybridcore.URI) ([]hybridcore.Seen, error) {
	seen, err := p.Fingerprint(ctx, of)
	for i := range seen {
		seen[i].Facts = nil
	}
	return seen, err
}

func (p platform) Fingerprint(_ context.Context, of []hybridcore.URI) (seen []hybridcore.Seen, err error) {
	for _, uri := range of {
		one := p.has[uri.ID]
		one.Of = uri
		seen = append(seen, one)
	}
	return seen, p.err
}

// The objects of one artifact, and what was recorded of them.
var (
	template = hybridcore.URI{Kind: "vm-template", Name: "debian-12-r1", ID: "vm-54"}
	item     = hybridcore.URI{Kind: "content-library-item", Name: "debian-12-r1", ID: "8fa9"}
	twin     = hybridcore.URI{Kind: "vm-template", Name: "debian-12-r1", ID: "vm-99"}
	machine  = map[string]string{
		"memory": "2048 MiB", "processors": "2", "mark": "r1", "identity": "one", "tag owner": "ops",
		"replication westeurope": "Completed", "state": "complete",
	}
)

// artifact is recorded with a fingerprint of the template, or without any.
func artifact(whole bool) *hybridcore.Artifact {
	a := &hybridcore.Artifact{ID: "debian-12-r1", URIs: []hybridcore.URI{template, item}}
	if whole {
		a.Fingerprints = []hybridcore.Fingerprint{
			{Of: template, Facts: machine}, {Of: item, Facts: map[string]string{"content version": "2"}},
		}
	}
	return a
}

// with is the template as it was, with some facts changed; an empty one is not there.
func with(pairs ...string) hybridcore.Seen {
	facts := maps.Clone(machine)
	for n := 0; n < len(pairs); n += 2 {
		if facts[pairs[n]] = pairs[n+1]; pairs[n+1] == "" {
			delete(facts, pairs[n])
		}
	}
	return hybridcore.Seen{Now: template, Facts: facts}
}

// named is the template under another name or of another kind.
func named(kind, name string) hybridcore.Seen {
	one := with()
	one.Now.Kind, one.Now.Name = kind, name
	return one
}

// stage looks at one platform.
func stage(p platform) live.Stage {
	redactor, _ := redact.New(redact.Secret{Name: "PKR_VAR_vsphere_password", Value: "s3cret-password"})
	return live.Stage{Project: &project.Project{
		Config:   config.Project{Build: config.Build{Parallel: 2}},
		Redactor: redactor, Now: time.Now, Log: slog.New(slog.DiscardHandler),
		Connect: func(context.Context, hybridcore.Target) (project.Client, error) {
			if p.opened != nil {
				p.opened.Add(1)
			}
			return p, nil
		},
	}}
}

func target(image string) hybridcore.Target {
	return hybridcore.Target{Env: "lab", Image: hybridcore.Image{Name: image}, Platform: hybridcore.VSphere}
}

// TestPlan looks at what a plan takes for unchanged.
func TestPlan(t *testing.T) {
	t.Parallel()
	whole := hybridcore.Seen{Now: item, Facts: map[string]string{"content version": "2"}}
	there := map[string]hybridcore.Seen{template.ID: with(), item.ID: whole}
	one := func(seen hybridcore.Seen) map[string]hybridcore.Seen {
		return map[string]hybridcore.Seen{template.ID: seen, item.ID: whole}
	}
	for what, of := range map[string]struct {
		platform platform
		old      bool // the record has no fingerprint
		decision hybridcore.Decision
		presence hybridcore.Presence
		rules    string // of the findings, one each; blocking ones with !
		says     string
	}{
		"there": {platform{has: there}, false, hybridcore.Unchanged, hybridcore.There, "", ""},
		"nothing is there": {
			platform{},
			false, hybridcore.Build, hybridcore.Gone, "",
			"vm-template debian-12-r1 (vm-54), content-library-item debian-12-r1 (8fa9) is gone from VMware vSphere",
		},
		"a part is gone": {
			platform{has: map[string]hybridcore.Seen{template.ID: with()}},
			false, hybridcore.Build, hybridcore.Gone, "",
			"content-library-item debian-12-r1 (8fa9) is gone",
		},
		"another one's name": {
			platform{has: one(hybridcore.Seen{Twin: twin})},
			false, hybridcore.Build, hybridcore.Gone, "",
			"(vm-54; another one has its name)",
		},
		"another one's identifier": {
			platform{has: one(with("identity", "two"))},
			false, hybridcore.Build, hybridcore.Gone, "",
			"(vm-54, which another one has now)",
		},
		"cut and renamed": {
			platform{has: one(func() hybridcore.Seen {
				seen := with("memory", "512 MiB", "processors", "1")
				seen.Now.Name = "mine"
				return seen
			}())},
			false, hybridcore.Unchanged, hybridcore.Changed, "drift-renamed! drift-edited!",
			"was edited: memory: 2048 MiB → 512 MiB, processors: 2 → 1",
		},
		"a machine again": {
			platform{has: one(named("vm", template.Name))},
			false, hybridcore.Unchanged, hybridcore.Changed, "drift-edited!",
			"kind: vm-template → vm",
		},
		"notes and tags": {
			platform{has: one(with("mark", "", "tag owner", "you"))},
			false, hybridcore.Unchanged, hybridcore.Changed,
			"drift-edited", "mark: r1 → none, tag owner: ops → you",
		},
		"a region failed": {
			platform{has: one(with("replication westeurope", "Failed"))},
			false, hybridcore.Unchanged, hybridcore.Changed,
			"drift-replication!", "is not complete: replication westeurope: Completed → Failed",
		},
		"a region taken away": {
			platform{has: one(with("replication westeurope", ""))},
			false, hybridcore.Unchanged, hybridcore.Changed,
			"drift-edited!", "replication westeurope: Completed → none",
		},
		"a region added": {
			platform{has: one(with("region northeurope", "1 copies", "replication northeurope", "Replicating"))},
			false, hybridcore.Unchanged, hybridcore.Changed,
			"drift-edited", "region northeurope: none → 1 copies, replication northeurope: none → Replicating",
		},
		"offered otherwise": {
			platform{has: one(with("excluded from latest", "true", "end of life", "2030-01-02T00:00:00Z"))},
			false, hybridcore.Unchanged, hybridcore.Changed, "drift-edited", "excluded from latest: none → true",
		},
		"offered otherwise, and cut": {
			platform{has: one(with("end of life", "2030-01-02T00:00:00Z", "memory", "512 MiB"))},
			false, hybridcore.Unchanged, hybridcore.Changed, "drift-edited!", "memory: 2048 MiB → 512 MiB",
		},
		"the tag of its name is removed": {
			platform{has: one(func() hybridcore.Seen {
				seen := with("tag owner", "")
				seen.Now.Name = ""
				return seen
			}())},
			false, hybridcore.Unchanged, hybridcore.Changed, "drift-edited", "was edited: name: debian-12-r1 → none",
		},
		"a secret in a fact": {
			platform{has: one(with("tag owner", "s3cret-password"))},
			false, hybridcore.Unchanged, hybridcore.Changed,
			"drift-edited", "tag owner: ops → ",
		},
		"refused": {
			platform{err: errors.New("403 for s3cret-password")},
			false, hybridcore.Unchanged, hybridcore.NotLooked,
			"drift-not-looked", "not looked at, because 403 for ",
		},
		"half an answer": {
			platform{has: there, err: errors.New("unexpected EOF")},
			false, hybridcore.Unchanged, hybridcore.NotLooked,
			"drift-not-looked", "unexpected EOF",
		},
		"one is being changed": {
			platform{has: one(hybridcore.Seen{Unseen: "vCenter is changing it"})},
			false, hybridcore.Unchanged,
			hybridcore.NotLooked, "drift-not-looked", "not looked at, because vCenter is changing it",
		},
		"of an old record": {
			platform{has: there},
			true, hybridcore.Unchanged, hybridcore.There, "drift-not-looked",
			"because the record has no fingerprint of vm-template, content-library-item",
		},
		"renamed, of an old record": {
			platform{has: one(named("vm-template", "mine"))},
			true, hybridcore.Unchanged, hybridcore.Changed,
			"drift-renamed! drift-not-looked", "has another name now: mine",
		},
	} {
		current := &hybridcore.Current{RunID: "r1", Artifact: artifact(!of.old)}
		plan := stage(of.platform).Plan(t.Context(), hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
			{Target: target("debian-12"), Decision: hybridcore.Unchanged, Current: current},
			{Target: target("debian-13"), Decision: hybridcore.Build, Current: current},
		}})
		got := plan.Targets[0]
		if got.Decision != of.decision || got.Look == nil || got.Look.Presence != of.presence ||
			!strings.Contains(got.Look.Text, of.says) || strings.Contains(fmt.Sprint(plan), "s3cret") {
			t.Errorf("%s: %s, %+v", what, got.Decision, got.Look)
		}
		if rules := rulesOf(plan.Findings); rules != of.rules {
			t.Errorf("%s: findings %q, want %q: %+v", what, rules, of.rules, plan.Findings)
		}
		if plan.Targets[1].Look != nil {
			t.Errorf("%s: what is built anyway was looked at", what)
		}
	}
}

// TestCompleted says of what was recorded in half and is complete now that it is well.
func TestCompleted(t *testing.T) {
	t.Parallel()
	recorded := artifact(true)
	recorded.Fingerprints[0].Facts = with("state", "Failed", "replication westeurope", "Replicating").Facts
	whole := hybridcore.Seen{Now: item, Facts: map[string]string{"content version": "2"}}
	current := &hybridcore.Current{RunID: "r1", Artifact: recorded}
	plan := stage(platform{has: map[string]hybridcore.Seen{template.ID: with(), item.ID: whole}}).
		Plan(t.Context(), hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
			{Target: target("debian-12"), Decision: hybridcore.Unchanged, Current: current},
		}})
	look := plan.Targets[0].Look
	if look.Presence != hybridcore.There || look.Text != "" || rulesOf(plan.Findings) != "drift-replication" ||
		plan.Findings[0].Severity != hybridcore.Info || strings.Contains(plan.Findings[0].Hint, "--rebuild") {
		t.Errorf("%+v", look)
	}
}

// TestHint names the one target that is to be built again.
func TestHint(t *testing.T) {
	t.Parallel()
	whole := hybridcore.Seen{Now: item, Facts: map[string]string{"content version": "2"}}
	current := &hybridcore.Current{RunID: "r1", Artifact: artifact(true)}
	for _, seen := range []hybridcore.Seen{
		with("memory", "1 MiB"), with("state", "Failed"), named("vm-template", "mine"),
	} {
		findings := stage(platform{has: map[string]hybridcore.Seen{template.ID: seen, item.ID: whole}}).
			Drift(t.Context(), hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
				{Target: target("debian-12"), Decision: hybridcore.Unchanged, Current: current},
			}})
		const command = "packer-hybrid build debian-12 --env lab --platforms vsphere --rebuild"
		if len(findings) != 1 || !strings.HasSuffix(findings[0].Hint, command) {
			t.Errorf("%+v", findings)
		}
	}
}

// rulesOf are the rules of findings, those that block with an exclamation mark.
func rulesOf(findings []hybridcore.Finding) string {
	var rules []string
	for _, f := range findings {
		rule := f.Rule
		if f.Blocking {
			rule += "!"
		}
		if f.Kind != hybridcore.KindDrift || f.Subject != "lab/debian-12@vsphere" || f.Message == "" {
			rule = fmt.Sprintf("%+v", f)
		}
		rules = append(rules, rule)
	}
	return strings.Join(rules, " ")
}

// TestDrift says of each target by rule what is not as it was recorded.
func TestDrift(t *testing.T) {
	t.Parallel()
	for what, of := range map[string]struct {
		platform platform
		current  *hybridcore.Artifact
		decision hybridcore.Decision
		rules    string
	}{
		"gone": {platform{}, artifact(true), hybridcore.Unchanged, "drift-gone!"},
		"replaced": {platform{has: map[string]hybridcore.Seen{
			template.ID: {Twin: twin}, item.ID: {Now: item, Facts: map[string]string{"content version": "2"}},
		}}, artifact(true), hybridcore.Unchanged, "drift-replaced!"},
		"refused": {platform{err: errors.New("403")}, artifact(true), hybridcore.Unchanged, "drift-not-looked"},
		"changed since, and not where it leads now": {
			platform{}, artifact(true), hybridcore.Build, "drift-not-looked",
		},
		"nothing recorded": {platform{}, nil, hybridcore.Unchanged, "drift-not-looked"},
	} {
		got := stage(of.platform).Drift(t.Context(), hybridcore.Plan{Targets: []hybridcore.PlannedTarget{
			{Target: target("debian-12"), Decision: of.decision, Current: &hybridcore.Current{Artifact: of.current}},
		}})
		if rules := rulesOf(got); rules != of.rules {
			t.Errorf("%s: %q, want %q", what, rules, of.rules)
		}
	}
}

// TestOneSession looks at all targets of one connection by one session, and at those of another by another.
func TestOneSession(t *testing.T) {
	t.Parallel()
	var opened atomic.Int32
	whole := hybridcore.Seen{Now: item, Facts: map[string]string{"content version": "2"}}
	s := stage(platform{has: map[string]hybridcore.Seen{template.ID: with(), item.ID: whole}, opened: &opened})
	var plan hybridcore.Plan
	for n := range 100 {
		one := target(fmt.Sprint("image-", n))
		endpoint := "first"
		if n >= 60 {
			endpoint = "second"
		}
		one.Variables = []hybridcore.Variable{
			{Name: "vsphere_endpoint", JSON: `"` + endpoint + `"`, Connection: true},
			{Name: "build_password", JSON: fmt.Sprint(n), Connection: true}, // of the guest
		}
		plan.Targets = append(plan.Targets, hybridcore.PlannedTarget{
			Target: one, Decision: hybridcore.Unchanged, Current: &hybridcore.Current{Artifact: artifact(true)},
		})
	}
	looks := s.Looks(t.Context(), plan)
	if len(looks) != 100 || opened.Load() != 2 {
		t.Errorf("%d looks by %d sessions", len(looks), opened.Load())
	}
	for key, look := range looks {
		if look.Presence != hybridcore.There || len(look.Findings) > 0 {
			t.Errorf("%s: %+v", key, look)
		}
	}
}
