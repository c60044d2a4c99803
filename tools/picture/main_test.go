// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:58:30Z
// Spec: openspec/specs/tools/spec.md#requirement-pictures-of-comments
// Diagram: openspec/specs/tools/diagram.md#pictures-of-comments

package main

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestRender(t *testing.T) {
	t.Parallel()
	for opened, want := range map[bool]string{
		false: "<details><summary>more</summary>",
		true:  "<details open><summary>more</summary>",
	} {
		var page bytes.Buffer
		if err := render(&page, []byte(
			"## Head\n\n<details><summary>more</summary>\n\n| A |\n| --- |\n| `b` |\n\n</details>\n"), opened); err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{want, "<h2>Head</h2>", "<td><code>b</code></td>"} {
			if !strings.Contains(page.String(), part) {
				t.Errorf("no %s in\n%s", part, page.String())
			}
		}
	}
}

func TestCrop(t *testing.T) {
	t.Parallel()
	whole := image.NewRGBA(image.Rect(0, 0, 40, 500))
	draw.Draw(whole, whole.Bounds(), image.White, image.Point{}, draw.Src)
	whole.Set(20, 99, color.Black)
	file := filepath.Join(t.TempDir(), "x.png")
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, whole); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, encoded.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := crop(file); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cut, err := png.Decode(bytes.NewReader(data))
	if err != nil || cut.Bounds().Dy() != 115 || cut.At(20, 99) == cut.At(0, 0) {
		t.Errorf("the picture is %v, error %v", cut.Bounds(), err)
	}
}
