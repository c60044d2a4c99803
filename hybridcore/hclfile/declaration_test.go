// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:12:16Z
// Spec: openspec/specs/hclfile/spec.md#requirement-variable-declarations
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

package hclfile_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
)

func TestDeclarations(t *testing.T) {
	file := parse(t, `
variable "memory" {
  type        = number
  description = "MiB."
  default     = "2048"
}
variable "password" {
  type      = string
  sensitive = true
}
variable "users" {
  type    = list(object({ name = string, keys = list(string) }))
  default = [{ name = "a", keys = [] }]
  validation {
    condition     = length(var.users) > 0
    error_message = "At least one."
  }
}
variable "host" {
  type    = string
  default = null
}
variable "guess" { default = true }
variable "anything" {}
`)
	declarations, findings := file.Declarations()
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	var got []string
	for _, d := range declarations {
		text := d.Name + " " + d.TypeName()
		if d.Default != nil {
			text += " = " + d.Default.JSON
		}
		if d.Sensitive {
			text += " sensitive"
		}
		got = append(got, text+" "+d.Description)
	}
	want := []string{
		"memory number = 2048 MiB.", "password string sensitive ",
		`users list(object({keys=list(string),name=string})) = [{"keys":[],"name":"a"}] `,
		"host string = null ", "guess bool = true ", "anything any ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if declarations[1].Line != 7 || declarations[1].File != "vars/x.pkrvars.hcl" {
		t.Errorf("place %s:%d", declarations[1].File, declarations[1].Line)
	}
}

func TestDeclarationsRefuse(t *testing.T) {
	tests := map[string]struct{ text, want string }{
		"function default": {`variable "x" { default = env("HOME") }`, "a call of the function env"},
		"local default":    {`variable "x" { default = "${local.a}" }`, "a template sequence"},
		"mistyped": {
			"variable \"x\" {\n type = number\n default = \"a\"\n}",
			"does not fit its type number: a number is required",
		},
		"mistyped inside": {
			"variable \"x\" {\n type = list(object({a=bool}))\n default = [{a=true},{a=\"z\"}]\n}",
			"at [1].a: a bool is required",
		},
		"unknown setting": {`variable "x" { sensitve = true }`, `did you mean "sensitive"?`},
		"unknown type":    {`variable "x" { type = strin }`, "Invalid type specification"},
		"any":             {`variable "x" { type = any }`, "Invalid type specification"},
		"no name":         {`variable { type = string }`, "needs one name"},
		"bad name":        {`variable "a b" { type = string }`, "needs one name"},
		"reserved":        {`variable "variable" { type = string }`, "needs one name"},
		"short form":      {`variables { a = 1 }`, `the short form "variables"`},
		"odd block":       {"variable \"x\" {\n  foo {}\n}", `a variable has no block "foo"`},
		"odd sensitive":   {`variable "x" { sensitive = "yes" }`, "this setting must be a bool"},
		"odd description": {`variable "x" { description = null }`, "this setting must be a string"},
		"deep type": {`variable "x" { type = ` + strings.Repeat("list(", 60) + "string" + strings.Repeat(")", 60) +
			" }", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			file, err := hclfile.Parse([]byte(test.text+"\n"), "c.pkr.hcl", hclfile.Template())
			if err != nil {
				t.Fatal(err)
			}
			_, findings := file.Declarations()
			if test.want == "" {
				if len(findings) > 0 {
					t.Fatal(findings)
				}
				return
			}
			if len(findings) != 1 || !strings.Contains(findings[0].Message, test.want) || !findings[0].Blocking ||
				findings[0].Line == 0 {
				t.Errorf("findings %v, want %q", findings, test.want)
			}
		})
	}
}
