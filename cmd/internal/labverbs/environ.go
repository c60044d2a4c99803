// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:26:00Z
// Spec: openspec/specs/lab/spec.md#requirement-what-a-command-is-given
// Diagram: openspec/specs/lab/diagram.md#lab-and-reality

package labverbs

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
)

// passed are the variables of the caller that a command in a lab gets without
// being asked: those of the session and of tools, not of accounts. A list of
// what does not pass would always lack some provider's.
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "SHLVL", "PWD", "OLDPWD", "_", "HOSTNAME",
	"LANG", "LANGUAGE", "TZ", "TMPDIR",
	"TERM", "COLORTERM", "COLUMNS", "LINES", "NO_COLOR", "CI", "SSL_CERT_DIR",
	"XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR",
	"PACKER_HYBRID_CACHE", "PACKER_HYBRID_STATE", "PACKER_HYBRID_PLUGINS", "PACKER_PLUGIN_PATH", "CHECKPOINT_DISABLE",
	"GOROOT", "GOPATH", "GOCACHE", "GOMODCACHE", "GOFLAGS", "GOTOOLCHAIN", "CGO_ENABLED",
	"GODEBUG", "GORACE", "GOMAXPROCS", "GOMEMLIMIT", "GOGC",
}

// environment is what a command in a lab gets.
type environment struct {
	entries  []string // one a name, sorted
	replaced []string // names of the caller's that the lab sets otherwise
	withheld []string // names of the caller's that do not pass
}

// environ makes the environment of a command: of the caller what passes or what
// more names, and over it the lab's.
func environ(caller, lab, more []string) environment {
	values := map[string]string{}
	for _, entry := range caller {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			values[name] = value // the last one wins, as in a shell
		}
	}
	secret := map[string]bool{}
	for _, one := range logs.FromEnviron(caller) {
		secret[one.Name] = true
	}
	given := map[string]string{}
	for _, entry := range lab {
		name, value, _ := strings.Cut(entry, "=")
		given[name] = value
	}
	var env environment
	for name, value := range values {
		own, set := given[name]
		switch passes := (slices.Contains(passed, name) || strings.HasPrefix(name, "LC_")) && !secret[name]; {
		case set && own != value:
			env.replaced = append(env.replaced, name)
		case set:
		case passes, slices.Contains(more, name):
			given[name] = value
		default:
			env.withheld = append(env.withheld, name)
		}
	}
	for name, value := range given {
		env.entries = append(env.entries, name+"="+value)
	}
	slices.Sort(env.entries)
	slices.Sort(env.replaced)
	slices.Sort(env.withheld)
	return env
}

// tell names what a command does not get as its caller has it, never a value.
func (e environment) tell(w io.Writer) {
	if len(e.replaced) > 0 {
		_, _ = fmt.Fprintf(w, "lab: the lab's own value replaces that of %s\n", names(e.replaced))
	}
	if len(e.withheld) > 0 {
		_, _ = fmt.Fprintf(w, "lab: not passed on to the command: %s (--pass NAME passes one on)\n", names(e.withheld))
	}
}

// names lists names of variables: those of an environment are anybody's bytes.
func names(all []string) string { return hybridcore.Sanitize(strings.Join(all, ", ")) }

// checkPass refuses what --pass cannot mean.
func checkPass(more []string) error {
	for _, name := range more {
		if name == "" || strings.ContainsAny(name, "= ") {
			return hybridcore.Usagef("--pass is %.80q: give names of environment variables, separated by commas", name)
		}
	}
	return nil
}
