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

	// FactName is in no fingerprint: it is a change when a platform has no name of an object any more.
	FactName = "name"
	// FactExcluded, FactEndOfLife and FactDefinitionEnd are to whom and how long a version is offered.
	FactExcluded      = "excluded from latest"
	FactEndOfLife     = "end of life"
	FactDefinitionEnd = "definition's end of life"

	FactTag         = "tag "         // and the name of a tag
	FactRegion      = "region "      // and the name of a region: copies in it
	FactReplication = "replication " // and the name of a region
)

// NoFact stands in a change for what is not there.
const NoFact = "none"

// Complete values of the facts about state and replication: everything else is half.
const (
	StateComplete       = "complete"
	ReplicationComplete = "Completed"
	replicationUnderWay = "Replicating"
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
func (d FactChange) Label() bool {
	return d.Name == FactMark || d.Name == FactName || strings.HasPrefix(d.Name, FactTag)
}

// Offered says whether the fact is where, to whom and how long an object is offered, and nothing
// of what it is made of. A region that was taken away is none: who builds there has no image.
func (d FactChange) Offered() bool {
	switch {
	case d.Name == FactExcluded, d.Name == FactEndOfLife, d.Name == FactDefinitionEnd:
		return true
	case strings.HasPrefix(d.Name, FactRegion):
		return d.Now != NoFact
	case strings.HasPrefix(d.Name, FactReplication):
		return d.added() && !d.Half()
	}
	return false
}

// Half says whether the object lacks a part of itself. A region that was added lacks nothing while
// it is being filled.
func (d FactChange) Half() bool {
	switch {
	case d.Name == FactState:
		return d.Now != StateComplete
	case strings.HasPrefix(d.Name, FactReplication):
		return d.Now != ReplicationComplete && d.Now != NoFact && (!d.added() || d.Now != replicationUnderWay)
	}
	return false
}

// Completed says whether a part of the object that was not complete when it was recorded is so now.
func (d FactChange) Completed() bool {
	switch {
	case d.Name == FactState:
		return d.Now == StateComplete
	case strings.HasPrefix(d.Name, FactReplication):
		return d.Now == ReplicationComplete && !d.added()
	}
	return false
}

func (d FactChange) added() bool { return d.Was == NoFact }

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
