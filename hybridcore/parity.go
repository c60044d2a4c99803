// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:15:43Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package hybridcore

import "slices"

// MaxDifferences bounds the differences and changes that a record lists for
// one image: two unrelated systems differ in thousands of keys, and the counts
// say that well enough. `packer-hybrid parity` compares anew.
const MaxDifferences = 200

// MaxListed bounds what the answer of the verb parity lists.
const MaxListed = 5000

// ParityPolicy says what an unexpected difference does.
type ParityPolicy string

// Policies.
const (
	ParityBlock ParityPolicy = "block" // exit code 3
	ParityWarn  ParityPolicy = "warn"  // a report
)

// Parity is the comparison of the images that one recipe made on several platforms.
type Parity struct {
	Image     string        `json:"image"`
	Manifests []Manifest    `json:"manifests"` // one a platform, in report order
	Pairs     []ParityCount `json:"pairs"`     // every category and pair of platforms with a difference
	// Unexpected are the unexpected differences in the order of categories and
	// keys, at most MaxDifferences.
	Unexpected []Difference `json:"unexpected"`
	Unlisted   int          `json:"unlisted"` // unexpected differences beyond those
	Expected   []Expected   `json:"expected"` // allow-list entries that were needed
	Policy     ParityPolicy `json:"policy"`
	Findings   []Finding    `json:"findings"` // guests of another system; stale allow-list entries
}

// WholeSection is the key of the one difference of a category that could not
// be compared.
const WholeSection = "(section)"

// Manifest is the content manifest of one image on one platform.
type Manifest struct {
	Platform Platform `json:"platform"`
	Run      string   `json:"run"` // that built it
	// SHA256 is over packages and files without what is allowed to differ;
	// empty when the guest could not read them.
	SHA256   string `json:"sha256"`
	Packages int    `json:"packages"`
	Files    int    `json:"files"` // that are listed one by one
	// Scope says which files. There is none where the guest listed a fixed set
	// of files, as before: two digests of which one has a scope do not compare.
	Scope *Scope `json:"scope,omitempty"`
}

// Scope says what of an image's files was compared, and what was not.
type Scope struct {
	Folders      []string `json:"folders"`        // compared with all that lies in them, at most 50
	PackageFiles int      `json:"package_files"`  // held against the database of the packages
	Own          int      `json:"own"`            // compared by mode and owner only: the content is each machine's own
	Normalised   int      `json:"normalised"`     // compared without numbers and names that are each machine's own
	LeftOut      int      `json:"left_out"`       // paths that rules left out
	LeftOutRules int      `json:"left_out_rules"` // rules that did
	BySize       int      `json:"by_size"`        // too large to read
	NoDigest     int      `json:"no_digest"`      // of packages whose database has no digest
	Unread       int      `json:"unread"`         // could not be read
	NotEntered   []string `json:"not_entered"`    // other file systems, at most 50
}

// ParityCount counts the differences of one category between two platforms.
type ParityCount struct {
	Category   string   `json:"category"`
	A          Platform `json:"a"`
	B          Platform `json:"b"`
	Expected   int      `json:"expected"`
	Unexpected int      `json:"unexpected"`
}

// Difference is one key that two platforms do not have alike.
type Difference struct {
	Category string   `json:"category"`
	Key      string   `json:"key"`
	Package  string   `json:"package,omitempty"` // that the file belongs to
	A        Platform `json:"a"`
	B        Platform `json:"b"`
	InA      string   `json:"in_a,omitempty"` // empty: A does not have it
	InB      string   `json:"in_b,omitempty"`
	Cause    string   `json:"cause,omitempty"` // the likely one
}

// Compared says whether both images were looked at.
func (d Difference) Compared() bool { return d.Key != WholeSection }

// Expected is an allow-list entry with what it was needed for.
type Expected struct {
	Entry  string   `json:"entry"` // FILE:LINE
	Reason string   `json:"reason"`
	Owner  string   `json:"owner"`
	Keys   []string `json:"keys"` // "CATEGORY KEY", sorted, the first hundred
}

// Blocked says whether a finding, or by the policy a difference, must stop a release.
func (p Parity) Blocked() bool {
	return Blocked(p.Findings) != NotBlocked || p.Policy == ParityBlock && len(p.Unexpected) > 0
}

// Uncompared says whether all that is unexpected is what could not be compared.
func (p Parity) Uncompared() bool {
	return len(p.Unexpected) > 0 && p.Unlisted == 0 && !slices.ContainsFunc(p.Unexpected, Difference.Compared)
}

// Change is one key of a target's inventory that is not as it was.
type Change struct {
	Category string `json:"category"`
	Key      string `json:"key"`
	Package  string `json:"package,omitempty"` // that the file belongs to
	Was      string `json:"was,omitempty"`     // empty: added
	Now      string `json:"now,omitempty"`     // empty: removed
}

// Changes is the change report of one target between two runs.
type Changes struct {
	Image    string        `json:"image"`
	Platform Platform      `json:"platform"`
	From     string        `json:"from"` // run
	To       string        `json:"to"`
	Counts   []ChangeCount `json:"counts"`
	Changes  []Change      `json:"changes"`
}

// ChangeCount counts the changes in one category.
type ChangeCount struct {
	Category string `json:"category"`
	Added    int    `json:"added"`
	Removed  int    `json:"removed"`
	Changed  int    `json:"changed"`
}

// ParityReport answers `packer-hybrid parity`.
type ParityReport struct {
	Env     string    `json:"env"`
	Parity  []Parity  `json:"parity"`
	Changes []Changes `json:"changes"`
	Notes   []string  `json:"notes"` // what could not be compared, and why
}

// Blocked says whether any image of the report blocks.
func (r ParityReport) Blocked() bool {
	for _, p := range r.Parity {
		if p.Blocked() {
			return true
		}
	}
	return false
}
