// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:40:03Z
// Spec: openspec/specs/security/spec.md#requirement-the-container-obeys-nobody-as-root
// Diagram: openspec/specs/container/diagram.md#one-action

package main

import (
	"slices"
	"strings"
)

// path is where programs are looked for, whatever the environment says.
const path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// removed are variables by which an environment gives code, or a place of code, to programs that are started with it.
var removed = []string{
	// the C library
	"GCONV_PATH", "GETCONF_DIR", "GLIBC_TUNABLES", "HOSTALIASES", "LOCALDOMAIN", "LOCPATH", "NIS_PATH", "NLSPATH",
	"RESOLV_HOST_CONF", "RES_OPTIONS", "TZDIR",
	// shells
	"BASH_ENV", "BASHOPTS", "CDPATH", "ENV", "FPATH", "GLOBIGNORE", "IFS", "PS4", "SHELLOPTS", "ZDOTDIR",
	// the run-time systems of languages
	"GOCOVERDIR", "GODEBUG", "GOGC", "GOMAXPROCS", "GOMEMLIMIT", "GOTRACEBACK", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS",
	"JDK_JAVA_OPTIONS", "NODE_OPTIONS", "NODE_PATH",
}

// removedPrefixes are families of such variables.
var removedPrefixes = []string{"LD_", "DYLD_", "MALLOC_", "BASH_FUNC_", "PYTHON", "PERL", "RUBY"}

// clean returns an environment without the variables that are removed, without entries that are no variable, and with
// a fixed search path. Of a name that is there twice the first stays, as for the C library.
func clean(environ []string) []string {
	kept, seen := []string{"PATH=" + path}, map[string]bool{"PATH": true}
	for _, entry := range environ {
		name, _, ok := strings.Cut(entry, "=")
		if !ok || name == "" || seen[name] || slices.Contains(removed, name) || hasPrefix(name, removedPrefixes) {
			continue
		}
		seen[name] = true
		kept = append(kept, entry)
	}
	return kept
}

// hasPrefix reports whether the name begins with one of the prefixes.
func hasPrefix(name string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}

// lookup returns the value of a variable.
func lookup(environ []string, name string) string {
	for _, entry := range environ {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}
