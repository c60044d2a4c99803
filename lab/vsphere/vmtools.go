// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:29:05Z
// Spec: openspec/specs/lab/spec.md#requirement-simulated-vcenter
// Diagram: openspec/specs/lab/diagram.md#parts

package vsphere

import (
	"errors"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"

	"github.com/packer-hybrid/packer-hybrid/lab/guest"
)

// errNoNetworkCard explains an address that cannot be reported.
var errNoNetworkCard = errors.New("it has no network card")

// loopbackPrefix is the prefix length of the guests' addresses.
const loopbackPrefix = 8

// toolsReport is what VMware Tools reports about a guest: clients such as Packer's plugin wait for the
// addresses of guest.net, not for guest.ipAddress. Without an address it is the report of a guest that is off.
func toolsReport(vm *simulator.VirtualMachine, name, address string) ([]types.PropertyChange, error) {
	if address == "" {
		return []types.PropertyChange{
			{Name: "guest.net", Val: []types.GuestNicInfo{}},
			{Name: "guest.ipAddress", Val: ""},
			{Name: "guest.guestState", Val: string(types.VirtualMachineGuestStateNotRunning)},
			{Name: "guest.toolsStatus", Val: types.VirtualMachineToolsStatusToolsNotRunning},
			{Name: "guest.toolsRunningStatus", Val: string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)},
			{Name: "summary.guest.ipAddress", Val: ""},
		}, nil
	}
	changes := []types.PropertyChange{
		{Name: "guest.hostName", Val: guest.Hostname(name)},
		{Name: "guest.guestState", Val: string(types.VirtualMachineGuestStateRunning)},
		{Name: "guest.toolsStatus", Val: types.VirtualMachineToolsStatusToolsOk},
		{Name: "guest.toolsRunningStatus", Val: string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)},
		{Name: "guest.ipAddress", Val: address},
		{Name: "summary.guest.ipAddress", Val: address},
	}
	nics := nicReports(vm, address)
	if len(nics) == 0 {
		return changes, errNoNetworkCard
	}
	return append(changes, types.PropertyChange{Name: "guest.net", Val: nics}), nil
}

// nicReports reports the address for every network card: clients wait until each has one.
func nicReports(vm *simulator.VirtualMachine, address string) []types.GuestNicInfo {
	var reports []types.GuestNicInfo
	for _, device := range vm.Config.Hardware.Device {
		card, ok := device.(types.BaseVirtualEthernetCard)
		if !ok {
			continue
		}
		nic := card.GetVirtualEthernetCard()
		network := ""
		if info := nic.DeviceInfo; info != nil {
			network = info.GetDescription().Summary
		}
		reports = append(reports, types.GuestNicInfo{
			Network: network, MacAddress: nic.MacAddress, Connected: true, DeviceConfigId: nic.Key,
			IpAddress: []string{address},
			IpConfig: &types.NetIpConfigInfo{IpAddress: []types.NetIpConfigInfoIpAddress{{
				IpAddress: address, PrefixLength: loopbackPrefix, State: string(types.NetIpConfigInfoIpAddressStatusPreferred),
			}}},
		})
	}
	return reports
}
