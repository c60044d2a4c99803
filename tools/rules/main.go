// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:32:00Z
// Spec: openspec/specs/repository/spec.md#requirement-measures-of-the-house
// Diagram: openspec/specs/repository/diagram.md#from-change-to-green

// Command rules says how far the tree keeps the measures of its layout. The test of
// the root holds them, and all other rules.
//
//	go run ./tools/rules          what is over a measure
//	go run ./tools/rules -table   the table of CONTRIBUTING.md
package main

import (
	"flag"
	"fmt"
	"os"

	rules "github.com/packer-hybrid/packer-hybrid/tools/treerules"
)

func main() {
	table := flag.Bool("table", false, "print the table of measures")
	flag.Parse()
	tree, err := rules.Load(".")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	rows := rules.House(tree, rules.Measures())
	if *table {
		fmt.Print(rules.Table(rows))
		return
	}
	problems := rules.Problems(rows)
	for _, p := range problems {
		fmt.Println(p)
	}
	if len(problems) > 0 {
		os.Exit(1)
	}
}
