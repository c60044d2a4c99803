// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:09:02Z
// Spec: openspec/specs/state/spec.md#requirement-objects-in-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

// Command packer-hybrid-bucket keeps the objects of a state in a bucket, for a
// packer-hybrid that has started it: packer-hybrid-bucket ADDRESS, with one end of a
// stream as its standard input. It is a program of its own because the clouds' libraries
// more than double the size of packer-hybrid and the memory that it takes from its start.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"runtime/debug"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/cloud"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state/bucket/wire"
)

// memory bounds the heap, softly: an object of 64 MiB takes some times its size.
const memory = 512 << 20

func main() {
	debug.SetMemoryLimit(memory)
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, wire.Name+":", err)
		os.Exit(hybridcore.ExitCode(err))
	}
}

func run(args []string) (err error) {
	stream, err := net.FileConn(os.Stdin)
	if err != nil || len(args) != 1 {
		return hybridcore.Usagef("packer-hybrid starts this program, where its state is in a bucket")
	}
	at, err := bucket.Parse(args[0], true) // who has started it has looked at who names it
	if err != nil {
		return err
	}
	b := cloud.Open(at)
	defer func() { err = errors.Join(err, b.Close()) }()
	return wire.Serve(stream, b)
}
