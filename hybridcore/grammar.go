// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"
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
	ActionCollect  Action = "collect"
	ActionPublish  Action = "publish"
	ActionInspect  Action = "inspect" // of one run; only at a terminal
	ActionExplain  Action = "explain" // of one variable; only at a terminal
)

// Origin says where a request came from.
type Origin struct {
	Kind    string `json:"kind"`            // cli, github, gitlab, slack, comment
	Actor   string `json:"actor,omitempty"` // who asked, by an identifier that does not change
	URL     string `json:"url,omitempty"`   // of the run or message
	Change  string `json:"change,omitempty"`
	ReplyTo string `json:"reply_to,omitempty"`
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
	// DryRun says what would be done, and does nothing.
	DryRun bool `json:"dry_run,omitempty"`
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
	Listing
	Pin
	Origin Origin `json:"origin"`
}

// Listing is how a plan is told.
type Listing struct {
	// DetailedExitCode makes a plan with pending changes exit 4.
	DetailedExitCode bool `json:"detailed_exit_code,omitempty"`
	// All lists unchanged targets too.
	All bool `json:"all,omitempty"`
}

// Limits of one command line from outside.
const (
	// MaxCommand bounds the text of a command, in bytes. Slack sends up to
	// 8,000 characters; no sensible command needs a tenth of it.
	MaxCommand  = 1000
	maxParallel = 64
)

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

// Verb is one word of the grammar with its help and flags.
type Verb struct {
	Action  Action
	Args    string // usage of the positional arguments
	Short   string
	Long    string
	Example string
	// Bind adds the verb's flags, which write into the request.
	Bind func(*pflag.FlagSet, *Request)
}

// Verbs lists the grammar: the verbs that every door understands.
func Verbs() []Verb {
	return []Verb{
		planVerb(),
		validateVerb(),
		{
			Action: ActionBuild, Args: "[IMAGE...]", Short: "Build the targets whose inputs changed",
			Long: `Build plans, then builds every target whose inputs changed since its last good
build: each in a directory and a Packer process of its own. One target's failure
does not stop another. What was built is looked up on the platform and recorded.`,
			Example: `  packer-hybrid build debian-12 --env lab --targets vsphere
  packer-hybrid build --env prod --parallel 3
  packer-hybrid build ubuntu-24.04 --env prod --rebuild
  packer-hybrid build --retry-failed 20261122t224501-1a2b3c4d`,
			Bind: func(fs *pflag.FlagSet, r *Request) {
				fs.BoolVar(&r.Rebuild, "rebuild", false, "build unchanged targets too")
				fs.StringVar(&r.RetryFailed, "retry-failed", "", "build only the targets of this RUN that did not succeed")
				bindParallel(fs, r)
				bindPin(fs, r)
			},
		},
		collectVerb(),
		publishVerb(),
		{
			Action: ActionStatus, Args: "[IMAGE...]", Short: "Show what was last built, and what is running",
			Long: `Status reads the state: the last good build of each target with its artifact,
running builds, releases that are not complete, and runs that ended without saying so.`,
			Example: `  packer-hybrid status
  packer-hybrid status debian-12 --env prod --output json`,
		},
		{
			Action: ActionReap, Args: "[IMAGE...]", Short: "Remove what dead runs left on the platforms",
			Long: `Reap looks for runs that ended without saying so, and removes from their
platforms the machines that carry the run's name and mark: never a template, never
anything of a run that lives. A build does the same for its own targets first. Only
a second look, ten minutes later, says that nothing is left: things may come late.`,
			Example: `  packer-hybrid reap --dry-run
  packer-hybrid reap debian-12 --env prod`,
			Bind: func(fs *pflag.FlagSet, r *Request) {
				fs.BoolVar(&r.DryRun, "dry-run", false, "list what would be removed")
			},
		},
		parityVerb(),
	}
}

func bindParallel(fs *pflag.FlagSet, r *Request) {
	fs.IntVar(&r.Parallel, "parallel", 0, "how many targets at once, 1 to 64 (default: the project's setting)")
}

// BindCommon adds the flags that every verb of the grammar has.
func BindCommon(fs *pflag.FlagSet, r *Request) {
	fs.StringVarP(&r.Env, "env", "e", "", "environment: a folder under configs/ (default: the project's)")
	fs.StringSliceVar(&r.Images, "image", nil, "image, as an alternative to the arguments")
	fs.Var(&platformList{&r.Platforms}, "targets", "platforms, comma-separated: "+strings.Join(PlatformNames(), ", "))
	fs.SetNormalizeFunc(alias)
}

// alias maps other tools' names of a flag to ours.
func alias(_ *pflag.FlagSet, name string) pflag.NormalizedName {
	switch name {
	case "os":
		name = "image"
	case "platform", "platforms", "target":
		name = "targets"
	case "force":
		name = "rebuild"
	}
	return pflag.NormalizedName(name)
}

