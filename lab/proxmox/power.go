// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:22:53Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-guest-address
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// reportedNetwork is where the addresses are that agents report. It is set aside for measurements
// (RFC 2544) and leads nowhere: a client that does not use the proxy reaches nobody.
const reportedNetwork = "198.18.0.0/15"

// agentPatience is how long a call waits for the agent of a guest that boots, which answers when it is up.
const agentPatience = 5 * time.Second

// reportedAddress is the n-th address that an agent reports, counted from 1.
func reportedAddress(n int) netip.Prefix {
	network := netip.MustParsePrefix(reportedNetwork)
	address := network.Addr()
	for range n {
		address = address.Next()
	}
	return netip.PrefixFrom(address, network.Bits())
}

// powerAPI starts and ends guests, and asks their agents.
type powerAPI struct {
	store    *store
	tasks    *tasks
	hardware Hardware
}

// start answers POST status/start. A running machine stays as it is.
func (a *powerAPI) start(r *http.Request, _ params) (any, error) {
	a.store.mu.Lock()
	v, err := a.store.change(r)
	switch {
	case err != nil:
	case v.template():
		err = refuse("you can't start a vm if it's a template")
	case v.running:
		err = refuse("VM %d already running", v.id)
	}
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return a.tasks.run(r, job{kind: "qmstart", id: strconv.Itoa(v.id), do: func() error { return a.powerOn(v) }})
}

// powerOn boots a machine's guest.
func (a *powerAPI) powerOn(v *vm) error {
	a.store.mu.Lock()
	if a.store.vms[v.id] != v || v.running {
		a.store.mu.Unlock()
		return refuse("VM %d already running", v.id)
	}
	v.event++
	event, up := v.event, make(chan struct{})
	v.running, v.up, v.address = true, up, ""
	if v.reported == "" {
		a.store.started++
		v.reported = reportedAddress(a.store.started).String()
	}
	boot := v.boot()
	a.store.mu.Unlock()
	a.hardware.Machine(v.ref()).PowerOn(boot,
		func(address string) {
			a.store.mu.Lock()
			defer a.store.mu.Unlock()
			if v.event == event {
				v.address = address
				close(up)
			}
		},
		func() { a.store.ended(v, event) })
	return nil
}

// boot says how the machine boots. The caller holds a.store.mu.
func (v *vm) boot() Boot {
	b := Boot{Name: v.settings["name"]}
	for _, volume := range v.volumes() {
		b.CloudInit = b.CloudInit || strings.HasSuffix(volume, "-cloudinit")
	}
	if !b.CloudInit {
		return b
	}
	b.Account = Account{User: v.settings["ciuser"], Password: v.settings["cipassword"]}
	if keys, err := url.PathUnescape(v.settings["sshkeys"]); err == nil { // checked when it was set
		for line := range strings.Lines(keys) {
			if line = strings.TrimSpace(line); line != "" {
				b.Account.Keys = append(b.Account.Keys, line)
			}
		}
	}
	return b
}

// shutdown answers POST status/shutdown.
func (a *powerAPI) shutdown(r *http.Request, _ params) (any, error) {
	return a.powerDown(r, "qmshutdown", Machine.Shutdown)
}

// stop answers POST status/stop.
func (a *powerAPI) stop(r *http.Request, _ params) (any, error) {
	return a.powerDown(r, "qmstop", Machine.PowerOff)
}

// powerDown ends a guest. A machine that is off stays so, and the task ends well.
func (a *powerAPI) powerDown(r *http.Request, kind string, end func(Machine)) (any, error) {
	a.store.mu.Lock()
	v, err := a.store.find(r)
	a.store.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return a.tasks.run(r, job{kind: kind, id: strconv.Itoa(v.id), do: func() error {
		a.store.mu.Lock()
		running, event := v.running, v.event
		a.store.mu.Unlock()
		if running {
			end(a.hardware.Machine(v.ref()))
			a.store.ended(v, event)
		}
		return nil
	}})
}

// macAddress is the address in a network card's value.
var macAddress = regexp.MustCompile(`(?i)([0-9a-f]{2}:){5}[0-9a-f]{2}`)

// agentInterfaces answers GET agent/network-get-interfaces. It waits a moment for a guest that boots: the
// plugin looks again only after seconds.
func (a *powerAPI) agentInterfaces(r *http.Request, _ params) (any, error) {
	a.store.mu.Lock()
	v, err := a.store.find(r)
	if err != nil {
		a.store.mu.Unlock()
		return nil, err
	}
	running, up, agent, reported := v.running, v.up, v.settings["agent"], v.reported
	network, mac := v.settings["net0"] != "", strings.ToLower(macAddress.FindString(v.settings["net0"]))
	a.store.mu.Unlock()
	enabled, _, _ := strings.Cut(strings.TrimPrefix(agent, "enabled="), ",")
	switch {
	case !running:
		return nil, refuse("VM %d is not running", v.id)
	case enabled != "1":
		return nil, refuse("No QEMU guest agent configured")
	}
	select {
	case <-up:
	case <-time.After(agentPatience):
		return nil, refuse("QEMU guest agent is not running")
	case <-a.tasks.ctx.Done():
		return nil, refuse("QEMU guest agent is not running")
	case <-r.Context().Done():
		return nil, refuse("the caller has gone")
	}
	loopback := agentInterface("lo", "00:00:00:00:00:00", "127.0.0.1/8", "::1/128")
	if !network {
		return map[string]any{"result": []any{loopback}}, nil
	}
	card := agentInterface("eth0", mac, reported)
	return map[string]any{"result": []any{loopback, card}}, nil
}

// agentInterface is one interface as the guest's agent tells.
func agentInterface(name, mac string, prefixes ...string) map[string]any {
	addresses := []any{}
	for _, text := range prefixes {
		p := netip.MustParsePrefix(text)
		kind := "ipv4"
		if p.Addr().Is6() {
			kind = "ipv6"
		}
		addresses = append(addresses,
			map[string]any{"ip-address": p.Addr().String(), "ip-address-type": kind, "prefix": p.Bits()})
	}
	counters := make(map[string]int)
	for _, counter := range []string{"bytes", "dropped", "errs", "packets"} {
		counters["rx-"+counter], counters["tx-"+counter] = 0, 0
	}
	return map[string]any{"name": name, "hardware-address": mac, "ip-addresses": addresses, "statistics": counters}
}
