// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:21:46Z
// Spec: openspec/specs/templates/spec.md#requirement-values-reach-packer-once
// Diagram: openspec/specs/templates/diagram.md#from-the-folder-to-the-work-directory

package templates_test

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	hcljson "github.com/hashicorp/hcl/v2/json"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/hclfile"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/templates"
)

// packer finds the packer that tools/build made or that is on PATH.
func packer(t *testing.T) string {
	t.Helper()
	cache := os.Getenv("PACKER_HYBRID_CACHE")
	if cache == "" {
		dir, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		cache = filepath.Join(dir, "packer-hybrid")
	}
	path := filepath.Join(cache, "bin/packer")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	path, err := exec.LookPath("packer")
	if err != nil {
		t.Fatalf("no packer: run `make tools` (%v)", err)
	}
	return path
}

// awkward holds values that a careless quoting would change, as JSON.
func awkward(t *testing.T) map[string]string {
	t.Helper()
	plain := map[string]string{
		"quotes": `a "b" 'c'`, "backslash": `C:\x\n\\`, "interpolation": "${x} $${y} $$${z} ${",
		"directive": "%{ if true } %%{ %{",
		"lines":     "a\nb\r\n\tc\n", "unicode": "é 漢 👩 \u2028 \u00a0", "template": "{{ .Vars }} {{env `HOME`}}",
		"html":    "<a>&amp;",
		"control": "\x01\x1b[31m\x7f", "blank": "  ", "empty": "", "number": "007", "null": "null", "true": "true",
		"heredoc": "<<EOT\nx\nEOT\n",
		"dollars": "$$ %% $ %", "equal": "a=b=c", "comment": "a # b // c /* d */", "list": `["a"]`, "tail": "x${",
		"tail2": "x$",
	}
	values := map[string]string{}
	for name, text := range plain {
		encoded, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		values["s_"+name] = string(encoded)
	}
	values["l_all"] = `["a \"b\"","${x}","%{if}","","//","\\n"]`
	values["m_keys"] = `{"":"e","${k}":"v","//":"c","a b":"${v}","if":"for","quote\"d":"x"}`
	values["o_users"] = `[{"keys":["k ${x}"],"name":"op","sudo":true},{"keys":[],"name":"","sudo":false}]`
	values["n_large"], values["n_small"], values["n_negative"] = `12345678901234567890`, `0.000001`, `-42`
	values["b_false"], values["u_null"] = `false`, `null`
	return values
}

var types = map[byte]string{
	's': "string", 'l': "list(string)", 'm': "map(string)", 'n': "number", 'b': "bool", 'u': "string",
	'o': "list(object({ name = string, sudo = bool, keys = list(string) }))",
}

// What Packer sees is what was resolved, through the variable file and through
// the environment.
func TestPackerSeesTheResolvedValues(t *testing.T) {
	for _, sensitive := range []bool{false, true} {
		dir := t.TempDir()
		out := filepath.Join(dir, "out")
		var declarations, pairs strings.Builder
		var vars []hybridcore.Variable
		want := map[string]any{}
		for name, text := range awkward(t) {
			declarations.WriteString("variable \"" + name + "\" {\n  type = " + types[name[0]] + "\n")
			if sensitive {
				declarations.WriteString("  sensitive = true\n")
			}
			if text == "null" {
				declarations.WriteString("  default = null\n")
			}
			declarations.WriteString("}\n")
			pairs.WriteString(name + " = var." + name + ", ")
			vars = append(vars, hybridcore.Variable{Name: name, JSON: text, Sensitive: sensitive})
			want[name] = decode(t, text)
		}
		write(t, filepath.Join(dir, "x.pkr.hcl"), declarations.String()+`
source "null" "x" { communicator = "none" }
build {
  sources = ["source.null.x"]
  provisioner "shell-local" {
    inline = ["printf %s '${base64encode(jsonencode({`+pairs.String()+`}))}' > `+out+`"]
  }
}
`)
		write(t, filepath.Join(dir, templates.VarFileName), string(templates.VarFile(vars)))
		env, err := templates.SecretEnv(vars)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), packer(t), "build", "-color=false", "-var-file="+templates.VarFileName, ".")
		cmd.Dir = dir
		cmd.Env = append(env, "PATH="+os.Getenv("PATH"), "HOME="+dir, "TMPDIR="+dir, "CHECKPOINT_DISABLE=1")
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		encoded, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		text, err := base64.StdEncoding.DecodeString(string(encoded))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, decode(t, string(text))); diff != "" {
			t.Errorf("sensitive=%v:\n%s", sensitive, diff)
		}
	}
}

func decode(t *testing.T, text string) any {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return value
}

func TestSecretsAndValuesAreApart(t *testing.T) {
	vars := []hybridcore.Variable{
		{Name: "b", JSON: `"open"`},
		{Name: "s", JSON: `"hunter2"`, Sensitive: true},
		{Name: "a", JSON: `[1,2]`},
		{Name: "none", JSON: `null`, Sensitive: true},
		{Name: "n", JSON: `12`, Sensitive: true},
	}
	if got, want := string(templates.VarFile(vars)), "{\n  \"a\": [1,2],\n  \"b\": \"open\"\n}\n"; got != want {
		t.Errorf("file %q, want %q", got, want)
	}
	env, err := templates.SecretEnv(vars)
	if diff := cmp.Diff([]string{"PKR_VAR_n=12", "PKR_VAR_s=hunter2"}, env); diff != "" || err != nil {
		t.Errorf("%s %v", diff, err)
	}
	for _, text := range []string{`"a\u0000hunter2"`, `["hunter2`} {
		if _, err := templates.SecretEnv([]hybridcore.Variable{{Name: "s", JSON: text, Sensitive: true}}); err == nil ||
			strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error %v", err)
		}
	}
}

// Any string comes back as it was, from the file and, inside of a list, from
// the environment, by the parsers that Packer uses.
func FuzzValues(f *testing.F) {
	for _, text := range []string{
		"", `"`, `\`, "${x}", "%{x}", "$${", "\n", "é", "\x00", "a$", "$", "$$$", "\u2028",
		"{{x}}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		encoded, err := json.Marshal([]string{text})
		if err != nil {
			t.Fatal(err)
		}
		file, diags := hcljson.Parse(templates.VarFile([]hybridcore.Variable{{Name: "v", JSON: string(encoded)}}), "x.json")
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		attrs, diags := file.Body.JustAttributes()
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		fromFile, diags := attrs["v"].Expr.Value(nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		env, err := templates.SecretEnv([]hybridcore.Variable{{Name: "v", JSON: string(encoded), Sensitive: true}})
		if err != nil {
			t.Fatal(err)
		}
		expr, diags := hclsyntax.ParseExpression([]byte(strings.TrimPrefix(env[0], "PKR_VAR_v=")), "env", hcl.InitialPos)
		if diags.HasErrors() {
			t.Fatalf("%q: %v", env[0], diags)
		}
		fromEnv, diags := expr.Value(nil)
		if diags.HasErrors() {
			t.Fatal(diags)
		}
		a, errA := hclfile.CanonicalJSON(fromFile)
		b, errB := hclfile.CanonicalJSON(fromEnv)
		if a != b || errA != nil || errB != nil {
			t.Fatalf("file %s, environment %s", a, b)
		}
	})
}
