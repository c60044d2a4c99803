// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:17Z
// Spec: openspec/specs/packer/spec.md#requirement-environment
// Diagram: openspec/specs/packer/diagram.md#one-job

package packer

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// inherited are the variables of the parent that Packer may see. Everything
// else stays behind: tokens of the CI job, cloud credentials of the runner.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM",
	"SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
	"http_proxy", "https_proxy", "no_proxy", "all_proxy",
}

// withheld are PACKER_ variables that must not come from the parent: they load
// code, write unmasked logs, carry tokens or change how Packer runs.
var withheld = []string{
	"PACKER_PLUGIN_PATH",         // plugins from there are executed
	"PACKER_CONFIG",              // names plugin binaries
	"PACKER_CONFIG_DIR",          // holds plugins
	"PACKER_CACHE_DIR",           // the job has its own
	"PACKER_LOG",                 // prints secrets
	"PACKER_LOG_PATH",            // writes them to a file
	"PACKER_GITHUB_API_TOKEN",    // only `packer init` needs it
	"PACKER_RUN_UUID",            // Packer makes its own
	"PACKER_WRAP_COOKIE",         // would take the panic wrapper away
	"PACKER_PLUGIN_MAGIC_COOKIE", // would turn packer into a plugin
	"PACKER_BUILD_NAME", "PACKER_BUILDER_TYPE",
}

// environ builds the environment of one job: the allow-listed part of the
// parent's, the forced settings, and the job's own variables, which beat the
// allow-list but not the forced settings.
func environ(parent, own []string, dirs scratch) []string {
	env := map[string]string{}
	direct := hybridcore.LabOf(parent) != "" // a proxy would take what is sent to another machine
	for _, entry := range parent {
		name, value, ok := strings.Cut(entry, "=")
		proxy := strings.HasSuffix(strings.ToUpper(name), "_PROXY")
		if ok && allowed(name) && (!direct || !proxy) {
			env[name] = value
		}
	}
	if path, ok := env["PATH"]; ok {
		env["PATH"] = absolute(path)
	}
	for _, entry := range own {
		if name, value, ok := strings.Cut(entry, "="); ok {
			env[name] = value
		}
	}
	env["CHECKPOINT_DISABLE"] = "1" // no call home, no version check
	env["PACKER_NO_COLOR"] = "1"
	env["TMPDIR"] = dirs.tmp()
	env["PACKER_CONFIG_DIR"] = dirs.config()
	env["PACKER_CACHE_DIR"] = dirs.cache()
	env["PACKER_PLUGIN_PATH"] = dirs.plugins()
	out := make([]string, 0, len(env))
	for name, value := range env {
		out = append(out, name+"="+value)
	}
	slices.Sort(out)
	return out
}

// absolute leaves out of a PATH what depends on the folder that a process is in: there that is
// the stage, whose files come from the checkout.
func absolute(path string) string {
	dirs := slices.DeleteFunc(filepath.SplitList(path), func(dir string) bool { return !filepath.IsAbs(dir) })
	return strings.Join(dirs, string(filepath.ListSeparator))
}

// Inherits says whether Packer gets a variable of the parent's environment.
func Inherits(name string) bool { return allowed(name) }

func allowed(name string) bool {
	switch {
	case slices.Contains(inherited, name), strings.HasPrefix(name, "LC_"):
		return true
	case strings.HasPrefix(name, "PACKER_HYBRID_"): // ours, keys among them; the lab's stand-ins need theirs
		return strings.HasPrefix(name, hybridcore.LabVariable)
	case strings.HasPrefix(name, "PACKER_"):
		return !slices.Contains(withheld, name)
	default:
		return false
	}
}
