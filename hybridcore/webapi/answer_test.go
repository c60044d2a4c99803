// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package webapi_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/packer-hybrid/packer-hybrid/hybridcore/webapi"
)

// get has a server answer a request through a Transport of 1 MB.
func get(t *testing.T, method string, status int, answer string) (string, error) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	defer server.Close()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/lists/7?token=of-a-test", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := webapi.Client(webapi.Transport{Most: 1_000_000}).Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func TestCheck(t *testing.T) {
	t.Parallel()
	many := strings.Repeat("{},", 1<<16)
	for answer, want := range map[string]string{
		"null": "is null", " \n null ": "is null", "null garbage": "is null", "\ufeffnull": "is null",
		"[null]": "null as entry 1", `[{},null]`: "null as entry 2", `{"check_runs":[{}, null ]}`: "null as entry 2",
		`{"x":[],"x":[null]}`: "null as entry 1", "": "is empty", " ": "is empty", "\n\r\t ": "is empty",
		strings.Repeat(" ", 1_000_001): "more than 1000000 bytes", "[" + many + "{}]": "more than 65536 entries",
		`{"x":[` + many + "{}]}": "more than 65536 entries",

		`{"x":[[null]]}`: "null as entry 1", `{"x":{"y":[null]}}`: "null as entry 1", `[[[]],[[{},null]]]`: "null as entry 2",
		`[{"x":null,"y":{"z":[{},{"a":[1,2,null]}]}}]`: "null as entry 3", `{"a":1,"jobs":[null`: "null as entry 1",
		`[1e999,null]`: "null as entry 2", strings.Repeat("[", 64) + "null": "null as entry 1",
		strings.Repeat("[", 100_000):                                "deeper than 64",
		strings.Repeat(`{"x":`, 65) + "1" + strings.Repeat("}", 65): "deeper than 64",
		`{"x":{"y":[` + many + "{}]}}":                              "more than 65536 entries",

		"[]": "", "{}": "", `{"x":null}`: "", `[{"x":null}]`: "", `{"x":{"y":null}}`: "", `[[{"x":[{"y":null}]}]]`: "",
		"<html>": "",
		"nul":    "", `"null"`: "", "0": "", `{"x`: "", "[1 null]": "", `["null"]`: "", `{"null":["null"]}`: "",
		"[] [null]": "",
		strings.Repeat("[", 64) + strings.Repeat("]", 64): "",
	} {
		body, err := get(t, http.MethodGet, http.StatusOK, answer)
		if want == "" {
			if err != nil || body != answer {
				t.Errorf("%.40q became %.40q, %v", answer, body, err)
			}
			continue
		}
		refused, ok := errors.AsType[*webapi.AnswerError](err)
		if !ok || !strings.Contains(refused.Error(), want) || !strings.Contains(refused.Error(), `GET "/lists/7"`) ||
			strings.Contains(refused.Error(), "of-a-test") {
			t.Errorf("%.40q: %v", answer, err)
		}
	}
	for name, c := range map[string]struct {
		method string
		status int
		answer string
	}{
		"what is refused is in the status":  {http.MethodGet, http.StatusBadGateway, "null"},
		"what is made may not be described": {http.MethodPost, http.StatusOK, ""},
		"nothing is left":                   {http.MethodDelete, http.StatusNoContent, ""},
	} {
		if body, err := get(t, c.method, c.status, c.answer); err != nil || body != c.answer {
			t.Errorf("%s: %q, %v", name, body, err)
		}
	}
}

func TestElements(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{"[]": "", "[1]": "", "null": "has no list", "[1,null]": "null as entry 2"} {
		var list []*int
		if err := json.Unmarshal([]byte(text), &list); err != nil {
			t.Fatal(err)
		}
		got, err := webapi.Elements(list)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) || err == nil &&
			len(got) != len(list) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// nested is a list of pointers at every depth, as the client libraries have them.
type nested struct {
	X []*nested
	Y *nested
	Z map[string][]*nested
	L [][]*nested
}

// holes counts the entries of lists that are nil.
func holes(of *nested) (n int) {
	if of == nil {
		return 0
	}
	lists := append(slices.Collect(maps.Values(of.Z)), of.X)
	for _, one := range slices.Concat(append(lists, of.L...)...) {
		if one == nil {
			n++
		}
		n += holes(one)
	}
	return n + holes(of.Y)
}

// FuzzCheck checks that what is let through makes no nil pointer of a list or of
// its entries, in the ways in which clients decode.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{
		"null", "[null]", `{"x":[null]}`, `{"x":null}`, "[{}]", "\ufeff[null]", `{"x":[1],"X":[null]}`, "[1,[null]]",
		"null null",
		`{"x":[{"y":{"z":{"a":[{"x":[{},null]}]}}}]}`, `[{"l":[[],[null]]}]`, `{"z":{"a":null,"b":[null]}}`,
		`{"y":{"x":[1e999,null]}}`,
		`{"x":[{"\u0078":[null]}]}`, "{\"x\":[{\"x\":[\xff,null]}]}",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		answer := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(text)))}
		if webapi.Check(answer, 1<<20) != nil {
			return
		}
		body, err := io.ReadAll(answer.Body)
		if err != nil || string(body) != string(text) {
			t.Fatalf("the body became %q, %v", body, err)
		}
		decode := func(into any) bool { return json.NewDecoder(bytes.NewReader(text)).Decode(into) == nil }
		var list []*nested
		var object *nested
		if decode(&list) && list == nil || decode(&object) && object == nil {
			t.Errorf("%q is null", text)
		}
		if holes(object) > 0 || holes(&nested{X: list}) > 0 {
			t.Errorf("%q has null in a list", text)
		}
	})
}
