// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:24Z
// Spec: openspec/specs/packer/spec.md#requirement-failures-people-can-act-on
// Diagram: openspec/specs/packer/diagram.md#from-bytes-to-outcome

package output

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/text"
)

// Ansible follows what ansible-playbook prints, for people only.
type Ansible struct {
	task    string // TASK [role : name], the last that began
	Failed  string // the task that failed
	Message string // and why
	File    string // task path, printed with -vv
	recap   bool   // PLAY RECAP was printed
	Hosts   []string
}

var (
	taskLine  = regexp.MustCompile(`^(TASK|RUNNING HANDLER) \[(.+)\] \*+$`)
	fatalLine = regexp.MustCompile(`^(?:fatal|failed): \[[^\]]+\].*?(?:FAILED|UNREACHABLE)! => (.*)$`)
	recapLine = regexp.MustCompile(`^(\S+)\s+: (ok=\d+\s+changed=\d+\s.*)$`)
)

// Line takes one line of a provisioner's output.
func (a *Ansible) Line(text string) {
	text = strings.TrimRight(text, " ")
	switch {
	case strings.HasPrefix(text, "TASK ["), strings.HasPrefix(text, "RUNNING HANDLER ["):
		if m := taskLine.FindStringSubmatch(text); m != nil {
			a.task, a.File = Bound(m[1]+" ["+m[2]+"]"), ""
		}
	case strings.HasPrefix(text, "task path: "):
		a.File = Bound(strings.TrimPrefix(text, "task path: "))
	case strings.HasPrefix(text, "fatal: ["), strings.HasPrefix(text, "failed: ["):
		if m := fatalLine.FindStringSubmatch(text); m != nil {
			a.Failed, a.Message = a.task, ansibleMessage(m[1])
		}
	case text == "...ignoring":
		a.Failed, a.Message = "", ""
	case strings.HasPrefix(text, "PLAY RECAP *"):
		a.recap = true
	case a.recap:
		if m := recapLine.FindStringSubmatch(text); m != nil && len(a.Hosts) < MaxTexts {
			a.Hosts = append(a.Hosts, Bound(m[1]+": "+strings.Join(strings.Fields(m[2]), " ")))
		}
	}
}

// ansibleMessage is the reason in a failed task's result, which Ansible prints
// as JSON on the same line, or the beginning of whatever is there.
func ansibleMessage(result string) string {
	var fields struct {
		Msg    any    `json:"msg"`
		Stderr string `json:"stderr"`
	}
	said := result
	if json.Unmarshal([]byte(result), &fields) == nil {
		if msg, ok := fields.Msg.(string); ok {
			said = msg
		}
		if fields.Stderr != "" {
			said += ": " + fields.Stderr
		}
	}
	return Bound(text.Line(said))
}
