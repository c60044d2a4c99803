// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"fmt"
	"strings"
	"sync"

	"github.com/vmware/govmomi/vim25/types"
)

// keyboard remembers what was typed to each virtual machine.
type keyboard struct {
	mu    sync.Mutex
	typed map[string]*strings.Builder
}

func newKeyboard() *keyboard { return &keyboard{typed: make(map[string]*strings.Builder)} }

// record appends key presses in the notation of Packer's boot commands.
func (k *keyboard) record(ref string, events []types.UsbScanCodeSpecKeyEvent) {
	k.mu.Lock()
	defer k.mu.Unlock()
	text, ok := k.typed[ref]
	if !ok {
		text = &strings.Builder{}
		k.typed[ref] = text
	}
	for _, e := range events {
		text.WriteString(keyText(e))
	}
}

// text returns what was typed to a virtual machine.
func (k *keyboard) text(ref string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if text, ok := k.typed[ref]; ok {
		return text.String()
	}
	return ""
}

// keyPage is the low half of a USB scan code: the keyboard's usage page (USB HID Usage Tables 1.12, page 0x07).
const keyPage = 7

// Usage numbers of the ranges of page 0x07 that are computed rather than listed.
const (
	usageA  = 0x04
	usageZ  = 0x1d
	usage1  = 0x1e
	usage0  = 0x27
	usageF1 = 0x3a
	usage12 = 0x45
)

// keyNames are the keys of page 0x07 that type no character, as boot commands name them.
var keyNames = map[int32]string{
	0x28: "enter", 0x29: "esc", 0x2a: "bs", 0x2b: "tab", 0x2c: "spacebar", 0x49: "insert", 0x4a: "home", 0x4b: "pageUp",
	0x4c: "del", 0x4d: "end", 0x4e: "pageDown", 0x4f: "right", 0x50: "left", 0x51: "down", 0x52: "up", 0x65: "menu",
	0xe0: "leftCtrl", 0xe1: "leftShift", 0xe2: "leftAlt", 0xe3: "leftSuper", 0xe4: "rightCtrl", 0xe5: "rightShift",
	0xe6: "rightAlt", 0xe7: "rightSuper",
}

// Characters of a US keyboard, without and with shift.
const (
	digits        = "1234567890"
	shiftedDigits = "!@#$%^&*()"
)

var punctuation = map[int32][2]string{
	0x2c: {" ", " "}, 0x2d: {"-", "_"}, 0x2e: {"=", "+"}, 0x2f: {"[", "{"}, 0x30: {"]", "}"}, 0x31: {`\`, "|"},
	0x33: {";", ":"}, 0x34: {"'", `"`}, 0x35: {"`", "~"}, 0x36: {",", "<"}, 0x37: {".", ">"}, 0x38: {"/", "?"},
}

// keyText is one key press as text: the character, <name> of a key, or <usage 0x..> of an unknown one.
func keyText(e types.UsbScanCodeSpecKeyEvent) string {
	if e.UsbHidCode&0xffff != keyPage {
		return fmt.Sprintf("<code 0x%08x>", uint32(e.UsbHidCode))
	}
	usage := e.UsbHidCode >> 16
	var shift bool
	var prefix string
	if m := e.Modifiers; m != nil {
		shift = isSet(m.LeftShift) || isSet(m.RightShift)
		if isSet(m.LeftControl) || isSet(m.RightControl) {
			prefix += "<ctrl+>"
		}
		if isSet(m.LeftAlt) || isSet(m.RightAlt) {
			prefix += "<alt+>"
		}
	}
	return prefix + usageText(usage, shift)
}

func usageText(usage int32, shift bool) string {
	pick := func(plain, shifted string) string {
		if shift {
			return shifted
		}
		return plain
	}
	switch {
	case usage >= usageA && usage <= usageZ:
		return pick(string('a'+usage-usageA), string('A'+usage-usageA))
	case usage >= usage1 && usage <= usage0:
		return pick(digits[usage-usage1:][:1], shiftedDigits[usage-usage1:][:1])
	case usage >= usageF1 && usage <= usage12:
		return fmt.Sprintf("<f%d>", usage-usageF1+1)
	}
	if keys, ok := punctuation[usage]; ok {
		return pick(keys[0], keys[1])
	}
	if name, ok := keyNames[usage]; ok {
		return "<" + name + ">"
	}
	return fmt.Sprintf("<usage 0x%02x>", uint32(usage))
}

func isSet(b *bool) bool { return b != nil && *b }
