// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:56:00Z
// Spec: openspec/specs/templates/spec.md#requirement-names-that-a-platform-accepts
// Diagram: openspec/specs/templates/diagram.md#ways-to-build-on-one-platform

package templates

import (
	"fmt"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// nameRule says what a platform accepts as names. A check that is nil accepts all.
type nameRule struct {
	artifact func(name string) (problem string)
	clone    func(*naming, hybridcore.Variable) // of what a build is cloned from
	others   func(*naming)                      // of the platform's own variables
}

// nameRules are the platforms that refuse names.
var nameRules = map[hybridcore.Platform]nameRule{
	hybridcore.Proxmox: {artifact: dnsProblem, clone: (*naming).proxmoxClone},
	hybridcore.VSphere: {artifact: vsphereProblem, clone: (*naming).vsphereClone},
	hybridcore.Azure:   {artifact: azureProblem, others: (*naming).azure},
}

// CheckNames finds names that the target's platform would refuse, or that do
// not fit together, where they are set. artifact is a name such as a run gives
// what it builds.
func CheckNames(target hybridcore.Target, artifact string) []hybridcore.Finding {
	n := &naming{variables: map[string]hybridcore.Variable{}}
	for _, v := range target.Variables {
		n.variables[v.Name] = v
	}
	rule := nameRules[target.Platform]
	if problem := rule.artifactProblem(artifact); problem != "" {
		n.findings = append(n.findings, hybridcore.Finding{
			Kind:    hybridcore.KindSchema,
			Subject: target.Image.Name,
			File:    target.Image.File,
			Line:    target.Image.Line,
			Got:     artifact,
			Message: fmt.Sprintf(
				"%s does not accept the image's artifacts, such as %s: %s", target.Platform.Info().Title, artifact, problem,
			),
			Hint:     "rename the image, or take the platform off it",
			Severity: hybridcore.Error,
			Blocking: true,
		})
	}
	if v, ok := n.variables["clone_from"]; ok && rule.clone != nil {
		rule.clone(n, v)
	}
	if rule.others != nil {
		rule.others(n)
	}
	return n.findings
}

func (r nameRule) artifactProblem(name string) string {
	if r.artifact == nil {
		return ""
	}
	return r.artifact(name)
}

// Places below the project root.
const (
	Dir         = "templates"
	ConfigsDir  = "configs"
	catalogue   = "images.hcl"
	common      = "common.pkr.hcl"    // what all targets share
	variables   = "variables.pkr.hcl" // that every target has; may be absent
	osDir       = "os"                // the build of each operating system
	platformDir = "platforms"
	fromDir     = "from"
	varsDir     = "vars"
	varSuffix   = ".pkrvars.hcl"
	suffix      = ".pkr.hcl"
)

func platformFile(platform hybridcore.Platform) string {
	return platformDir + "/" + string(platform) + suffix
}

func systemFile(system string) string { return osDir + "/" + system + suffix }

func join(platforms []hybridcore.Platform) string {
	names := make([]string, 0, len(platforms))
	for _, p := range platforms {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}
