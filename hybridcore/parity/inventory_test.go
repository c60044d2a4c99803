// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:02:14Z
// Spec: openspec/specs/parity/spec.md#requirement-reading-an-inventory
// Diagram: openspec/specs/parity/diagram.md#from-guest-to-record

package parity

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const valid = `{"format":1,"errors":[{"section":"sshd","message":"x"}],"packages":[{"name":"curl","version":"7.88","architecture":"amd64","manager":"dpkg"}]}`

// second is a document of format 2 with a section that nothing here knows.
const second = `{"format":2,"system":"linux","errors":[{"section":"sshd","message":"x"}],"sections":{"flags":{"a":1},` +
	`"packages":[{"name":"curl","version":"7.88","architecture":"amd64","manager":"dpkg"}]}}`

// secondOf is a document of format 1 in format 2, as inventory.py writes it.
func secondOf(t *testing.T, data []byte) []byte {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(data, &fields); err != nil {
		t.Fatal(err)
	}
	document := map[string]any{
		"format": 2, "system": "linux", "errors": fields["errors"],
		"transient": fields["transient"],
	}
	for name := range document {
		delete(fields, name)
	}
	document["sections"] = fields
	data, err := json.MarshalIndent(document, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// canonical is a document as inventory.py writes it.
const canonical = "{\n \"errors\": [],\n \"format\": 1,\n \"packages\": [\n" +
	"  {\n   \"architecture\": \"amd64\",\n   \"manager\": \"dpkg\",\n   \"name\": \"curl\",\n   \"version\": " +
	"\"7.88\"\n  }" +
	"\n ]\n}\n"

func TestParse(t *testing.T) {
	inv, err := Parse([]byte(valid))
	if err != nil {
		t.Fatal(err)
	}
	if len(inv.Packages) != 1 || inv.Packages[0].Name != "curl" || len(inv.Errors) != 1 {
		t.Errorf("got %+v", inv)
	}
}

func TestParseRefuses(t *testing.T) {
	many := ""
	for i := range maxSections {
		many += fmt.Sprintf(`"s%d":1,`, i)
	}
	tests := []struct{ name, text, want string }{
		{"empty", "", "EOF"},
		{"truncated", valid[:len(valid)-20], "unexpected EOF"},
		{"trailing", valid + "{}", "after top-level value"},
		{"newer", strings.Replace(valid, `"format":1`, `"format":4`, 1), "format 4, this version reads 1 to 3"},
		{
			"sections of format 1", strings.Replace(valid, `"format":1`, `"format":2,"system":"linux"`, 1),
			`unknown field "packages"`,
		},
		{"sections of format 2", strings.Replace(second, `"format":2`, `"format":1`, 1), `unknown field "se`},
		{"no system", strings.Replace(second, "linux", "", 1), `"" is no operating system`},
		{"unknown field", strings.Replace(second, `"errors"`, `"secrets":1,"errors"`, 1), `unknown field "secrets"`},
		{"name of a section", strings.Replace(second, `"flags"`, `"Flags\u001b[0m"`, 1), "is no name of a section"},
		{
			"name in an error", strings.Replace(second, `"section":"sshd"`, `"section":"::error::"`, 1),
			"is no name of a section",
		},
		{"unknown field of a package", strings.Replace(second, `"manager"`, `"secret"`, 1), "unknown object member"},
		{"no packages in format 2", `{"format":2,"system":"linux","errors":[],"sections":{}}`, "lists no package"},
		{
			"too many sections", `{"format":2,"system":"linux","errors":[],"sections":{` + many + `"z":1}}`,
			"more than 100 sections",
		},
		{"no packages", `{"format":1,"packages":[]}`, "lists no package"},
		{"null package", `{"format":1,"packages":[null]}`, "package 1 has no name"},
		{"unknown section of format 1", `{"format":1,"secrets":1}`, "unknown field"},
		{"null", "null", "format 0"},
		{"a name twice", strings.Replace(valid, `"format":1`, `"format":1,"format":1`, 1), "duplicate"},
		{"no UTF-8", strings.Replace(valid, "curl", "c\xffrl", 1), "invalid UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Parse([]byte(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want it to contain %q", err, tt.want)
			}
		})
	}
}

