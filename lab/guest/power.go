// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:05Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-life-cycle
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// initctl is the named pipe on which System V init takes requests. systemctl, which is what shutdown,
// poweroff, halt and reboot are in Debian, falls back to it when systemd is not pid 1.
const initctl = "/run/initctl"

// Layout of struct init_request (initreq.h of sysvinit, and systemd's talk_initctl): magic, command,
// run level and a sleep time as 32-bit integers, the rest is not used here.
const (
	initRequestSize  = 384
	initRequestMagic = 0x03091969
	initSetRunlevel  = 1
)

// Signals by which systemd as pid 1 takes the same requests (systemd(1): SIGRTMIN+4, SIGRTMIN+5).
const (
	signalPowerOff = syscall.Signal(34 + 4)
	signalReboot   = syscall.Signal(34 + 5)
)

// listenForPowerRequests calls end when a program of the guest asks pid 1, in one of the ways that there are, to end
// the system.
func listenForPowerRequests(end func(Ending)) error {
	if err := unix.Mkfifo(initctl, 0o600); err != nil {
		return fmt.Errorf("making %s: %w", initctl, err)
	}
	pipe, err := os.OpenFile(initctl, os.O_RDWR, 0) // also open for writing: no end of file between requests
	if err != nil {
		return fmt.Errorf("opening %s: %w", initctl, err)
	}
	go func() {
		request := make([]byte, initRequestSize)
		for {
			if _, err := io.ReadFull(pipe, request); err != nil {
				return
			}
			if ending, ok := parseInitRequest(request); ok {
				end(ending)
			}
		}
	}()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, signalPowerOff, signalReboot)
	go func() {
		for sig := range signals {
			if sig == signalReboot {
				end(Rebooting)
			} else {
				end(PoweredOff)
			}
		}
	}()
	return nil
}

// parseInitRequest reads a request to change the run level: 0 powers off, 6 reboots, others say nothing.
func parseInitRequest(request []byte) (Ending, bool) {
	if len(request) < 16 || binary.LittleEndian.Uint32(request) != initRequestMagic ||
		binary.LittleEndian.Uint32(request[4:]) != initSetRunlevel {
		return "", false
	}
	switch binary.LittleEndian.Uint32(request[8:]) {
	case '0':
		return PoweredOff, true
	case '6':
		return Rebooting, true
	}
	return "", false
}
