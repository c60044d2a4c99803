// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T00:50:30Z
// Spec: openspec/specs/logs/spec.md#requirement-documents-stay-documents
// Diagram: openspec/specs/logs/diagram.md#documents

package redact_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/logs/redact"
)

// oddSecrets are values that mean something in a document. Those with less than 6 characters are not masked.
var oddSecrets = []string{
	"1", "true", "null", "{", `"`, `\`, "id", "12345678", "3456", "345678", "truetrue", "nullnull", "{{{{{{{{", `""""""""`,
	`\\\\\\\\`, "idididid",
	`","name":"`, `":12345678`, "nabcdefg", "u00e4bcd", "<failure", "&amp;&amp;", "]]>]]>]]", "12345678,", "false,",
	"targets", `{"a":1,"b"`, "sensitive", "<sensitive>",
	"é漢字とても長", "\u202e\u202e\u202e\u202e\u202e\u202e", "secret: of a test", "e+10e+10", "-12345678",
}

// odd is a document with a value in every place in which one may be.
func odd(value string) any {
	return map[string]any{
		"duration_ns": 12345678, "negative": -12345678, "size": 1.5e300,
		"targets": []any{value, true, false, nil, "x" + value + "y", []any{value, 12345678}},
		"inner":   map[string]any{value: 1, "x" + value: nil, "name": value, "id": value},
		"lines":   "\nabcdefg " + value + "\n\u00e4bcd", "empty": "", "n": json.Number("345678"),
		"status": "truetrue nullnull", "false": false,
	}
}

// Kind is a document without its texts.
func Kind(value any) any {
	switch v := value.(type) {
	case string:
		return ""
	case []any:
		all := []any{}
		for _, one := range v {
			all = append(all, Kind(one))
		}
		return all
	case map[string]any:
		all := []any{len(v)}
		for _, name := range []string{"duration_ns", "negative", "size", "n", "false", "empty"} {
			all = append(all, Kind(v[name]))
		}
		return all
	}
	return value
}

func decoded(t *testing.T, text []byte) any {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		t.Errorf("more than one document: %s", text)
	}
	return value
}

func TestJSONStaysJSON(t *testing.T) {
	t.Parallel()
	for _, secret := range oddSecrets {
		r, _ := redact.New(redact.Secret{Name: "PASSWORD", Value: secret})
		for _, indent := range []string{"", "  "} {
			text, err := json.MarshalIndent(odd(secret), "", indent)
			if err != nil {
				t.Fatal(err)
			}
			out := r.JSON(text)
			got, want := decoded(t, out), decoded(t, text)
			if !reflect.DeepEqual(Kind(got), Kind(want)) {
				t.Errorf("%q: %s", secret, out)
			}
			masked := len([]rune(secret)) >= redact.MinSecret
			if marked := bytes.Contains(out, []byte("<sensitive:PASSWORD>")); marked != masked {
				t.Errorf("%q: marked %v: %s", secret, marked, out)
			}
			if inner, ok := got.(map[string]any)["inner"].(map[string]any); ok && masked &&
				(inner["name"] != "<sensitive:PASSWORD>" || inner["id"] != "<sensitive:PASSWORD>") {
				t.Errorf("%q: %s", secret, out)
			}
		}
	}
}

func TestJSONKnowsCredentialsByTheirName(t *testing.T) {
	t.Parallel()
	r, _ := redact.New()
	const key = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEYxx"
	out := r.JSON([]byte(`{"aws_secret_access_key": "` + key + `", "other": "` + key + `"}`))
	if bytes.Count(out, []byte(key)) != 1 || !bytes.Contains(out, []byte(`"aws_secret_access_key": "<sensitive:`)) {
		t.Errorf("%s", out)
	}
	for _, text := range []string{"", "{", `{"a":`, "no JSON", `"`, `{"a":"\`} {
		if out := r.JSON([]byte(text)); string(out) != text {
			t.Errorf("%q became %q", text, out)
		}
	}
}

func TestXMLStaysXML(t *testing.T) {
	t.Parallel()
	type suite struct {
		Tests int    `xml:"tests,attr"`
		Name  string `xml:"name,attr"`
		Text  string `xml:",chardata"`
	}
	for _, secret := range oddSecrets {
		r, _ := redact.New(redact.Secret{Name: "PASSWORD", Value: secret})
		text, err := xml.Marshal(suite{Tests: 12345678, Name: "x" + secret, Text: "\n  y" + secret + "\n"})
		if err != nil {
			t.Fatal(err)
		}
		out := r.XML(append([]byte(xml.Header), text...))
		var got suite
		if err := xml.Unmarshal(out, &got); err != nil || !strings.HasPrefix(string(out), xml.Header) {
			t.Errorf("%q: %v: %s", secret, err, out)
		}
		if masked := len([]rune(secret)) >= redact.MinSecret; masked &&
			(got.Name != "x<sensitive:PASSWORD>" || got.Text != "\n  y<sensitive:PASSWORD>\n") {
			t.Errorf("%q: %+v %s", secret, got, out)
		}
	}
}

// TestJSONLogStaysJSON logs numbers that are secrets elsewhere.
func TestJSONLogStaysJSON(t *testing.T) {
	t.Parallel()
	for _, secret := range oddSecrets {
		var out bytes.Buffer
		r, _ := redact.New(redact.Secret{Name: "PASSWORD", Value: secret})
		log, done, err := logs.New(logs.Options{Redactor: r, JSON: &out})
		if err != nil {
			t.Fatal(err)
		}
		log.Info("x", slog.Int("attempt", 12345678), slog.String("of", secret), slog.Bool("false", true))
		log.Info("y")
		if err := done(); err != nil {
			t.Error(err)
		}
		for line := range bytes.Lines(out.Bytes()) {
			decoded(t, line)
		}
		if n := bytes.Count(out.Bytes(), []byte("\n")); n != 2 {
			t.Errorf("%q: %d lines", secret, n)
		}
	}
}

// FuzzJSON holds any document and any secret to it.
func FuzzJSON(f *testing.F) {
	for _, secret := range oddSecrets {
		f.Add(secret, []byte(`{"duration_ns":12345678,"a":["x`+"\\u00e4"+`",null,true,{"nullnull":"\\abcdefg"}]}`))
	}
	f.Fuzz(func(t *testing.T, secret string, text []byte) {
		r, _ := redact.New(redact.Secret{Name: "PASSWORD", Value: secret})
		if out := r.JSON(text); json.Valid(text) != json.Valid(out) && json.Valid(text) {
			t.Errorf("%q with %q: %q", text, secret, out)
		}
		r.XML(text)
	})
}