// normal reads and normalises a document.
func normal(t *testing.T, data []byte) Normal {
	t.Helper()
	inv, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	n, err := Normalise(inv)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// What a guest said in format 1 is what it says in format 2.
func TestFormatsAreEqual(t *testing.T) {
	for _, name := range []string{"vsphere", "vsphere-again"} {
		data, err := os.ReadFile("testdata/" + name + ".json")
		if err != nil {
			t.Fatal(err)
		}
		first, now := normal(t, data), normal(t, secondOf(t, data))
		if changes := Against(first, now); len(changes) > 0 || len(now.sections["kernel"]) == 0 {
			t.Errorf("%s: the formats differ: %+v", name, changes)
		}
	}
}

// A section that nothing here knows is compared, entry by entry.
func TestUnknownSectionIsCompared(t *testing.T) {
	of := func(system, sections, errs string) Normal {
		return normal(t, []byte(`{"format":2,"system":"`+system+`","errors":[`+errs+
			`],"sections":{"packages":[{"name":"a","version":"1"}]`+sections+`}}`))
	}
	unread := `{"section":"features","message":"no answer"}`
	for name, tt := range map[string]struct {
		old, now Normal
		want     []string // "CATEGORY KEY WAS → NOW", of what is no known section
	}{
		"equal": {
			of("windows", `,"features":{"b":2,"a":1}`, ""), of("windows", `,"features":{"a":1,"b":2}`, ""),
			nil,
		},
		"a member": {
			of("windows", `,"features":{"smb":"on","a":[1,2]}`, ""),
			of("windows", `,"features":{"smb":"off","a":[2,1]}`, ""),
			[]string{"features a [1,2] → [2,1]", "features smb on → off"},
		},
		"a list": {
			of("linux", `,"flags":["b","a"]`, ""), of("linux", `,"flags":["a","c"]`, ""),
			[]string{"flags b listed → ", "flags c  → listed"},
		},
		"a list by name": {
			of("linux", `,"flags":[{"name":"x","v":1}]`, ""),
			of("linux", `,"flags":[{"v":2,"name":"x"}]`, ""),
			[]string{`flags x {"name":"x","v":1} → {"name":"x","v":2}`},
		},
		"a number": {
			of("linux", `,"flags":9007199254740993`, ""), of("linux", `,"flags":9007199254740992`, ""),
			[]string{"flags value 9007199254740993 → 9007199254740992"},
		},
		"only in one": {of("linux", `,"flags":{"a":1}`, ""), of("linux", ``, ""), []string{"flags a 1 → "}},
		"not read": {
			of("windows", `,"features":{"a":1}`, ""), of("windows", `,"features":null`, unread),
			[]string{"features (section) read → not read: no answer"},
		},
		"known elsewhere": {
			of("windows", `,"units":{"a":"x"}`, ""), of("windows", `,"units":{"a":"y"}`, ""),
			[]string{"units a x → y"},
		},
		"not of its kind": {of("windows", ``, ""), of("windows", ``, ""), nil},
		"two, by the name": {
			of("linux", `,"zz":{"a":1},"aa":{"a":1}`, ""), of("linux", `,"zz":{"a":2},"aa":{"a":2}`, ""),
			[]string{"aa a 1 → 2", "zz a 1 → 2"},
		},
	} {
		var got []string
		for _, c := range Against(tt.old, tt.now) {
			if c.Was != "not read: the inventory does not have it" {
				got = append(got, c.Category+" "+c.Key+" "+c.Was+" → "+c.Now)
			}
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		for _, row := range sections {
			_, gap := tt.old.unread[row.name]
			if windows := strings.Contains(name, "not of its kind"); windows &&
				gap != (row.read != nil && len(row.systems) == 0) {
				t.Errorf("%s: a section of Linux is missed in Windows: %s", name, row.name)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(valid))
	f.Add([]byte(canonical))
	f.Add([]byte(second))
	f.Add([]byte("{\n \"errors\": [],\n \"format\": 2,\n \"sections\": {\n  \"packages\": [\n   {\n    " +
		"\"architecture\": \"a\",\n    \"manager\": \"m\"," +
		"\n    \"name\": \"n\",\n    \"version\": \"1\"\n   }\n  ]\n },\n \"system\": \"linux\"\n}\n"))
	f.Add([]byte(`{"image":{` + strings.TrimPrefix(canonical, "{") + `}`))
	f.Add([]byte(strings.Replace(canonical, "amd64", `a\u0041`, 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		inv, err := Parse(data)
		slow, slowErr := decode(data)
		if slowErr == nil {
			slow, slowErr = checked(slow)
		}
		if (err == nil) != (slowErr == nil) {
			t.Fatalf("one reader accepts what the other refuses: %v, %v", err, slowErr)
		}
		if diff := cmp.Diff(slow, inv); err == nil && diff != "" {
			t.Errorf("the readers differ: %s", diff)
		}
	})
}
