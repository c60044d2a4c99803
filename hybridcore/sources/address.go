// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:16:27Z
// Spec: openspec/specs/sources/spec.md#requirement-the-lock-file
// Diagram: openspec/specs/sources/diagram.md#chain-of-trust

package sources

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

const defaultHost = "github.com"

// maxURL is the longest URL that is taken, in bytes; none of a forge's is longer.
const maxURL = 300

// The forms of what reaches git's arguments. None can start with a dash.
var (
	hostRule = regexp.MustCompile(
		`^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[1-9][0-9]{0,4})?$`)
	pathRule    = regexp.MustCompile(`^(/[A-Za-z0-9_][A-Za-z0-9._+-]*)+$`)
	commitRule  = regexp.MustCompile(`^[0-9a-f]{40}$`)
	tagRule     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]*(/[A-Za-z0-9][A-Za-z0-9._+-]*)*$`)
	sha256Rule  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	systemRule  = regexp.MustCompile(`^[a-z0-9]{1,16}_[a-z0-9]{1,16}$`)
	versionRule = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.]+)?$`)
	addressRule = regexp.MustCompile(`^[a-z0-9][a-zA-Z0-9.-]*(/[a-zA-Z0-9][a-zA-Z0-9._-]*){1,15}$`)
)

func checkName(name string) error {
	if err := hybridcore.CheckName("source", name); err != nil {
		return err
	}
	if name == LockFile || strings.EqualFold(name, "readme.md") {
		return fmt.Errorf("source %q has the name of a file in %s/", name, Dir)
	}
	return nil
}

func checkHost(host string) error {
	if !hostRule.MatchString(host) || len(host) > maxURL {
		return fmt.Errorf("%.80q is not a host such as \"github.com\"", host)
	}
	return nil
}

// checkURL takes nothing but https://HOST/PATH of plain segments.
func checkURL(text string, hosts []string) error {
	host, err := plainURL(text)
	if err != nil {
		return err
	}
	if !slices.Contains(hosts, host) {
		return fmt.Errorf("the host %s is not one of hosts (%s); add it there if it is meant", host, join(hosts))
	}
	return nil
}

// plainURL returns the host of https://HOST/PATH.
func plainURL(text string) (string, error) {
	rest, https := strings.CutPrefix(text, "https://")
	if !https {
		return "", fmt.Errorf("%.80q is not an https:// URL; no other transport is used", text)
	}
	host, path, _ := strings.Cut(rest, "/")
	path = "/" + path
	if len(text) > maxURL || !hostRule.MatchString(host) || !pathRule.MatchString(path) || strings.Contains(path, "..") {
		return "", fmt.Errorf("%.80q is not a plain URL such as \"https://github.com/owner/name.git\": no user, query, "+
			"fragment, escapes or \"..\"", text)
	}
	if _, err := url.Parse(text); err != nil {
		return "", fmt.Errorf("%.80q is not a URL", text)
	}
	return host, nil
}

func checkCommit(text string) error {
	if !commitRule.MatchString(text) {
		return fmt.Errorf("%.80q is not a full commit of 40 lower-case hexadecimal digits; a short one can mean another "+
			"commit tomorrow", text)
	}
	return nil
}

// checkTag follows git-check-ref-format, more strictly.
func checkTag(text string) error {
	bad := strings.Contains(text, "..") || strings.HasSuffix(text, ".") || strings.HasSuffix(text, ".lock") ||
		strings.Contains(text, ".lock/")
	if len(text) > 128 || bad || !tagRule.MatchString(text) {
		return fmt.Errorf("%.80q is not a tag such as \"v1.2.3\"", text)
	}
	return nil
}

func checkSHA256(text string) error {
	if !sha256Rule.MatchString(text) {
		return fmt.Errorf("%.80q is not a sha256 of 64 lower-case hexadecimal digits", text)
	}
	return nil
}

func checkVersion(text string) error {
	if len(text) > 64 || !versionRule.MatchString(text) {
		return fmt.Errorf("%.80q is not a version such as \"1.4.2\"", text)
	}
	return nil
}

func checkAddress(text string) error {
	if len(text) > maxURL || !addressRule.MatchString(text) || strings.Contains(text, "..") {
		return fmt.Errorf("%.80q is not a plugin address such as \"github.com/hashicorp/vsphere\"", text)
	}
	return nil
}

// remote is where git is sent.
type remote struct {
	address string // https URL, or absolute path
	local   bool   // a directory: needs the file protocol
}

// remote returns where a source is fetched from: its URL, or its place in a
// mirror. It gives a BlockedError when a mirror directory does not have it.
func (s Source) remote(mirror string) (remote, error) {
	if mirror == "" {
		return remote{address: s.URL}, nil
	}
	segments := strings.Split(strings.TrimSuffix(s.URL, ".git"), "/")
	owner, repo := segments[len(segments)-2], segments[len(segments)-1]
	if strings.Contains(mirror, "://") {
		at := strings.NewReplacer("{owner}", owner, "{repo}", repo).Replace(mirror)
		if at == mirror {
			at = strings.TrimSuffix(mirror, "/") + "/" + repo + ".git"
		}
		if _, err := plainURL(at); err != nil {
			return remote{}, hybridcore.Usagef("--mirror: %v", err)
		}
		return remote{address: at}, nil
	}
	base, err := filepath.Abs(mirror)
	if err != nil {
		return remote{}, fmt.Errorf("finding the mirror: %w", err)
	}
	candidates := []string{
		filepath.Join(base, owner+"+"+repo, "repo"), filepath.Join(base, owner, repo+".git"),
		filepath.Join(base, repo+".git"), filepath.Join(base, repo),
	}
	for _, dir := range candidates {
		if isRepository(dir) {
			return remote{dir, true}, nil
		}
	}
	// A repository that moved to another owner: the pin says whether it is the one.
	if moved, err := filepath.Glob(filepath.Join(escapeGlob(base), "*+"+repo, "repo")); err == nil && len(moved) == 1 &&
		isRepository(moved[0]) {
		return remote{moved[0], true}, nil
	}
	return remote{}, hybridcore.Blockedf("the mirror has no repository for %s; looked for %s", s.Name, join(candidates))
}

func isRepository(dir string) bool {
	for _, head := range []string{"HEAD", ".git/HEAD"} {
		if info, err := os.Stat(filepath.Join(dir, head)); err == nil && info.Mode().IsRegular() {
			return true
		}
	}
	return false
}

func escapeGlob(text string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(text)
}
