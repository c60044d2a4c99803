// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T04:44:30Z
// Spec: openspec/specs/tools/spec.md#requirement-pictures-of-comments
// Diagram: openspec/specs/tools/diagram.md#pictures-of-comments

// Command picture draws Markdown files as comments on a pull request, for
// people who change how reports look:
//
//	go run ./tools/picture [-open] [-width 840] [-o DIR] FILE.md...
//
// goldmark makes HTML of what GitHub calls GFM, and Chromium draws it with a
// style that is near to GitHub's. Each FILE.md becomes DIR/FILE.png, cut to
// its text. Without -open the folded parts are closed, as readers find them.
// When a part is wider than the comment, its name is said: on GitHub one
// would have to scroll.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"html/template"
	"image"
	"image/draw"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	renderer "github.com/yuin/goldmark/renderer/html"
)

//go:embed page.html
var pageHTML string

// Bounds of one picture: Chromium draws this many pixels from the top, in this time.
const (
	height  = 9000
	drawing = 2 * time.Minute
)

func main() {
	opened := flag.Bool("open", false, "open the folded parts")
	width := flag.Int("width", 840, "pixels; a comment has 840 on a wide screen and 380 on a telephone")
	dir := flag.String("o", "bin/pictures", "folder of the pictures")
	flag.Parse()
	d := drawer{dir: *dir, width: *width, opened: *opened, out: os.Stdout}
	if err := d.pictures(context.Background(), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

// drawer draws comments into a folder.
type drawer struct {
	dir    string
	width  int // pixels
	opened bool
	out    io.Writer // where the pictures are named
}

// pictures draws every file, and says at the end which could not be drawn.
func (d drawer) pictures(ctx context.Context, files []string) error {
	if len(files) == 0 {
		return errors.New("name the Markdown files: go run ./tools/picture checks/report/testdata/*.md")
	}
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("making the folder of the pictures: %w", err)
	}
	var failed []error
	for _, file := range files {
		name := filepath.Join(d.dir, strings.TrimSuffix(filepath.Base(file), ".md"))
		wide, err := d.picture(ctx, file, name)
		if err == nil {
			_, err = fmt.Fprintln(d.out, name+".png"+wide)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", file, err))
		}
	}
	return errors.Join(failed...)
}

// picture draws one file to NAME.png, and says which parts are too wide.
func (d drawer) picture(ctx context.Context, file, name string) (wide string, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading Markdown: %w", err)
	}
	var page bytes.Buffer
	if err := render(&page, text, d.opened); err != nil {
		return "", err
	}
	if err := os.WriteFile(name+".html", page.Bytes(), 0o644); err != nil {
		return "", fmt.Errorf("writing the page: %w", err)
	}
	dom, err := chromium(ctx, name, d.width)
	if err != nil {
		return "", err
	}
	if m := tooWide.FindSubmatch(dom); m != nil {
		wide = ": too wide: " + string(m[1])
	}
	return wide, crop(name + ".png")
}

// tooWide is what the page's script leaves in its title.
var tooWide = regexp.MustCompile(`<title>too wide: ([^<]*)</title>`)

// render writes the page of one comment.
func render(w io.Writer, markdown []byte, opened bool) error {
	var body bytes.Buffer
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithRendererOptions(renderer.WithUnsafe()))
	if err := md.Convert(markdown, &body); err != nil {
		return fmt.Errorf("rendering Markdown: %w", err)
	}
	page, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return fmt.Errorf("reading the page: %w", err)
	}
	html := body.String()
	if opened {
		html = strings.ReplaceAll(html, "<details>", "<details open>")
	}
	if err := page.Execute(w, template.HTML(html)); err != nil { //nolint:gosec // our own reports, on this machine
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// chromium draws NAME.html to NAME.png and returns the page as it was drawn.
func chromium(ctx context.Context, name string, width int) ([]byte, error) {
	program, err := exec.LookPath("chromium")
	if err != nil {
		return nil, errors.New("chromium is not installed; tools/debian picture says how to install it")
	}
	abs, err := filepath.Abs(name)
	if err != nil {
		return nil, fmt.Errorf("naming the page: %w", err)
	}
	home, err := os.MkdirTemp("", "picture-*")
	if err != nil {
		return nil, fmt.Errorf("making a profile for Chromium: %w", err)
	}
	defer os.RemoveAll(home) //nolint:errcheck // a temporary folder
	ctx, cancel := context.WithTimeout(ctx, drawing)
	defer cancel()
	run := func(do string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, program, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
			"--disable-dev-shm-usage",
			"--user-data-dir="+home, fmt.Sprintf("--window-size=%d,%d", width+60, height), do, "file://"+abs+".html")
		var said bytes.Buffer
		cmd.Stderr = &said
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("chromium: %w: %s", err, bytes.TrimSpace(said.Bytes()))
		}
		return out, nil
	}
	if _, err := run("--screenshot=" + abs + ".png"); err != nil {
		return nil, err
	}
	return run("--dump-dom")
}

// crop cuts off the empty rows below the text.
func crop(file string) error {
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("opening the picture: %w", err)
	}
	whole, err := png.Decode(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return fmt.Errorf("reading the picture: %w", err)
	}
	all := whole.Bounds()
	last, ground := all.Max.Y-1, whole.At(all.Min.X, all.Max.Y-1)
	for last > all.Min.Y && empty(whole, last, ground) {
		last--
	}
	cut := image.NewRGBA(image.Rect(0, 0, all.Dx(), min(last+16, all.Max.Y)-all.Min.Y))
	draw.Draw(cut, cut.Bounds(), whole, all.Min, draw.Src)
	out, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("replacing the picture: %w", err)
	}
	if err := errors.Join(png.Encode(out, cut), out.Close()); err != nil {
		return fmt.Errorf("writing the picture: %w", err)
	}
	return nil
}

// empty says whether a row of pixels has one colour.
func empty(of image.Image, row int, ground any) bool {
	for x := of.Bounds().Min.X; x < of.Bounds().Max.X; x++ {
		if of.At(x, row) != ground {
			return false
		}
	}
	return true
}
