// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:40:00Z
// Spec: openspec/specs/lab-faults/spec.md#requirement-rules-for-a-whole-lab
// Diagram: openspec/specs/lab-faults/diagram.md#from-a-flag-to-a-platform

package labverbs

import (
	"github.com/spf13/cobra"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/safefile"
	"github.com/packer-hybrid/packer-hybrid/lab"
)

// faultHelp describes fault rules in the help of the verbs that take them.
const faultHelp = `
--fault makes a platform fail: its name, then which calls, then what happens.
  PLATFORM METHOD PATH [nth=N|N-M|N-] [delay=DURATION]
      [status=CODE] [reason=TEXT] [drop] [after] [task]
METHOD is an HTTP method or *; in PATH, * is a part of one segment and ** any
number of segments. A call of vSphere's SOAP interface has the path /sdk/METHOD;
Proxmox VE's paths begin behind /api2/json, Azure's at /subscriptions.
docs/lab-faults.md says it all. At the end, the lab tells how many calls each
rule hit.`

// faults are the flags that make a lab's platforms fail.
type faults struct{ rules, files []string }

// bind adds the flags to a verb.
func (f *faults) bind(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&f.rules, "fault", nil,
		`RULE by which a platform fails, such as "vsphere POST /sdk/CreateVM_Task status=500"; repeatable`)
	cmd.Flags().StringArrayVar(&f.files, "fault-file", nil,
		"FILE with such rules, one a line, after those of --fault; repeatable")
}

// read reads the rules.
func (f *faults) read() (lab.Faults, error) {
	all := lab.Faults{}
	for n, rule := range f.rules {
		if err := all.Add(rule); err != nil {
			return nil, hybridcore.Usagef("--fault, number %d: %v", n+1, err)
		}
	}
	for _, path := range f.files {
		text, err := safefile.Read(path, maxFaultFile)
		if err != nil {
			return nil, hybridcore.Usagef("reading fault rules: %v", err)
		}
		if err := all.Parse(path, string(text)); err != nil {
			return nil, hybridcore.Usagef("%v", err)
		}
	}
	return all, nil
}

// maxFaultFile bounds a file of fault rules, in bytes.
const maxFaultFile = 1 << 20