// platformList is a pflag.Value that refuses unknown platforms and drops repeats.
type platformList struct{ to *[]Platform }

func (l *platformList) String() string {
	if l.to == nil {
		return ""
	}
	names := make([]string, 0, len(*l.to))
	for _, p := range *l.to {
		names = append(names, string(p))
	}
	return strings.Join(names, ",")
}

func (l *platformList) Type() string { return "platforms" }

func (l *platformList) Set(text string) error {
	for name := range strings.SplitSeq(text, ",") {
		p, err := ParsePlatform(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		if !slices.Contains(*l.to, p) {
			*l.to = append(*l.to, p)
		}
	}
	return nil
}

// Finish completes a request after its flags were read: positional arguments
// are images, of collect folders, and every name must fit the grammar.
func (r *Request) Finish(args []string) error {
	if r.Action == ActionCollect {
		if r.From = args; len(args) == 0 {
			return Usagef("name the folders that hold the parts")
		}
		args = nil
	}
	r.Images = append(r.Images, args...)
	seen := r.Images[:0]
	for _, image := range r.Images {
		if err := CheckName("image", image); err != nil {
			return err
		}
		if !slices.Contains(seen, image) {
			seen = append(seen, image)
		}
	}
	r.Images = seen
	if r.Env != "" {
		if err := CheckName("environment", r.Env); err != nil {
			return err
		}
	}
	for _, one := range [][2]string{
		{"run", r.RetryFailed},
		{"run", r.Record},
		{"run", r.Against},
		{"release", r.Release},
	} {
		if one[1] == "" {
			continue
		}
		if err := CheckName(one[0], one[1]); err != nil {
			return err
		}
	}
	if r.Base != "" {
		if err := CheckRevision(r.Base); err != nil {
			return err
		}
	}
	if r.With != "" && r.With != WithPacker && r.With != WithPlugins {
		return Usagef("--with is %.40q: it must be %s or %s%s", r.With, WithPacker, WithPlugins,
			DidYouMean(r.With, []string{WithPacker, WithPlugins}))
	}
	if r.Parallel < 0 || r.Parallel > maxParallel {
		return Usagef("--parallel is %d: it must be from 1 to %d", r.Parallel, maxParallel)
	}
	return r.checkPin()
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

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// CheckName refuses a name that is not made of 1 to 64 lower-case letters,
// digits, dots, hyphens and underscores: such names are safe in paths, VM names
// and command lines. A name with ".." is refused too.
func CheckName(what, name string) error {
	if !nameRule.MatchString(name) || strings.Contains(name, "..") {
		return Usagef("%s %.80q is not a name: use 1 to 64 of a-z, 0-9, '.', '_' and '-', starting with a letter or digit",
			what, name)
	}
	return nil
}

// Parse reads one command from outside the shell (Slack, a comment, the
// action's input): words separated by blanks, no quoting, no pass-through.
func Parse(text string) (Request, error) {
	if len(text) > MaxCommand {
		return Request{}, Usagef("the command has %d bytes; at most %d are read", len(text), MaxCommand)
	}
	words := strings.Fields(text)
	if strings.ContainsAny(text, "\r\n\x00\"'`\\") {
		return Request{}, Usagef("the command holds a quote, a backslash or a line break; write plain words on one line")
	}
	if len(words) == 0 {
		return Request{}, Usagef("no command; try one of: %s", verbNames())
	}
	verbs := Verbs()
	i := slices.IndexFunc(verbs, func(v Verb) bool { return string(v.Action) == words[0] })
	if i < 0 {
		return Request{}, Usagef("unknown command %.80q%s; known: %s", words[0], DidYouMean(words[0], strings.Split(verbNames(), ", ")), verbNames())
	}
	return verbs[i].parse(words[1:])
}

func (v Verb) parse(words []string) (Request, error) {
	r := Request{Action: v.Action}
	fs := pflag.NewFlagSet(string(v.Action), pflag.ContinueOnError)
	fs.Usage = func() {}
	BindCommon(fs, &r)
	if v.Bind != nil {
		v.Bind(fs, &r)
	}
	if slices.Contains(words, "--") {
		return Request{}, Usagef("unexpected \"--\": nothing is passed through to Packer")
	}
	if err := fs.Parse(words); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return Request{}, Usagef("%s", fs.FlagUsages())
		}
		return Request{}, Usagef("%s: %v", v.Action, err)
	}
	if err := r.Finish(fs.Args()); err != nil {
		return Request{}, fmt.Errorf("%s: %w", v.Action, err)
	}
	return r, nil
}

func verbNames() string {
	names := []string{}
	for _, v := range Verbs() {
		names = append(names, string(v.Action))
	}
	return strings.Join(names, ", ")
}
