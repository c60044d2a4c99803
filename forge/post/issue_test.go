// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:27:00Z
// Spec: openspec/specs/posting/spec.md#requirement-one-issue
// Diagram: openspec/specs/posting/diagram.md#the-issue-of-a-repository

package post_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/packer-hybrid/packer-hybrid/forge/post"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
	"github.com/packer-hybrid/packer-hybrid/lab/github"
	"github.com/packer-hybrid/packer-hybrid/lab/gitlab"
)

// tracker is the issues of one served forge.
type tracker struct {
	access  post.Access
	address func(number int64) post.Address
	faults  *fault.Injector
	all     func() []string // each as "state author: text"
	add     func(ours bool, text string) int64
	set     func(number int64, state string)
	obeyed  func() []string
	wrong   func() []string
	closed  string // what the forge calls an issue that is
	opened  string
}

// trackers starts a server of each forge; off has their issues turned off.
func trackers(t *testing.T, off bool, rules string) map[string]tracker {
	t.Helper()
	hub := serve(t, func(c *github.Config) { c.NoIssues = off }, rules)
	lab := serveGitLab(t, func(c *gitlab.Config) { c.NoIssues = off }, rules)
	shown := func(one map[string]any, by, name, text string) string {
		author, _ := one[by].(map[string]any)
		return fmt.Sprintf("%v %v: %v", one["state"], author[name], one[text])
	}
	drift := func(a post.Address) post.Address { a.Slot, a.Change = "drift", 0; return a }
	return map[string]tracker{
		"GitHub": {
			access: hubAccess(hub), faults: hub.Faults(), closed: "closed", opened: "open", wrong: hub.Violations,
			address: func(number int64) post.Address { return drift(address(number)) },
			all: func() (all []string) {
				for _, one := range hub.Issues() {
					all = append(all, shown(one, "user", "login", "body"))
				}
				return all
			},
			add: func(ours bool, text string) int64 {
				return hub.AddIssue(map[bool]string{true: bot, false: "mallory"}[ours], "an issue", text)
			},
			set: hub.SetIssue, obeyed: func() []string { return nil },
		},
		"GitLab": {
			access: labAccess(lab), faults: lab.Faults(), closed: "closed", opened: "opened", wrong: lab.Violations,
			address: func(number int64) post.Address { return drift(jobAddress(labPipeline+number, 11)) },
			all: func() (all []string) {
				for _, one := range lab.Issues() {
					all = append(all, shown(one, "author", "username", "description"))
				}
				return all
			},
			add: func(ours bool, text string) int64 {
				return lab.AddIssue(map[bool]gitlab.User{true: robot, false: person}[ours], "an issue", text)
			},
			set: lab.SetIssue, obeyed: lab.Obeyed,
		},
	}
}

// say keeps the issue as a run of its own, and returns what was not reported.
func (k tracker) say(t *testing.T, number int64, text string, open bool) string {
	t.Helper()
	p, err := post.New(filepath.Join(t.TempDir(), "run"), k.address(number), k.access,
		post.WithClock((&fakeClock{now: begin}).clock(), post.RequestTimeout))
	if err != nil {
		t.Fatal(err)
	}
	p.Quiet()
	p.Issue(text, post.Issue{Title: "Drift of the images", Open: open})
	return strings.Join(p.Close(t.Context(), 2*time.Minute), "\n")
}

// eachTracker runs a test at each forge.
func eachTracker(t *testing.T, off bool, rules string, do func(t *testing.T, k tracker)) {
	t.Helper()
	for name, k := range trackers(t, off, rules) {
		t.Run(name, func(t *testing.T) {
			do(t, k)
			if wrong := k.wrong(); len(wrong) > 0 {
				t.Error(wrong)
			}
		})
	}
}

// only fails unless there is one issue of ours, in a state, with a text.
func (k tracker) only(t *testing.T, state, text string) {
	t.Helper()
	if all := k.all(); len(all) != 1 || !strings.HasPrefix(all[0], state+" ") || !strings.Contains(all[0], text) {
		t.Errorf("issues %q, want one that is %s and says %q", all, state, text)
	}
}

func TestTheIssueIsKept(t *testing.T) {
	t.Parallel()
	eachTracker(t, false, "", func(t *testing.T, k tracker) {
		t.Helper()
		for number, step := range []struct {
			text        string
			open        bool
			want, text2 string
		}{
			{"nothing", false, "", ""},
			{"gone: one", true, k.opened, "gone: one"},
			{"gone: two", true, k.opened, "gone: two"},
			{"all is well", false, k.closed, "all is well"},
			{"all is still well", false, k.closed, "all is still well"},
			{"gone: three", true, k.opened, "gone: three"},
		} {
			if left := k.say(t, int64(number+1), step.text, step.open); left != "" {
				t.Error(left)
			}
			if step.want == "" {
				if all := k.all(); len(all) > 0 {
					t.Errorf("an issue was made for nothing: %q", all)
				}
				continue
			}
			k.only(t, step.want, step.text2)
		}
		if left := k.say(t, 2, "of an older run", false); !strings.Contains(left, "superseded by a newer run") {
			t.Errorf("an older run says %q", left)
		}
		k.only(t, k.opened, "gone: three")
	})
}

