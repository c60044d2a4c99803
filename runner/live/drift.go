// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:42:00Z
// Spec: openspec/specs/runner/spec.md#requirement-drift-of-what-is-live
// Diagram: openspec/specs/runner/diagram.md#a-look-at-the-platforms

package live

import (
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Rules of findings about what is on the platforms, beside hybridcore.RuleNotLooked: of what could not be asked, or
// had nothing to be compared with. They never change, so that they can be waived and looked up.
const (
	RuleGone        = "drift-gone"        // nothing has its identifier
	RuleReplaced    = "drift-replaced"    // another object has its name, or its identifier
	RuleRenamed     = "drift-renamed"     // it has another name
	RuleEdited      = "drift-edited"      // it is made of something else
	RuleReplication = "drift-replication" // a part of it is not there, or not complete
)

// Rules are all of them.
func Rules() []string {
	return []string{RuleGone, RuleReplaced, RuleRenamed, RuleEdited, RuleReplication, hybridcore.RuleNotLooked}
}

// What to do about them.
const (
	hintBuild   = "run packer-hybrid build: it builds it again"
	hintRestore = "find out who changed it and change it back, or build it again: "
	hintWait    = "if it is still so later, build it again: "
)

// finding is one about a target.
func finding(target hybridcore.Target, rule string, severity hybridcore.Severity, message string) hybridcore.Finding {
	f := hybridcore.Finding{
		Kind: hybridcore.KindDrift, Rule: rule, Subject: target.Key(), Severity: severity,
		Blocking: severity == hybridcore.Error, Message: message,
	}
	switch rule {
	case RuleGone, RuleReplaced:
		f.Hint = hintBuild
	case RuleRenamed, RuleEdited:
		f.Hint = hintRestore + rebuild(target)
	case RuleReplication:
		f.Hint = hintWait + rebuild(target)
	}
	return f
}

// rebuild is the command that builds just this target again.
func rebuild(target hybridcore.Target) string {
	return fmt.Sprintf("packer-hybrid build %s --env %s --platforms %s --rebuild", target.Image.Name, target.Env,
		target.Platform)
}

// notLooked is the look at a target at which nobody could look.
func notLooked(look hybridcore.Look, target hybridcore.Target, why string) hybridcore.Look {
	look.Presence, look.Text = hybridcore.NotLooked, "not looked at, because "+why
	message := target.Name() + " was " + look.Text
	look.Findings = []hybridcore.Finding{finding(target, hybridcore.RuleNotLooked, hybridcore.Warning, message)}
	return look
}

// judgement is about one target on a platform.
type judgement struct {
	target hybridcore.Target
	clean  func(string) string // makes text of a platform fit for a report
}

// judge compares what was recorded of the target with what is there now.
func (j judgement) judge(look hybridcore.Look, recorded *hybridcore.Artifact, seen []hybridcore.Seen) hybridcore.Look {
	target, title, clean := j.target, j.target.Platform.Info().Title, j.clean
	for _, one := range seen {
		if one.Unseen != "" {
			return notLooked(look, target, clean(one.Unseen))
		}
	}
	if text, rule := lost(recorded, seen); text != "" {
		look.Presence, look.Text = hybridcore.Gone, clean(text)+" is gone from "+title
		f := finding(target, rule, hybridcore.Error, look.Text)
		f.Want = clean(text)
		look.Findings = []hybridcore.Finding{f}
		return look
	}
	look.Presence = hybridcore.There
	var said, bare []string
	for _, one := range seen {
		was := recorded.Fingerprint(one.Of)
		if was == nil {
			bare = append(bare, one.Of.Kind)
		}
		for _, f := range j.changed(one, was) {
			look.Findings = append(look.Findings, f)
			if f.Severity != hybridcore.Info { // that a part has become complete is no change of what was built
				said = append(said, f.Message)
			}
		}
	}
	if len(said) > 0 {
		look.Presence, look.Text = hybridcore.Changed, strings.Join(said, "; ")
	}
	if len(bare) > 0 {
		text := fmt.Sprintf("of %s only existence, kind and name were looked at on %s, because the record has no "+
			"fingerprint of %s: it was built before fingerprints were taken, or it could not be read after the build",
			target.Name(), title, strings.Join(bare, ", "))
		f := finding(target, hybridcore.RuleNotLooked, hybridcore.Info, text) // existence was looked at
		f.Hint = "the next build of this target records one"
		look.Findings = append(look.Findings, f)
		if look.Text == "" {
			look.Text = text
		}
	}
	return look
}

// lost says which objects are not there any more, and the rule of that. Another object
// that took the place of one is not the one that was recorded.
func lost(recorded *hybridcore.Artifact, seen []hybridcore.Seen) (text, rule string) {
	var missing []string
	rule = RuleReplaced
	for _, one := range seen {
		what, was := one.Of.Kind+" "+one.Of.Name+" ("+one.Of.ID, recorded.Fingerprint(one.Of)
		switch {
		case one.There() && (was == nil || !was.Replaced(one.Facts)):
			continue
		case one.There():
			what += ", which another one has now"
		case one.Twin != hybridcore.URI{}:
			what += "; another one has its name"
		default:
			rule = RuleGone
		}
		missing = append(missing, what+")")
	}
	return strings.Join(missing, ", "), rule
}

// changed are the findings about an object that is there: one for each rule.
func (j judgement) changed(one hybridcore.Seen, was *hybridcore.Fingerprint) (findings []hybridcore.Finding) {
	target, clean := j.target, j.clean
	what := one.Of.Kind + " " + one.Of.Name
	var edits, halves, completed []hybridcore.FactChange
	switch one.Now.Name {
	case one.Of.Name:
	case "": // a platform that has its name in a tag, which was removed
		edits = append(edits, hybridcore.FactChange{Name: hybridcore.FactName, Was: one.Of.Name, Now: hybridcore.NoFact})
	default:
		f := finding(target, RuleRenamed, hybridcore.Error,
			clean(what+" has another name now: "+one.Now.Name))
		f.Want, f.Got = one.Of.Name, clean(one.Now.Name)
		findings = append(findings, f)
	}
	if one.Now.Kind != one.Of.Kind {
		edits = append(edits, hybridcore.FactChange{Name: "kind", Was: one.Of.Kind, Now: one.Now.Kind})
	}
	for _, c := range changes(one, was) {
		c.Was, c.Now, c.Name = clean(c.Was), clean(c.Now), clean(c.Name)
		switch {
		case c.Was == c.Now:
		case c.Half():
			halves = append(halves, c)
		case c.Completed():
			completed = append(completed, c)
		default:
			edits = append(edits, c)
		}
	}
	if len(edits) > 0 {
		severity := hybridcore.Warning // of labels and offers alone
		for _, c := range edits {
			if !c.Label() && !c.Offered() {
				severity = hybridcore.Error
			}
		}
		f := finding(target, RuleEdited, severity, clean(what)+" was edited: "+listed(edits, hybridcore.FactChange.String))
		f.Want, f.Got = sides(edits)
		findings = append(findings, f)
	}
	if len(halves) > 0 {
		f := finding(target, RuleReplication, hybridcore.Error,
			clean(what)+" is not complete: "+listed(halves, hybridcore.FactChange.String))
		f.Want, f.Got = sides(halves)
		findings = append(findings, f)
	}
	if len(completed) > 0 {
		f := finding(target, RuleReplication, hybridcore.Info,
			clean(what)+" is more complete than it was recorded: "+listed(completed, hybridcore.FactChange.String))
		f.Want, f.Got = sides(completed)
		f.Hint = "nothing is to be done: the next build of this target records it so"
		findings = append(findings, f)
	}
	return findings
}

// changes are the facts that are not as they were recorded. Without a fingerprint only
// the state is one, which every image had that was built.
func changes(one hybridcore.Seen, was *hybridcore.Fingerprint) []hybridcore.FactChange {
	if was != nil {
		return was.Changes(one.Facts)
	}
	if state := one.Facts[hybridcore.FactState]; state != "" && state != hybridcore.StateComplete {
		return []hybridcore.FactChange{{Name: hybridcore.FactState, Was: hybridcore.StateComplete, Now: state}}
	}
	return nil
}

// most is how many facts one finding names.
const most = 12

// listed lists facts, but not more than people read.
func listed(all []hybridcore.FactChange, as func(hybridcore.FactChange) string) string {
	var said []string
	for _, c := range all[:min(len(all), most)] {
		said = append(said, as(c))
	}
	if more := len(all) - most; more > 0 {
		said = append(said, fmt.Sprintf("%d more", more))
	}
	return strings.Join(said, ", ")
}

// sides are what was recorded of facts, and what is there. A waiver accepts the latter: of more facts than are
// named it has a digest.
func sides(all []hybridcore.FactChange) (was, now string) {
	was = listed(all, func(c hybridcore.FactChange) string { return c.Name + ": " + c.Was })
	now = listed(all, func(c hybridcore.FactChange) string { return c.Name + ": " + c.Now })
	if len(all) > most {
		there := map[string]string{}
		for _, c := range all {
			there[c.Name] = c.Now
		}
		now += " (all: " + hybridcore.DigestOf(there) + ")"
	}
	return was, now
}
