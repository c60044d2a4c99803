// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T15:46:00Z
// Spec: openspec/specs/drift/spec.md#requirement-what-others-have-published
// Diagram: openspec/specs/drift/diagram.md#one-look

package upstream

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestGet asks publishers that answer well and badly, and looks at what they are asked.
func TestGet(t *testing.T) {
	asked := map[string]int{}
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked[r.URL.Path]++
		if r.Method != http.MethodGet || r.Header.Get("Authorization")+r.Header.Get("Cookie") != "" || r.URL.RawQuery != "" {
			t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
		}
		switch r.URL.Path {
		case "/moved":
			http.Redirect(w, r, other.URL+"/x", http.StatusFound)
		case "/large":
			_, _ = io.CopyN(w, zeroes{}, maxAnswer+2)
		case "/gone":
			http.NotFound(w, r)
		case "/half":
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, "x")
		default:
			_, _ = io.WriteString(w, "well\n\nsaid")
		}
	}))
	defer s.Close()
	now := time.Date(2026, 12, 1, 8, 0, 0, 0, time.UTC)
	first := now
	a := Asker{Cache: t.TempDir(), Now: func() time.Time { return now }}
	for range 2 {
		got, err := a.Get(t.Context(), s.URL+"/well")
		if err != nil || string(got.Text) != "well\n\nsaid" || !got.At.Equal(first) || asked["/well"] != 1 {
			t.Errorf("%q at %s after %d questions, %v", got.Text, got.At, asked["/well"], err)
		}
		now = now.Add(fresh)
	}
	now = now.Add(time.Second)
	if got, err := a.Get(t.Context(), s.URL+"/well"); err != nil || !got.At.Equal(now) || asked["/well"] != 2 {
		t.Errorf("an old answer counts: %s, %v", got.At, err)
	}
	now = now.Add(-2 * fresh) // the clock was put back
	if _, err := a.Get(t.Context(), s.URL+"/well"); err != nil || asked["/well"] != 3 {
		t.Errorf("an answer of the future counts: %v", err)
	}
	for path, want := range map[string]string{
		"/moved": "redirect (302), which is not followed", "/large": "more than 4 MiB", "/gone": "answers 404 Not Found",
		"/half": "unexpected EOF",
	} {
		for try := 1; try <= 2; try++ { // nothing of it is kept
			if _, err := a.Get(t.Context(), s.URL+path); err == nil || !strings.Contains(err.Error(), want) ||
				asked[path] < try {
				t.Errorf("%s: %v", path, err)
			}
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	if _, err := a.Get(ctx, s.URL+"/slow"); err == nil || !strings.Contains(err.Error(), "does not answer") {
		t.Errorf("slow: %v", err)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestChecksums reads files of checksums as Debian and Ubuntu publish them, and others.
func TestChecksums(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 128)
	got, err := Checksums([]byte("# x\n" + a + " *ubuntu-24.04.3-live-server-amd64.iso\r\n" + b +
		"  debian-12.13.0-amd64-netinst.iso\n" + a + "  ../../etc/passwd\n" + a + "  --option\n" + a + "  x\x1b[2J\nzz  y\n"))
	want := map[string]string{"ubuntu-24.04.3-live-server-amd64.iso": a, "debian-12.13.0-amd64-netinst.iso": b}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	alike := Alike(got, "debian-12.12.0-amd64-netinst.iso")
	if !cmp.Equal(alike, []string{"debian-12.13.0-amd64-netinst.iso"}) {
		t.Errorf("alike are %q", alike)
	}
	for name, text := range map[string]string{
		"empty": "", "null": "null", "a page": "<html>moved</html>", "twice": a + "  x\n" + strings.Repeat("c", 64) + "  x\n",
	} {
		if got, err := Checksums([]byte(text)); err == nil {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestNewest reads indexes and tags.
func TestNewest(t *testing.T) {
	for _, c := range []struct{ index, want string }{
		{`{"versions":{"1.9.0":{},"1.15.0":null,"1.16.0-rc1":{},"2.0.0+ent":{},"nightly":{},"20260101":{}}}`, "1.15.0"},
		{`{"versions":null}`, ""},
		{`{"versions":{}}`, ""},
		{`{"versions":[]}`, ""},
		{`null`, ""},
		{``, ""},
		{`{"versions":{"99999999999999999999.0.0":{}}}`, ""},
	} {
		names, err := Index([]byte(c.index))
		got := ""
		if err == nil {
			got, err = Newest(names)
		}
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: %q, %v", c.index, got, err)
		}
	}
	if got, err := Newest([]string{"v1.2.2", "v1.2.10", "latest", "v2.0.0-dev"}); got != "1.2.10" || err != nil {
		t.Errorf("tags: %q, %v", got, err)
	}
	if newer, err := Newer("1.2.10", "v1.2.9"); !newer || err != nil {
		t.Errorf("%v, %v", newer, err)
	}
	if _, err := Newer("1.2.10", "dev"); err == nil {
		t.Error("no version was compared")
	}
}
