// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:50:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package hybridcore

import (
	"maps"
	"slices"
	"strings"
)

// Names of facts that mean something beside their value. Others say what they are
// about: "memory", "disk scsi0".
const (
	// FactIdentity is what a platform gives no second object, not even one that takes the
	// place of the first.
	FactIdentity = "identity"
	// FactMark is the run that the notes say has built the object.
	FactMark = "mark"
	// FactState is whether it is complete, where a platform tells.
	FactState = "state"

	FactTag         = "tag "         // and the name of a tag
	FactReplication = "replication " // and the name of a region
)

// NoFact stands in a change for what is not there.
const NoFact = "none"

// Complete values of the facts about state and replication: everything else is half.
const (
	StateComplete       = "complete"
	ReplicationComplete = "Completed"
)

// Fingerprint is what a platform said of one object when it was built: its facts by
// name, in one form for one thing. Releases change none of them.
type Fingerprint struct {
	Of    URI               `json:"of"`
	Facts map[string]string `json:"facts"`
}

// Seen is what a platform has of one object now.
type Seen struct {
	Of  URI // as it was asked for
	Now URI // as it is; the zero value when nothing has its identifier
	// Twin is another object of its kind and name; the zero value when there is none.
	Twin URI
	// Facts are of an object that is there; none when only its existence was asked for.
	Facts map[string]string
	// Unseen says why nothing else is known of it; one part of a sentence, not redacted.
	Unseen string
}

// There says whether something has the identifier.
func (s Seen) There() bool { return s.Now != URI{} }

// FactChange is one fact that is not as it was.
type FactChange struct{ Name, Was, Now string }

// String is the change in a report.
func (d FactChange) String() string { return d.Name + ": " + d.Was + " → " + d.Now }

// Label says whether the fact is what people write onto an object, and nothing of what
// it is made of.
func (d FactChange) Label() bool { return d.Name == FactMark || strings.HasPrefix(d.Name, FactTag) }

// Half says whether the object lacks a part of itself that it had.
func (d FactChange) Half() bool {
	switch {
	case d.Name == FactState:
		return d.Now != StateComplete
	case strings.HasPrefix(d.Name, FactReplication):
		return d.Now != ReplicationComplete && d.Now != NoFact
	}
	return false
}

// Changes are the facts that are not as they were recorded, by name. What says that
// it is another object is not among them, see Replaced.
func (f Fingerprint) Changes(now map[string]string) []FactChange {
	var all []FactChange
	names := slices.Collect(maps.Keys(f.Facts))
	for name := range now {
		if _, both := f.Facts[name]; !both {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		was, before := f.Facts[name]
		is, after := now[name]
		if name == FactIdentity || before == after && was == is {
			continue
		}
		if !before {
			was = NoFact
		}
		if !after {
			is = NoFact
		}
		all = append(all, FactChange{Name: name, Was: was, Now: is})
	}
	return all
}

// Replaced says whether what has the identifier now is another object. Where one of the
// two has no identity nobody can tell.
func (f Fingerprint) Replaced(now map[string]string) bool {
	was, is := f.Facts[FactIdentity], now[FactIdentity]
	return was != "" && is != "" && was != is
}
