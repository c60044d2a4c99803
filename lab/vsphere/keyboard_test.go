// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:40:51Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"strings"
	"testing"

	"github.com/vmware/govmomi/vim25/types"
)

func key(usage int32, shift bool) types.UsbScanCodeSpecKeyEvent {
	return types.UsbScanCodeSpecKeyEvent{
		UsbHidCode: usage<<16 | keyPage,
		Modifiers:  &types.UsbScanCodeSpecModifierType{LeftShift: &shift},
	}
}

func TestKeyText(t *testing.T) {
	on := true
	for want, e := range map[string]types.UsbScanCodeSpecKeyEvent{
		"a": key(0x04, false), "Z": key(0x1d, true), "1": key(0x1e, false), ")": key(0x27, true), "/": key(0x38, false),
		"_": key(0x2d, true), " ": key(0x2c, false), "<enter>": key(0x28, false), "<f1>": key(0x3a, false),
		"<f12>":        key(0x45, false),
		"<usage 0xff>": key(0xff, false), "<code 0x00000001>": {UsbHidCode: 1},
		"<ctrl+>c": {UsbHidCode: 0x06<<16 | keyPage, Modifiers: &types.UsbScanCodeSpecModifierType{LeftControl: &on}},
		"b":        {UsbHidCode: 0x05<<16 | keyPage},
	} {
		if got := keyText(e); got != want {
			t.Errorf("%+v is %q, want %q", e, got, want)
		}
	}
}

func FuzzKeyText(f *testing.F) {
	f.Add(int32(0x040007), true)
	f.Fuzz(func(t *testing.T, code int32, shift bool) {
		text := keyText(types.UsbScanCodeSpecKeyEvent{
			UsbHidCode: code,
			Modifiers:  &types.UsbScanCodeSpecModifierType{LeftShift: &shift},
		})
		if text == "" || (len(text) > 1 && !strings.HasPrefix(text, "<")) {
			t.Errorf("%08x is %q", code, text)
		}
	})
}
