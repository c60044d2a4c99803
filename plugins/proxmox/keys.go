// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T01:57:00Z
// Spec: openspec/specs/stand-ins/spec.md#requirement-builds-like-the-real-plugin
// Diagram: openspec/specs/stand-ins/diagram.md#a-build

package proxmox

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/hashicorp/packer-plugin-sdk/bootcommand"
	"github.com/hashicorp/packer-plugin-sdk/multistep"
	"github.com/hashicorp/packer-plugin-sdk/template/interpolate"
)

// specialKeys are QEMU's names of keys that Packer names otherwise. The real plugin has no name for <pageUp> and
// <pageDown>, so they fail there, and here.
var specialKeys = map[string]string{
	"spacebar": "spc", "bs": "backspace", "del": "delete", "return": "ret", "enter": "ret", "leftshift": "shift",
	"rightshift": "shift",
	"leftalt":    "alt", "rightalt": "alt_r", "leftctrl": "ctrl", "rightctrl": "ctrl_r", "leftsuper": "meta_l",
	"rightsuper": "meta_r",
}

// signKeys are QEMU's names of the keys, on a US keyboard, of what is no letter and no digit.
var signKeys = map[rune]string{
	' ': "spc", '.': "dot", ',': "comma", ';': "semicolon", '*': "asterisk", '-': "minus", '[': "bracket_left",
	']': "bracket_right",
	'=': "equal", '\'': "apostrophe", '`': "grave_accent", '/': "slash", '\\': "backslash",
	'!': "shift-1", '@': "shift-2", '#': "shift-3", '$': "shift-4", '%': "shift-5", '^': "shift-6", '&': "shift-7", '(': "shift-9", ')': "shift-0",
	'{': "shift-bracket_left", '}': "shift-bracket_right", '"': "shift-apostrophe", '+': "shift-equal", '_': "shift-minus",
	':': "shift-semicolon", '<': "shift-comma", '>': "shift-dot", '~': "shift-grave_accent", '?': "shift-slash", '|': "shift-backslash",
}

// typeBootCommand types what starts the installation.
func (b *build) typeBootCommand(ctx context.Context, state multistep.StateBag) error {
	if len(b.BootCommand) == 0 {
		return nil
	}
	if b.BootWait > 0 {
		b.ui.Say(fmt.Sprintf("Waiting %s for boot", b.BootWait))
		select {
		case <-time.After(b.BootWait):
		case <-ctx.Done():
			return fmt.Errorf("waiting for boot: %w", context.Cause(ctx))
		}
	}
	address := b.HTTPAddress
	if address == "0.0.0.0" || address == "" {
		var err error
		if address, err = hostAddress(b.HTTPInterface); err != nil {
			return fmt.Errorf("Failed to determine host IP: %w", err) //nolint:staticcheck // the real plugin's words
		}
	}
	state.Put("http_ip", address)
	rendering := b.ctx
	rendering.Data = map[string]any{"HTTPIP": address, "HTTPPort": state.Get("http_port")}
	b.ui.Say("Typing the boot command")
	text, err := interpolate.Render(b.FlatBootCommand(), &rendering)
	if err != nil {
		return fmt.Errorf("Error preparing boot command: %w", err) //nolint:staticcheck // the real plugin's words
	}
	keys, err := bootcommand.GenerateExpressionSequence(text)
	if err != nil {
		return fmt.Errorf("Error generating boot command: %w", err) //nolint:staticcheck // the real plugin's words
	}
	send := func(key string) error {
		return b.client.call(ctx, http.MethodPut, b.made.path()+"/sendkey", url.Values{"key": {key}}, nil)
	}
	if err := keys.Do(ctx, &keyboard{send: send, pause: b.BootKeyInterval}); err != nil {
		return fmt.Errorf("Error running boot command: %w", err) //nolint:staticcheck // the real plugin's words
	}
	return nil
}

// hostAddress is this machine's on a network card, or on the first that is not loopback.
func hostAddress(card string) (string, error) {
	addresses, err := net.InterfaceAddrs()
	if card != "" {
		var named *net.Interface
		if named, err = net.InterfaceByName(card); err == nil {
			addresses, err = named.Addrs()
		}
	}
	if err != nil {
		return "", fmt.Errorf("looking at network cards: %w", err)
	}
	for _, a := range addresses {
		if network, ok := a.(*net.IPNet); ok && !network.IP.IsLoopback() && network.IP.To4() != nil {
			return network.IP.String(), nil
		}
	}
	return "", errors.New("no host IP found; set http_bind_address")
}

// keyboard types on the machine's console, a call for each key.
type keyboard struct {
	send  func(key string) error
	pause time.Duration
	held  []string
}

// SendKey types a sign.
func (k *keyboard) SendKey(sign rune, action bootcommand.KeyAction) error {
	name := string(sign)
	if action == bootcommand.KeyPress {
		if special, ok := signKeys[sign]; ok {
			name = special
		} else if unicode.IsUpper(sign) {
			name = "shift-" + string(unicode.ToLower(sign))
		}
	}
	return k.press(name, action)
}

// SendSpecial types a key that has a name.
func (k *keyboard) SendSpecial(name string, action bootcommand.KeyAction) error {
	if other, ok := specialKeys[name]; ok {
		name = other
	}
	return k.press(name, action)
}

// Flush has nothing to do: keys are sent at once.
func (*keyboard) Flush() error { return nil }

func (k *keyboard) press(name string, action bootcommand.KeyAction) error {
	switch action {
	case bootcommand.KeyOn:
		if !slices.Contains(k.held, name) {
			k.held = append(k.held, name)
		}
		return nil
	case bootcommand.KeyOff:
		k.held = slices.DeleteFunc(k.held, func(h string) bool { return h == name })
		return nil
	}
	if err := k.send(strings.Join(append(slices.Clone(k.held), name), "-")); err != nil {
		return err
	}
	time.Sleep(k.pause)
	return nil
}
