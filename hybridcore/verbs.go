// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:47:57Z
// Spec: openspec/specs/values/spec.md#requirement-command-grammar
// Diagram: openspec/specs/values/diagram.md#from-request-to-record

package hybridcore

import (
	"regexp"
	"strings"

	"github.com/spf13/pflag"
)

func planVerb() Verb {
	return Verb{
		Action: ActionPlan, Args: "[IMAGE...]", Short: "Show which targets would be built, and why",
		Long: `Plan reads templates, variable files, configuration and state, and says which
targets (image × platform) would be built and for which reason, down to the file
and line that changed. With --base it compares the working tree with a commit
instead of the last builds, and needs neither state nor Packer. It changes
nothing and starts no builder.`,
		Example: `  packer-hybrid plan
  packer-hybrid plan --base main... --output markdown
  packer-hybrid plan debian-12 --env prod --targets vsphere
  packer-hybrid plan --output json --detailed-exitcode`,
		Bind: func(fs *pflag.FlagSet, r *Request) {
			fs.BoolVar(&r.Rebuild, "rebuild", false, "plan targets as if nothing had been built")
			fs.BoolVar(&r.DetailedExitCode, "detailed-exitcode", false, "exit 4 when changes are pending")
			fs.StringVar(&r.Base, "base", "",
				"compare with this commit, branch or tag; with ... after it, with its merge base with HEAD")
			fs.BoolVar(&r.All, "all", false, "list unchanged targets too")
		},
	}
}

func parityVerb() Verb {
	return Verb{
		Action: ActionParity, Args: "[IMAGE...]", Short: "Compare images across platforms and over time",
		Long: `Parity compares the inventories that builds took inside their guests: of one
image on all its platforms, category by category, and with an earlier run. What
templates/parity.hcl does not expect is unexpected, and exits 3 where its policy
says block. An image that is built for one platform only is compared with its
previous build.`,
		Example: `  packer-hybrid parity
  packer-hybrid parity debian-12 --env prod --record 20261122t224501-1a2b3c4d
  packer-hybrid parity debian-12 --against 20261101t080000-5e6f7a8b`,
		Bind: func(fs *pflag.FlagSet, r *Request) {
			fs.StringVar(&r.Record, "record", "", "compare what this run built (default: what is current)")
			fs.StringVar(&r.Against, "against", "", "also report what changed since this run")
		},
	}
}

// maxRevision bounds the name of a commit, in bytes. Git itself has no limit;
// file systems take 255 of them.
const maxRevision = 200

// IsObjectID says whether a text is the full object ID of a commit, SHA-1 or
// SHA-256, as Git writes it.
func IsObjectID(text string) bool {
	return (len(text) == 40 || len(text) == 64) && strings.Trim(text, "0123456789abcdef") == ""
}

var revisionRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/~^+-]*$`)

// CheckRevision refuses what is not plainly a commit, branch or tag, perhaps
// with ~ and ^, or one of these followed by three dots: its merge base with HEAD.
func CheckRevision(rev string) error {
	name := strings.TrimSuffix(rev, "...")
	if len(rev) > maxRevision || !revisionRule.MatchString(name) || strings.Contains(name, "..") {
		return Usagef("%.80q names no commit: give a commit, branch or tag, or one with \"...\" for its merge base with HEAD",
			rev)
	}
	return nil
}
