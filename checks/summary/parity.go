// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:41:00Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package summary

import (
	"fmt"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Keys counts the keys that are expected to differ.
func Keys(one hybridcore.Parity) int {
	all := map[string]bool{}
	for _, e := range one.Expected {
		for _, k := range e.Keys {
			all[k] = true
		}
	}
	return len(all)
}

// PairRows are a table of categories and pairs of platforms, the first row
// being its head.
func PairRows(one hybridcore.Parity) [][]string {
	rows := [][]string{{"CATEGORY"}}
	columns := map[[2]hybridcore.Platform]int{}
	for i, a := range one.Manifests {
		for _, b := range one.Manifests[i+1:] {
			columns[[2]hybridcore.Platform{a.Platform, b.Platform}] = len(rows[0])
			rows[0] = append(rows[0], fmt.Sprintf("%s = %s", a.Platform, b.Platform))
		}
	}
	line := map[string]int{}
	for _, n := range one.Pairs {
		at, known := line[n.Category]
		if !known {
			at = len(rows)
			line[n.Category] = at
			rows = append(rows, append([]string{n.Category}, slices.Repeat([]string{"equal"}, len(columns))...))
		}
		rows[at][columns[[2]hybridcore.Platform{n.A, n.B}]] = cell(n)
	}
	return append(rows, append([]string{"all others"}, slices.Repeat([]string{"equal"}, len(columns))...))
}

func cell(n hybridcore.ParityCount) string {
	switch {
	case n.Unexpected == 0:
		return fmt.Sprintf("%d expected", n.Expected)
	case n.Expected == 0:
		return fmt.Sprintf("%d UNEXPECTED", n.Unexpected)
	default:
		return fmt.Sprintf("%d UNEXPECTED, %d expected", n.Unexpected, n.Expected)
	}
}

// Differing is one unexpected key with the value of every platform that is
// known to differ; an empty value says that the platform does not have it.
type Differing struct {
	hybridcore.Difference

	Values map[hybridcore.Platform]string
}

// ByKey lists each key of unexpected differences once, in their order.
func ByKey(all []hybridcore.Difference) []Differing {
	var keys []Differing
	for i := 0; i < len(all); {
		one := Differing{all[i], map[hybridcore.Platform]string{}}
		for ; i < len(all) && all[i].Category == one.Category && all[i].Key == one.Key; i++ {
			one.Values[all[i].A], one.Values[all[i].B] = all[i].InA, all[i].InB
		}
		keys = append(keys, one)
	}
	return keys
}

// ShortDigest cuts the digest at the end of a file's value to what tells two apart.
func ShortDigest(value string) string {
	const mark = "sha256:"
	if i := strings.LastIndex(value, mark); i >= 0 && len(value) > i+len(mark)+12 {
		return value[:i+len(mark)+12]
	}
	return value
}

// Change is what changed alike on some platforms of one image.
type Change struct {
	Image string

	hybridcore.Change

	Platforms []string
}

// Merged lists what changed, by image; alike on several platforms is one.
func Merged(reports []hybridcore.Changes) []Change {
	type id struct {
		image string
		hybridcore.Change
	}
	at, all := map[id]int{}, []Change{}
	for _, r := range reports {
		for _, c := range r.Changes {
			i, seen := at[id{r.Image, c}]
			if !seen {
				i = len(all)
				at[id{r.Image, c}] = i
				all = append(all, Change{Image: r.Image, Change: c})
			}
			all[i].Platforms = append(all[i].Platforms, string(r.Platform))
		}
	}
	slices.SortStableFunc(all, func(a, b Change) int { return strings.Compare(a.Image, b.Image) })
	return all
}
