// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:18:00Z
// Spec: openspec/specs/security/spec.md#requirement-an-answer-never-ends-a-run
// Diagram: openspec/specs/security/diagram.md#an-answer-that-is-null

package webapi_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
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
		`{"x":[],"x":[null]}`: "null as entry 1", "": "is empty",
		strings.Repeat(" ", 1_000_001): "more than 1000000 bytes", "[" + many + "{}]": "more than 65536 entries", `{"x":[` + many + "{}]}": "more than 65536 entries",

		"[]": "", "{}": "", `{"x":null}`: "", `{"x":[[null]]}`: "", `{"x":{"y":[null]}}`: "", `[{"x":null}]`: "", "<html>": "", "nul": "", `"null"`: "", "0": "",
		`{"x`: "", "[1 null]": "", `{"a":1,"jobs":[null`: "", strings.Repeat("[", 100_000): "", `["null"]`: "",
	} {
		body, err := get(t, http.MethodGet, http.StatusOK, answer)
		if want == "" {
			if err != nil || body != answer {
				t.Errorf("%.40q became %.40q, %v", answer, body, err)
			}
			continue
		}
		refused, ok := errors.AsType[*webapi.AnswerError](err)
		if !ok || !strings.Contains(refused.Error(), want) || !strings.Contains(refused.Error(), `GET "/lists/7"`) || strings.Contains(refused.Error(), "of-a-test") {
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
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) || err == nil && len(got) != len(list) {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
}

// FuzzCheck checks that what is let through makes no nil pointer of a list or of
// its entries, in the ways in which clients decode.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{"null", "[null]", `{"x":[null]}`, `{"x":null}`, "[{}]", "\ufeff[null]", `{"x":[1],"X":[null]}`, "[1,[null]]", "null null"} {
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
		decode := func(into any) bool { return json.NewDecoder(strings.NewReader(string(text))).Decode(into) == nil }
		var list []*struct{}
		if decode(&list) {
			if _, err := webapi.Elements(list); err != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
		var object *struct{ X []*struct{} }
		if decode(&object) {
			if object == nil {
				t.Fatalf("%q is null", text)
			}
			if _, err := webapi.Elements(object.X); err != nil && object.X != nil {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
