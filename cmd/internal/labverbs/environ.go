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
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
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

// accounts begin the names of variables with which an account or a machine of a platform, cloud or forge is chosen,
// or by which programs are changed; connections are other names of that kind. They and what the redactor takes for
// a secret are named when they do not pass; of the rest, which a session has plenty of, only the number is told.
var (
	accounts = []string{
		"PKR_", "PACKER_", "PACKER_HYBRID_", "VSPHERE_", "GOVC_", "GOVMOMI_", "VC_", "PROXMOX_", "PVE_", "PM_", "AZURE_",
		"ARM_", "AWS_",
		"GOOGLE_", "GCP_", "GCLOUD_", "CLOUDSDK_", "HCP_", "VAULT_", "CONSUL_", "NOMAD_", "TF_", "DOCKER_", "CONTAINER_",
		"KUBE",
		"SSH_", "GIT_", "ANSIBLE_", "ACTIONS_", "LD_", "DYLD_", "SSL_", "PG",
	}
	connections = []string{"NETRC", "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"}
)

// telling says whether a variable that does not pass is worth its name.
func telling(name string) bool {
	upper := strings.ToUpper(name)
	return redact.SecretName(name) || strings.HasSuffix(upper, "_PW") || slices.Contains(connections, upper) ||
		slices.ContainsFunc(accounts, func(prefix string) bool { return strings.HasPrefix(upper, prefix) })
}

// environment is what a command in a lab gets.
type environment struct {
	entries  []string // one a name, sorted
	replaced []string // names of the caller's that the lab sets otherwise
	withheld []string // names of the caller's that do not pass, and are or choose an account
	others   int      // that do not pass either
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
	for _, one := range redact.FromEnviron(caller) {
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
		case secret[name] || telling(name):
			env.withheld = append(env.withheld, name)
		default:
			env.others++
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
	what := []string{}
	if len(e.withheld) > 0 {
		what = append(what, names(e.withheld))
	}
	if e.others > 0 {
		what = append(what, fmt.Sprintf("%d other variables", e.others))
	}
	if len(what) > 0 {
		_, _ = fmt.Fprintf(w, "lab: not passed on to the command: %s (--pass NAME passes one on)\n",
			strings.Join(what, " and "))
	}
}

// names lists names of variables: those of an environment are anybody's bytes.
func names(all []string) string { return text.Sanitize(strings.Join(all, ", ")) }

// checkPass refuses what --pass cannot mean.
func checkPass(more []string) error {
	for _, name := range more {
		if name == "" || strings.ContainsAny(name, "= ") {
			return hybridcore.Usagef("--pass is %.80q: give names of environment variables, separated by commas", name)
		}
	}
	return nil
}
