// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Action is what a request asks for.
type Action string

// Actions that the shared grammar knows.
const (
	ActionPlan     Action = "plan"
	ActionValidate Action = "validate"
	ActionBuild    Action = "build"
	ActionStatus   Action = "status"
	ActionReap     Action = "reap"
	ActionParity   Action = "parity"
	ActionDrift    Action = "drift"
	ActionCollect  Action = "collect"
	ActionPublish  Action = "publish"
	ActionInspect  Action = "inspect" // of one run; at a terminal and in Slack
	ActionExplain  Action = "explain" // of one variable; only at a terminal
	// ActionFree takes the lease of one target from its holder; at a terminal and in Slack.
	ActionFree Action = "lease-release"
)

// Origin says where a request came from.
type Origin struct {
	Kind    string `json:"kind"`            // cli, github, gitlab, slack, comment
	Actor   string `json:"actor,omitempty"` // who asked, by an identifier that does not change
	URL     string `json:"url,omitempty"`   // of the run or message
	Change  string `json:"change,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
	Reason  string `json:"reason,omitempty"` // why, in the words of who asked
}

// Request is one parsed command. Every door makes the same one from the same text.
type Request struct {
	ID        string     `json:"id"` // the run ID
	Action    Action     `json:"action"`
	Env       string     `json:"env"`       // environment: a folder under configs/
	Images    []string   `json:"images"`    // empty: all of the catalogue
	Platforms []Platform `json:"platforms"` // empty: all that the environment has
	// Rebuild builds targets although they are unchanged.
	Rebuild bool `json:"rebuild,omitempty"`
	// Parallel bounds how many targets build at once; 0 takes the project's setting.
	Parallel int `json:"parallel,omitempty"`
	// RetryFailed names a run: only its targets that did not succeed are meant.
	RetryFailed string `json:"retry_failed,omitempty"`
	// With names the tool that validates: empty for this process itself, or
	// WithPacker.
	With string `json:"with,omitempty"`
	// Record and Against are the runs that a comparison is of and with; empty
	// for what is current, and for the build before it. Record is also the run that
	// is inspected; empty for the last one.
	Record  string `json:"record,omitempty"`
	Against string `json:"against,omitempty"`
	// Base is the revision whose difference to the working tree is planned;
	// empty plans against the last records.
	Base string `json:"base,omitempty"`
	// NoCache validates anew although nothing changed.
	NoCache bool `json:"no_cache,omitempty"`
	// From are the folders that parts of a build are collected from.
	From []string `json:"from,omitempty"`
	// Release is the name under which images are published; empty for a tag's.
	Release string `json:"release,omitempty"`
	// Variable is what is explained.
	Variable string `json:"variable,omitempty"`
	Caution
	Listing
	Pin
	Origin Origin `json:"origin"`
}

// Caution is how a request goes about what cannot be undone.
type Caution struct {
	// DryRun says what would be done, and does nothing.
	DryRun bool `json:"dry_run,omitempty"`
	// Force does it although something speaks against it.
	Force bool `json:"force,omitempty"`
}

// Listing is how a plan or the state is told, and what is asked for it.
type Listing struct {
	// DetailedExitCode makes a plan with pending changes exit 4.
	DetailedExitCode bool `json:"detailed_exit_code,omitempty"`
	// All lists unchanged targets too.
	All bool `json:"all,omitempty"`
	// WaiverTemplate prints the waivers, or the entries of the allow-list of parity, that would accept what blocks,
	// instead of the answer.
	WaiverTemplate bool `json:"waiver_template,omitempty"`
	// Look asks the platforms whether what is current is still there.
	Look bool `json:"look,omitempty"`
	// Upstream asks what others have published since; Deep reads all records.
	Upstream bool `json:"upstream,omitempty"`
	Deep     bool `json:"deep,omitempty"`
}

// Pin says what exactly a request is about, so that nothing else is done when
// the world has moved on since it was decided.
type Pin struct {
	// Heads are the commits that the checkout may be at, by full object ID: at
	// another one nothing is planned. Empty is any.
	Heads []string `json:"heads,omitempty"`
	// Part is the digest that the one target of a build must have, which is part
	// of a build on several machines: its record goes into a folder of its own,
	// and not into the state. Empty for a whole build.
	Part string `json:"part,omitempty"`
}

// WithPacker lets Packer and its plugins validate.
const WithPacker = "packer"

// WithPlugins lets the plugins validate, each started directly.
const WithPlugins = "plugins"

// PartsDir is where a part of a build leaves its record, in the project: a
// folder for each target, with the files of a state.
const PartsDir = "artifacts/parts"

// NewRunID makes a run's ID from the time and 20 random bits:
// 20261122t224501-1a2b3c4d. After the hyphen come the millisecond as three
// hexadecimal digits and the random bits as five, so that IDs sort by time. They
// fit the name rules of all platforms: lower case, digits, hyphen.
func NewRunID(now time.Time) string {
	var b [4]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never fails
	random := binary.BigEndian.Uint32(b[:]) >> 12
	return fmt.Sprintf("%s-%03x%05x", now.UTC().Format("20060102t150405"), now.Nanosecond()/int(time.Millisecond), random)
}

// Wants says whether a request means the target of a key ENV/IMAGE@PLATFORM;
// what it does not name, it means all of.
func (r Request) Wants(key string) bool {
	env, name, _ := strings.Cut(key, "/")
	image, platform, _ := strings.Cut(name, "@")
	return (r.Env == "" || r.Env == env) &&
		(len(r.Images) == 0 || slices.Contains(r.Images, image)) &&
		(len(r.Platforms) == 0 || slices.Contains(r.Platforms, Platform(platform)))
}

// InProcess says whether the request validates without Packer.
func (r Request) InProcess() bool { return r.Action == ActionValidate && r.With == "" }

// Looks says whether the request looks for drift on the platforms.
func (r Request) Looks() bool { return r.Action == ActionDrift && r.Look }

// Live says whether the request reaches platforms: then what says how to reach
// them must be at hand.
func (r Request) Live() bool {
	switch r.Action {
	case ActionCollect, ActionFree:
		return false
	case ActionPlan, ActionDrift:
		return r.Look
	}
	return !r.InProcess()
}

// Records says whether the request makes a record.
func (r Request) Records() bool {
	return r.Action == ActionBuild || r.Action == ActionCollect || r.Action == ActionPublish || r.Action == ActionFree
}

// Reads says whether the request only shows what the state holds.
func (r Request) Reads() bool {
	return r.Action == ActionStatus || r.Action == ActionInspect || r.Action == ActionParity
}
