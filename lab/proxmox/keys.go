// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:24:49Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-life-of-a-virtual-machine
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"net/http"
	"regexp"
	"strings"
)

// keyPattern is what a key looks like: a QEMU key name behind modifiers, as in ctrl-alt-delete.
var keyPattern = regexp.MustCompile(`^[a-z0-9_]+(-[a-z0-9_]+)*$`)

// characters are the names of QEMU (ui/keymaps, QKeyCode) for keys that type something, without and with shift.
var characters = map[string][2]string{
	"spc": {" ", " "}, "minus": {"-", "_"}, "equal": {"=", "+"}, "bracket_left": {"[", "{"}, "bracket_right": {"]", "}"},
	"semicolon": {";", ":"}, "apostrophe": {"'", `"`}, "grave_accent": {"`", "~"}, "backslash": {`\`, "|"},
	"comma": {",", "<"}, "dot": {".", ">"}, "slash": {"/", "?"},
	"1": {"1", "!"}, "2": {"2", "@"}, "3": {"3", "#"}, "4": {"4", "$"}, "5": {"5", "%"},
	"6": {"6", "^"}, "7": {"7", "&"}, "8": {"8", "*"}, "9": {"9", "("}, "0": {"0", ")"},
}

// specials are keys that boot commands name otherwise than QEMU.
var specials = map[string]string{"ret": "enter", "backspace": "bs", "delete": "del", "pgup": "pageUp", "pgdn": "pageDown"}

// sendKey answers PUT sendkey: the key is remembered.
func (s *store) sendKey(r *http.Request, p params) (any, error) {
	key := p.get("key")
	if !keyPattern.MatchString(key) {
		return nil, invalid("key", "value does not match the regex pattern")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.find(r)
	if err != nil {
		return nil, err
	}
	if !v.running {
		return nil, refuse("VM %d not running", v.id)
	}
	v.typed.WriteString(keyText(key))
	return nil, nil
}

// keyText is one key as text: the character, or <name> as boot commands have it.
func keyText(key string) string {
	words := strings.Split(key, "-")
	name := words[len(words)-1]
	shift, prefix := false, ""
	for _, modifier := range words[:len(words)-1] {
		if modifier == "shift" {
			shift = true
			continue
		}
		prefix += "<" + modifier + "+>"
	}
	if pair, ok := characters[name]; ok {
		if shift {
			return prefix + pair[1]
		}
		return prefix + pair[0]
	}
	if len(name) == 1 {
		if shift {
			name = strings.ToUpper(name)
		}
		return prefix + name
	}
	if other, ok := specials[name]; ok {
		name = other
	}
	if shift {
		prefix += "<shift+>"
	}
	return prefix + "<" + name + ">"
}
