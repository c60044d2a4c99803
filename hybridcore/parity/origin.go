// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:18:51Z
// Spec: openspec/specs/parity/spec.md#requirement-comparison-across-platforms
// Diagram: openspec/specs/parity/diagram.md#from-inventories-to-verdict

package parity

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Origins is what the project's roles and variable files say, line by line:
// where a difference is likely to come from. The rules, the first that fits:
//
//  1. A line that names the key, in a file of one of the two platforms
//     (platform_PLATFORM roles, PLATFORM.pkrvars.hcl).
//  2. A line that names it in a task with a condition on image_platform.
//  3. Any other line that names it.
//  4. What comes with a guest agent that only one side has (brings).
//  5. Nothing: a dependency, or what the platform starts from.
//
// A line names a key when it holds it as a word; of a file's path also the
// file's name counts, and of a setting that a file makes (FILE:NAME) the file.
type Origins struct {
	lines []origin
}

// origin is one line of a role or variable file.
type origin struct {
	file     string // below the project root
	line     int
	text     string
	platform hybridcore.Platform // whose file it is, empty for all
	guarded  bool                // its task has a condition on image_platform
	task     string              // name of its task, empty outside a playbook
}

// Limits of what is searched; the templates folder has the same for its files.
const (
	maxOriginFile  = 256 << 10
	maxOriginLines = 100_000
)

// ReadOrigins reads the roles and variable files of the project at root, and
// the variable files of one environment. Files that cannot be read are left
// out: a cause is a hint.
func ReadOrigins(root *os.Root, env string) Origins {
	var o Origins
	for _, dir := range []string{"configs/" + env, "templates/vars", "templates/ansible"} {
		_ = fs.WalkDir(root.FS(), dir, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || !entry.Type().IsRegular() || len(o.lines) > maxOriginLines {
				return nil //nolint:nilerr // left out
			}
			if data, err := readFile(root, name); err == nil {
				o.add(name, string(data))
			}
			return nil
		})
	}
	return o
}

func readFile(root *os.Root, name string) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // only read
	data, err := io.ReadAll(io.LimitReader(f, maxOriginFile))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	return data, nil
}

// add notes the lines of one file. A task of a playbook runs from one line
// that starts a list item with a name to the next.
func (o *Origins) add(file, text string) {
	var platform hybridcore.Platform
	for _, p := range hybridcore.Platforms() {
		if path.Base(file) == string(p.Name)+".pkrvars.hcl" || strings.Contains(file, "/platform_"+string(p.Name)+"/") {
			platform = p.Name
		}
	}
	task, name := len(o.lines), ""
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if title, ok := strings.CutPrefix(trimmed, "- name:"); ok {
			task, name = len(o.lines), strings.Trim(strings.TrimSpace(title), `"'`)
		}
		if strings.HasPrefix(trimmed, "#") {
			continue
		}
		o.lines = append(o.lines, origin{file: file, line: i + 1, text: trimmed, platform: platform, task: name})
		if strings.HasPrefix(trimmed, "when:") && strings.Contains(trimmed, "image_platform") {
			for j := task; j < len(o.lines); j++ {
				o.lines[j].guarded = true
			}
		}
		if j := len(o.lines) - 1; j > task {
			o.lines[j].guarded = o.lines[j].guarded || o.lines[j-1].guarded
		}
	}
}

// brings names what the guest agents install besides files of their own name.
var brings = map[string][]string{
	"open-vm-tools":    {"vgauth", "vmtoolsd", "vmware", "open-vm-tools"},
	"qemu-guest-agent": {"qemu-ga", "qemu-guest-agent"},
	"walinuxagent":     {"waagent", "walinuxagent", "azure"},
}

// cause says where a difference is likely to come from.
func (o Origins) cause(d hybridcore.Difference) string {
	if !d.Compared() {
		if strings.HasPrefix(d.InA, notRead) || strings.HasPrefix(d.InB, notRead) {
			return "the guest could not read the section: the log of its build says why"
		}
		return "the two inventories are of different versions of templates/scripts: build the older image again"
	}
	for _, rank := range []func(origin) bool{
		func(l origin) bool { return l.platform != "" },
		func(l origin) bool { return l.guarded },
		func(l origin) bool { return true },
	} {
		for _, word := range words(d) {
			for _, l := range o.lines {
				if rank(l) && (l.platform == "" || l.platform == d.A || l.platform == d.B) && mentions(l.text, word) {
					return l.says(d)
				}
			}
		}
	}
	for _, agent := range []string{"open-vm-tools", "qemu-guest-agent", "walinuxagent"} {
		if slices.ContainsFunc(brings[agent],
			func(part string) bool { return strings.Contains(strings.ToLower(d.Key+" "+d.InA+d.InB), part) }) {
			return "comes with the platform's agent " + agent
		}
	}
	if d.InA != "" && d.InB != "" {
		return "nothing in templates/ or configs/ names it: the two builds had another package archive, or start from " +
			"another base"
	}
	return "nothing in templates/ or configs/ names it: a dependency, or what the platform starts from"
}

func (l origin) says(d hybridcore.Difference) string {
	place := fmt.Sprintf("%s:%d", l.file, l.line)
	switch {
	case l.platform != "":
		return fmt.Sprintf("%s, which only %s has", place, l.platform)
	case l.guarded:
		return fmt.Sprintf("%s, in the task %q, which is guarded by platform", place, l.task)
	case d.InA != "" && d.InB != "":
		return place + " names it; its value depends on the platform there, or on the package archive"
	default:
		return place + " names it"
	}
}

// words are the texts by which a line may name the key, the best first.
func words(d hybridcore.Difference) []string {
	key := d.Key
	switch d.Category {
	case "sysctl":
		if file, name, ok := strings.Cut(key, ":"); ok {
			return []string{name, file}
		}
	case "files":
		return []string{key, path.Base(key)}
	case "units":
		name, _, _ := strings.Cut(key, ".")
		return []string{key, name}
	case "listening":
		return []string{strings.TrimPrefix(d.InA+d.InB, "process ")}
	case "certificates", "filesystems", "kernel", "os_release", "image":
		return nil
	}
	return []string{key}
}

// mentions says whether a line holds the text as a word, in any case of letters.
func mentions(line, word string) bool {
	if len(word) < 3 {
		return false
	}
	line, word = strings.ToLower(line), strings.ToLower(word)
	for at := 0; ; {
		i := strings.Index(line[at:], word)
		if i < 0 {
			return false
		}
		from, to := at+i, at+i+len(word)
		if (from == 0 || !inName(line[from-1])) && (to == len(line) || !inName(line[to])) {
			return true
		}
		at = from + 1
	}
}

func inName(c byte) bool {
	return c == '-' || c == '_' || c == '.' || c == '+' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z'
}
