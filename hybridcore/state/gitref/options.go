// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T09:52:00Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-git-ref
// Diagram: openspec/specs/state/diagram.md#git-ref

package gitref

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// DefaultRef is no branch, so that no page lists it and no rule for branches holds it.
const DefaultRef = "refs/packer-hybrid/state"

// Options say where a state is, and how it is reached.
type Options struct {
	Repository string   // https://HOST/PATH, ssh://HOST/PATH or USER@HOST:PATH; with Local a folder's whole path
	Local      bool     // whether a folder may be named: git obeys what its configuration says
	Ref        string   // empty: DefaultRef
	Dir        string   // in which the clone is made, in a folder of its own; empty: that of temporary files
	Environ    []string // of this process
	Access     Access
	Own        bool   // git may use what the user has set up for it: credential helpers, keys, signing
	Sign       bool   // sign each commit: with SigningKey, else with what the user has set up
	SigningKey string // file of a private key of ssh
}

// Access is what this process shows to the repository. The zero value shows nothing.
type Access struct {
	User, Token string // of https
	Key, Hosts  string // files of ssh: a deploy key, and the keys of known hosts
}

// ssh is the command, for a shell, by which git reaches a repository over ssh: nobody is asked.
func (a Access) ssh() string {
	command := "ssh -o BatchMode=yes -o ConnectTimeout=30"
	if a.Key != "" {
		command += " -o IdentitiesOnly=yes -i " + text.ShellWord(a.Key)
	}
	if a.Hosts != "" {
		command += " -o StrictHostKeyChecking=yes -o UserKnownHostsFile=" + text.ShellWord(a.Hosts)
	}
	return command
}

var refRule = regexp.MustCompile(`^refs(/[A-Za-z0-9][A-Za-z0-9_-]*){2,6}$`)

// scpRule is USER@HOST:PATH. Nothing in it begins like an option.
var scpRule = regexp.MustCompile(`^\w[\w-]*@[A-Za-z0-9][A-Za-z0-9.-]*:[\w.~/][\w.~/-]*$`)

// CheckRef refuses what is no whole name of a ref.
func CheckRef(ref string) error {
	if !refRule.MatchString(ref) {
		return hybridcore.Usagef("%.200q is not the whole name of a ref, such as %s: use letters, digits, '-' and '_', "+
			"and '/' between them", ref, DefaultRef)
	}
	return nil
}

// CheckRepository refuses an address that git would take for something else, or that
// holds a password; and a folder, unless it is local.
func CheckRepository(address string, local bool) error {
	switch {
	case scpRule.MatchString(address):
		return nil
	case strings.HasPrefix(address, "/") && local:
		return nil
	case strings.HasPrefix(address, "/"):
		return hybridcore.Usagef("%.200q is a folder, whose git configuration would decide what runs: name it by "+
			"PACKER_HYBRID_STATE=git+%s, and not in a file of the project", address, address)
	}
	u, err := url.Parse(address)
	address = Shown(address)
	option := err == nil && (strings.HasPrefix(u.Host, "-") || strings.HasPrefix(u.User.Username(), "-"))
	if err != nil || option || u.Host == "" || u.Path == "" || u.RawQuery != "" || u.Fragment != "" ||
		strings.ContainsAny(address, " \t\n") {
		return hybridcore.Usagef("%.200q is not the address of a git repository: give https://HOST/PATH, ssh://HOST/PATH "+
			"or USER@HOST:PATH", address)
	}
	switch _, password := u.User.Password(); {
	case password:
		return hybridcore.Usagef("the address of the repository holds a password: leave it out; docs/state.md says where " +
			"it goes")
	case u.Scheme == "https", u.Scheme == "ssh", u.Scheme == "http" && state.Loopback(u.Hostname()):
		return nil
	}
	return hybridcore.Usagef("a git repository is not reached over %q: use https or ssh", u.Scheme)
}

// user matches what stands before the host of an address.
var user = regexp.MustCompile(`://[^/\s]*@`)

// Shown is an address without a user and a password, which may be a token.
func Shown(address string) string { return user.ReplaceAllString(address, "://") }

// Host is the host of a repository, with its port; empty for a folder.
func Host(address string) string {
	if u, err := url.Parse(address); err == nil && u.Host != "" {
		return u.Host
	}
	if _, rest, found := strings.Cut(address, "@"); found {
		host, _, _ := strings.Cut(rest, ":")
		return host
	}
	return ""
}
