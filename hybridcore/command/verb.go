// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:45:00Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package command

import (
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Verb is one word of the grammar with its help and flags.
type Verb struct {
	Action  hybridcore.Action
	Args    string // usage of the positional arguments
	Short   string
	Long    string
	Example string
	// Bind adds the verb's flags, which write into the request.
	Bind func(*pflag.FlagSet, *hybridcore.Request)
}

// Name is the verb as it is written; one with a hyphen is written as two words.
func (v Verb) Name() string { return strings.ReplaceAll(string(v.Action), "-", " ") }

func bindParallel(fs *pflag.FlagSet, r *hybridcore.Request) {
	fs.IntVar(&r.Parallel, "parallel", 0, "how many targets at once, 1 to 64 (default: the project's setting)")
}

// BindCommon adds the flags that every verb of the grammar has.
func BindCommon(fs *pflag.FlagSet, r *hybridcore.Request) {
	fs.StringVarP(&r.Env, "env", "e", "", "environment: a folder under configs/ (default: the project's)")
	fs.StringSliceVar(&r.Images, "image", nil, "image, as an alternative to the arguments")
	fs.Var(&platformList{&r.Platforms}, "targets",
		"platforms, comma-separated: "+strings.Join(hybridcore.PlatformNames(), ", "))
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
type platformList struct{ to *[]hybridcore.Platform }

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
		p, err := hybridcore.ParsePlatform(strings.TrimSpace(name))
		if err != nil {
			return err
		}
		if !slices.Contains(*l.to, p) {
			*l.to = append(*l.to, p)
		}
	}
	return nil
}

func bindCommit(fs *pflag.FlagSet, r *hybridcore.Request) {
	fs.StringSliceVar(&r.Heads, "commit", nil, "the full ID of the commit that the checkout must be at")
}

func bindPin(fs *pflag.FlagSet, r *hybridcore.Request) {
	bindCommit(fs, r)
	fs.StringVar(&r.Part, "part", "",
		"build one target of plan --matrix: it must have this digest, and its record goes to "+hybridcore.PartsDir+"/")
}
