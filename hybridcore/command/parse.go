// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:40:00Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

// Package command is the grammar that every door shares: its verbs with their flags, the parser of what was written
// outside of a shell, and the menu that a door offers of it.
package command

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// MaxBytes bounds the text of a command. Slack sends up to 8,000 characters; no sensible command needs a tenth of it.
const MaxBytes = 1000

// Parse reads one command from outside the shell (Slack, a comment, the
// action's input): words separated by blanks, see Words, and no pass-through.
func Parse(line string) (hybridcore.Request, error) {
	words, err := Words(line)
	if err != nil {
		return hybridcore.Request{}, err
	}
	known := verbNames()
	if len(words) == 0 {
		return hybridcore.Request{}, hybridcore.Usagef("no command; try one of: %s", strings.Join(known, ", "))
	}
	verbs := Verbs()
	i := slices.Index(known, words[0])
	if i < 0 {
		return hybridcore.Request{}, hybridcore.Usagef("unknown command %.80q%s; known: %s", words[0],
			text.DidYouMean(words[0], known), strings.Join(known, ", "))
	}
	return verbs[i].parse(words[1:])
}

func (v Verb) parse(words []string) (hybridcore.Request, error) {
	r := hybridcore.Request{Action: v.Action}
	fs := pflag.NewFlagSet(string(v.Action), pflag.ContinueOnError)
	fs.Usage = func() {}
	BindCommon(fs, &r)
	if v.Bind != nil {
		v.Bind(fs, &r)
	}
	if slices.Contains(words, "--") {
		return hybridcore.Request{}, hybridcore.Usagef("unexpected \"--\": nothing is passed through to Packer")
	}
	if err := fs.Parse(words); err != nil {
		if errors.Is(err, pflag.ErrHelp) {
			return hybridcore.Request{}, hybridcore.Usagef("%s", fs.FlagUsages())
		}
		return hybridcore.Request{}, hybridcore.Usagef("%s: %v", v.Action, err)
	}
	if err := Finish(&r, fs.Args()); err != nil {
		return hybridcore.Request{}, fmt.Errorf("%s: %w", v.Action, err)
	}
	return r, nil
}

// verbNames are the words of Verbs, in its order.
func verbNames() []string {
	var names []string
	for _, v := range Verbs() {
		names = append(names, string(v.Action))
	}
	return names
}
