// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T03:19:38Z
// Spec: openspec/specs/full-validation/spec.md#requirement-evaluation-as-in-packer
// Diagram: openspec/specs/full-validation/diagram.md#one-validation

package template_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/zclconf/go-cty/cty"

	"github.com/packer-hybrid/packer-hybrid/plugins/template"
)

func load(t *testing.T, text string, env ...string) (*template.Template, hcl.Diagnostics) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"a.pkr.hcl": text, "greet.pkrtpl.hcl": "Hello, ${name}!",
		"vars.json": `{"fromfile": "f", "both": "file"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tmpl, diags := template.Load(template.Options{
		Dir: dir, VarFiles: []string{filepath.Join(dir, "vars.json")}, Env: env,
		Version: "1.15.0",
	})
	if !diags.HasErrors() {
		diags = append(diags, tmpl.Initialize(func(*template.Data, *hcl.EvalContext) (cty.Value, hcl.Diagnostics) {
			return cty.UnknownVal(cty.Object(map[string]cty.Type{"output": cty.String})), nil
		})...)
	}
	if !diags.HasErrors() {
		diags = append(diags, tmpl.Resolve()...)
	}
	return tmpl, diags
}

const body = `
source "null" "x" { communicator = "none" }
build {
  sources = ["source.null.x"]
  provisioner "shell" { inline = [local.v] }
}
`

// value is what the first step of the template hands to its plugin.
func value(t *testing.T, tmpl *template.Template) cty.Value {
	t.Helper()
	build := tmpl.Builds[0]
	attrs, diags := build.Provisioners[0].Body.JustAttributes()
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	v, diags := attrs["inline"].Expr.Value(tmpl.StepScope(build, build.Sources[0], []string{"Made"}))
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	return template.Known(v).Index(cty.Zero)
}

func TestValues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		want cty.Value
	}{
		"a file beats the environment": {`variable "both" { type = string }
locals { v = var.both }`, cty.StringVal("file")},
		"the environment beats a default": {`variable "env" { default = "d" }
locals { v = var.env }`, cty.StringVal("e")},
		"a list from the environment": {`variable "list" { type = list(string) }
locals { v = var.list[1] }`, cty.StringVal("b")},
		"locals in any order": {`locals { v = upper(local.w) }
locals { w = "w" }`, cty.StringVal("W")},
		"a template file": {
			`locals { v = templatefile("${path.root}/greet.pkrtpl.hcl", { name = "you" }) }`,
			cty.StringVal("Hello, you!"),
		},
		"characters of a text": {`locals { v = length("äöü") }`, cty.NumberIntVal(3)},
		"a data source": {`data "null" "d" {}
locals { v = data.null.d.output }`, cty.StringVal("<unknown>")},
		"the version": {`locals { v = packer.version }`, cty.StringVal("1.15.0")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tmpl, diags := load(t, test.text+body, "PKR_VAR_both=env", "PKR_VAR_env=e", `PKR_VAR_list=["a", "b"]`)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			if got := value(t, tmpl); !got.RawEquals(test.want) {
				t.Errorf("got %#v, want %#v", got, test.want)
			}
			if doubts := tmpl.Undecided(); len(doubts) > 0 {
				t.Errorf("undecided: %v", doubts)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"a circle":            {"locals {\n v = local.w\n w = local.v\n}" + body, "needs itself"},
		"a local that is not": {`locals { v = local.none }` + body, "local.none is not declared"},
		"a variable not set":  {`variable "a" { type = string }` + "\nlocals { v = 1 }" + body, `Unset variable "a"`},
		"a condition not met": {"variable \"both\" {\n validation {\n condition = var.both == \"x\"\n error_message = " +
			"\"It must be x.\"\n }\n}\nlocals { v = 1 }" + body, "It must be x."},
		"no such source":         {strings.ReplaceAll(body, "source.null.x", "source.null.y"), "Unknown source null.y"},
		"an older Packer wanted": {"packer { required_version = \"< 1.10\" }" + body, "does not allow"},
		"a broken version": {"packer {\n required_plugins {\n x = { source = \"github.com/a/x\", version = \"new\" " +
			"}\n }\n}" + body, "Invalid version constraint"},
		"declared twice":   {"variable \"a\" { default = 1 }\nvariable \"a\" { default = 1 }" + body, "Duplicate variable"},
		"no source at all": {"build {}", "missing source reference"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, diags := load(t, test.text); !diags.HasErrors() || !strings.Contains(diags.Error()+all(diags), test.want) {
				t.Errorf("got %q, want %q", all(diags), test.want)
			}
		})
	}
}

func all(diags hcl.Diagnostics) string {
	var texts []string
	for _, d := range diags {
		texts = append(texts, d.Summary+": "+d.Detail)
	}
	return strings.Join(texts, "\n")
}

// What is not evaluated is said, and by its name.
func TestUndecided(t *testing.T) {
	t.Parallel()
	tmpl, _ := load(t, `locals { v = vault("secret/data/x", "k") }`+body+"hcp_packer_registry {}\n")
	want := []string{"a block hcp_packer_registry, which Packer checks with HCP", "a call of vault()"}
	if diff := cmp.Diff(want, tmpl.Undecided()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
