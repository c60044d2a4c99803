// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T13:52:00Z
// Spec: openspec/specs/platforms/spec.md#requirement-fingerprints
// Diagram: openspec/specs/platforms/diagram.md#fingerprint

package platform

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Limits of one fingerprint. A machine of Proxmox VE has some 30 settings, and may have
// 200 drives and cards.
const (
	maxFacts = 512
	maxName  = 100 // bytes
	maxValue = 200 // bytes
)

// LookTime bounds a look at so many objects: an answer takes a platform well under a second.
func LookTime(objects int) time.Duration { return Timeout + time.Duration(objects)*time.Second }

// Facts collects what a platform says of one object.
type Facts map[string]string

// Set notes a fact. One without a value is none. What is long is noted by its digest.
func (f Facts) Set(name, value string) {
	value = text.Line(value)
	if value == "" {
		return
	}
	f[short(text.Line(name), maxName)] = short(value, maxValue)
}

// Number notes a number; 0 is none.
func (f Facts) Number(name string, n int64, unit string) {
	if n != 0 {
		f.Set(name, strings.TrimSpace(strconv.FormatInt(n, 10)+" "+unit))
	}
}

// Tag notes a tag that is no mark of a release.
func (f Facts) Tag(name, value string) {
	f.Set(hybridcore.FactTag+name, cmp.Or(value, "set"))
}

// Notes notes of notes which run they say has built the object: nothing else in them is
// packer-hybrid's, and its marks of releases come later.
func (f Facts) Notes(notes string) {
	var runs []string
	for _, m := range ofRun.FindAllStringSubmatch(notes, -1) {
		runs = append(runs, m[1])
	}
	slices.Sort(runs)
	f.Set(hybridcore.FactMark, strings.Join(slices.Compact(runs), ", "))
}

// ofRun is RunMark, for whatever run.
var ofRun = regexp.MustCompile(`run ([0-9A-Za-z-]{1,64}), built by packer-hybrid`)

// Bounded refuses facts that are more than an object has.
func (f Facts) Bounded() (map[string]string, error) {
	if len(f) > maxFacts {
		return nil, fmt.Errorf("it has more than %d settings, which nothing has that was built", maxFacts)
	}
	return f, nil
}

// short is a text, or its beginning and its digest.
func short(s string, most int) string {
	if len(s) <= most {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return text.Cut(s, most/4) + " sha256:" + hex.EncodeToString(sum[:16])
}

// Options puts the options of a setting into one form: NAME=VALUE, separated by commas, by
// name, but for the first, which says what it is.
func Options(setting string, without ...string) string {
	parts := strings.Split(setting, ",")
	parts = slices.DeleteFunc(parts, func(p string) bool {
		name, _, _ := strings.Cut(p, "=")
		return p == "" || slices.Contains(without, name)
	})
	if len(parts) > 1 {
		slices.Sort(parts[1:])
	}
	return strings.Join(parts, ", ")
}

// Unseen is why nothing is known of an object.
func Unseen(of hybridcore.URI, err error) hybridcore.Seen {
	return hybridcore.Seen{Of: of, Unseen: fmt.Sprintf("%s %s: %v", of.Kind, text.Line(of.Name), err)}
}
