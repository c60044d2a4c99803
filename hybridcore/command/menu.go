// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T05:10:15Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Menu is the grammar as one door offers it.
type Menu struct {
	Prefix string // before each command, such as /packer-hybrid
	Verbs  []Verb // those of the shared grammar that the door takes
	Own    []Form // the door's own; the last one is help
}

// Form is a verb that only a door has.
type Form struct {
	Name  string
	Args  string // usage of its arguments
	Short string // one line of help; empty for none
}

// Names are the verbs of the menu, the door's own at the end.
func (m Menu) Names() []string {
	var names []string
	for _, v := range m.Verbs {
		names = append(names, string(v.Action))
	}
	for _, f := range m.Own {
		names = append(names, f.Name)
	}
	return names
}

// Nearest is the correct command that is nearest to a wrong line: with its
// verb, flags and platforms corrected when that is enough, else the form of
// the verb that was probably meant, else the help.
func (m Menu) Nearest(line string) string {
	line = line[:min(len(line), MaxBytes)]
	words, err := Words(line)
	if err != nil {
		words = strings.Fields(line)
	}
	if len(words) == 0 {
		return m.Help()
	}
	if words[0] == firstOfTwo {
		words[0] = string(hybridcore.ActionFree)
	}
	words[0] = near(words[0], m.Names())
	for _, f := range m.Own[:len(m.Own)-1] {
		if f.Name == words[0] {
			return "Try: " + m.form(f)
		}
	}
	at := slices.IndexFunc(m.Verbs, func(v Verb) bool { return string(v.Action) == words[0] })
	if at < 0 {
		return m.Help()
	}
	corrected := Line(append(words[:1], correct(m.Verbs[at], words[1:])...))
	if _, err := Parse(corrected); err == nil {
		return "Try: " + m.Prefix + " " + corrected
	}
	return "Try: " + m.usage(m.Verbs[at])
}

// Help lists the commands with a line for each.
func (m Menu) Help() string {
	var b strings.Builder
	for _, v := range m.Verbs {
		fmt.Fprintf(&b, "  %s\n      %s\n", m.usage(v), v.Short)
	}
	for i, f := range m.Own {
		fmt.Fprintf(&b, "  %s", m.form(f))
		if f.Short != "" {
			fmt.Fprintf(&b, "\n      %s", f.Short)
		}
		if i < len(m.Own)-1 {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func (m Menu) usage(v Verb) string {
	return fmt.Sprintf("%s %s %s [--env ENV] [--targets PLATFORM,...]", m.Prefix, v.Name(), v.Args)
}

func (m Menu) form(f Form) string {
	return strings.TrimSpace(m.Prefix + " " + f.Name + " " + f.Args)
}

// correct replaces the flags and platforms of a line by the nearest known ones.
func correct(v Verb, words []string) []string {
	var flags []string
	fs, r := pflag.NewFlagSet("", pflag.ContinueOnError), hybridcore.Request{}
	BindCommon(fs, &r)
	if v.Bind != nil {
		v.Bind(fs, &r)
	}
	fs.VisitAll(func(f *pflag.Flag) { flags = append(flags, f.Name) })
	targets := false
	for i, word := range words {
		name, value, assigned := strings.Cut(word, "=")
		if long, ok := strings.CutPrefix(name, "--"); ok {
			known := fs.Lookup(long)
			if known == nil {
				long = near(long, flags)
				known = fs.Lookup(long)
			}
			targets = known != nil && known.Name == "targets"
			words[i] = "--" + long
			if assigned && targets {
				words[i], targets = words[i]+"="+correctPlatforms(value), false
			} else if assigned {
				words[i] += "=" + value
			}
		} else if targets {
			words[i], targets = correctPlatforms(word), false
		}
	}
	return words
}

func correctPlatforms(list string) string {
	names := strings.Split(list, ",")
	for i, name := range names {
		names[i] = near(name, hybridcore.PlatformNames())
	}
	return strings.Join(names, ",")
}

// near is the nearest of the candidates, or the name itself.
func near(name string, candidates []string) string {
	if best := text.Nearest(name, candidates); best != "" {
		return best
	}
	return name
}
