// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T02:10:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-validate-needs-no-packer
// Diagram: openspec/specs/static-validation/diagram.md#one-pass

package hybridcore

import "github.com/spf13/pflag"

// WithPacker lets Packer and its plugins validate.
const WithPacker = "packer"

// WithPlugins lets the plugins validate, each started directly.
const WithPlugins = "plugins"

// InProcess says whether the request validates without Packer.
func (r Request) InProcess() bool { return r.Action == ActionValidate && r.With == "" }

func validateVerb() Verb {
	return Verb{
		Action: ActionValidate, Args: "[IMAGE...]", Short: "Check templates and variables, building nothing",
		Long: `Validate checks every target inside this process, with the schemas of the real
plugins: it needs no Packer, no plugin and no credentials, and contacts nothing.
With --full the real plugins check every target as well, started directly: the
verdicts are Packer's own, in a fraction of the time; it needs Packer, the
plugins and values for all variables. It also asks each installed plugin once for
its settings, by which validate goes from then on. With --with packer it stages every target
and lets Packer and its plugins check it, as a build would begin. A tree that
was found valid, or wrong in form, and has not changed since is answered from a
cache, and the answer says so.`,
		Example: `  packer-hybrid validate --env lab
  packer-hybrid validate debian-12 --targets vsphere
  packer-hybrid validate --full
  packer-hybrid validate --with packer`,
		Bind: func(fs *pflag.FlagSet, r *Request) {
			fs.StringVar(&r.With, "with", "", "let these check, after this process: packer, or plugins (see --full)")
			fs.BoolFunc("full", "the same as --with plugins: verdicts as Packer's, by the real plugins", func(on string) error {
				if on == "true" {
					r.With = WithPlugins
				}
				return nil
			})
			fs.BoolVar(&r.NoCache, "no-cache", false, "check anew although nothing changed since the last verdict")
			bindParallel(fs, r)
		},
	}
}