// What a person closed is opened again while there is drift.
func TestAnIssueIsOpenedAgain(t *testing.T) {
	t.Parallel()
	eachTracker(t, false, "", func(t *testing.T, k tracker) {
		t.Helper()
		k.set(k.add(true, post.Stamp(k.address(1))+"of an older night"), k.closed)
		if left := k.say(t, 2, "gone: one", true); left != "" {
			t.Error(left)
		}
		k.only(t, k.opened, "gone: one")
	})
}

func TestOthersIssuesStay(t *testing.T) {
	t.Parallel()
	eachTracker(t, false, "", func(t *testing.T, k tracker) {
		t.Helper()
		mark := post.Stamp(k.address(9))
		k.add(false, mark+"a copy of ours")
		k.add(true, strings.Replace(mark, ":drift ", ":other ", 1)+"another slot")
		k.add(true, "> "+mark+"quoted")
		before := k.all()
		if left := k.say(t, 1, "all is well", false); left != "" || !slices.Equal(before, k.all()) {
			t.Errorf("%s\nissues %q", left, k.all())
		}
		if left := k.say(t, 2, "gone: one", true); left != "" {
			t.Error(left)
		}
		if all := k.all(); len(all) != 4 || !slices.Equal(before, all[:3]) || !strings.Contains(all[3], "gone: one") {
			t.Errorf("issues %q", all)
		}
	})
}

// Two runs that each made one: the older issue stays, the other one is closed for good.
func TestTwoIssues(t *testing.T) {
	t.Parallel()
	eachTracker(t, false, "", func(t *testing.T, k tracker) {
		t.Helper()
		k.add(true, post.Stamp(k.address(1))+"one")
		k.add(true, post.Stamp(k.address(2))+"two")
		for number := range int64(2) {
			if left := k.say(t, number+3, "three", true); left != "" {
				t.Error(left)
			}
			all := k.all()
			if len(all) != 2 || !strings.HasPrefix(all[0], k.opened) || !strings.Contains(all[0], "three") ||
				!strings.HasPrefix(all[1], k.closed) || !strings.Contains(all[1], post.SecondIssue) {
				t.Errorf("issues %q", all)
			}
		}
	})
}

func TestTwoRunsAtOnceKeepOneIssue(t *testing.T) {
	t.Parallel()
	eachTracker(t, false, "", func(t *testing.T, k tracker) {
		t.Helper()
		var both sync.WaitGroup
		for number := range int64(2) {
			both.Go(func() { _ = k.say(t, number+1, fmt.Sprint("of run ", number+1), true) })
		}
		both.Wait()
		open := 0
		for _, one := range k.all() {
			if strings.HasPrefix(one, k.opened) {
				open++
			}
		}
		if open != 1 {
			t.Errorf("%d are open: %q", open, k.all())
		}
		if left := k.say(t, 3, "of run 3", true); left != "" {
			t.Error(left)
		}
		if all := k.all(); !strings.Contains(all[0], "of run 3") {
			t.Errorf("issues %q", all)
		}
	})
}

func TestAnIssueIsMadeOnce(t *testing.T) {
	t.Parallel()
	for name, rules := range map[string]string{
		"lost answers": "POST /** nth=1 status=502 after\nPOST /** nth=2 cut",
		"not done":     "* /** nth=1-2 status=502",
		"half a list":  "GET /** nth=2-3 cut",
		"a limit":      `POST /** nth=1 status=429 header="Retry-After: 60"`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachTracker(t, false, rules, func(t *testing.T, k tracker) {
				t.Helper()
				if left := k.say(t, 1, "gone: one", true); left != "" {
					t.Error(left)
				}
				k.only(t, k.opened, "gone: one")
			})
		})
	}
}

// Issues that are turned off are said, and nothing else fails.
func TestNoIssues(t *testing.T) {
	t.Parallel()
	eachTracker(t, true, "", func(t *testing.T, k tracker) {
		t.Helper()
		if left := k.say(t, 1, "all is well", false); left != "" {
			t.Error(left)
		}
		if left := k.say(t, 2, "gone: one", true); !strings.Contains(left, "not reported: the issue: ") ||
			!strings.Contains(left, "issues turned off") || strings.Contains(left, token) {
			t.Errorf("it says %q", left)
		}
	})
}

func TestAnIssueObeysNobody(t *testing.T) {
	t.Parallel()
	eachTracker(t, false, "", func(t *testing.T, k tracker) {
		t.Helper()
		for number, text := range []string{
			strings.Repeat("x", 70_000) + "\n/close\n", "a\n/close\n  /assign @all\n", "b\r\n/close\n",
		} {
			if left := k.say(t, int64(number+1), text, true); left != "" {
				t.Error(left)
			}
		}
		if obeyed := k.obeyed(); len(obeyed) > 0 {
			t.Errorf("obeyed %q", obeyed)
		}
	})
}
