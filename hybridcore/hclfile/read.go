// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:58:03Z
// Spec: openspec/specs/hclfile/spec.md#requirement-bounded-reading
// Diagram: openspec/specs/hclfile/diagram.md#from-bytes-to-literals

// Package hclfile reads one HCL file safely: bounded in size, tokens and
// nesting before the recursive parser sees it, and with nothing evaluated but
// literals. hclsyntax dies of a stack overflow, which Go cannot recover from,
// on 100,000 nested brackets; a 300-byte variable file with nested "for"
// expressions takes Packer half a minute.
package hclfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
)

// Sizes that real projects stay far below: the largest of the public example
// frameworks is a template of 21 KiB with 3,000 tokens, nested 8 deep.
const (
	maxVarFile  = 256 << 10
	maxTemplate = 1 << 20
	maxTokens   = 200_000
	maxDepth    = 64
	maxChain    = 1_000
)

// VarFile is the limit of a *.pkrvars.hcl file: 256 KiB.
func VarFile() Limit { return Limit{"variable file", maxVarFile, maxTokens, maxDepth, maxChain} }

// Template is the limit of a *.pkr.hcl file or the catalogue: 1 MiB.
func Template() Limit { return Limit{"template", maxTemplate, maxTokens, maxDepth, maxChain} }

// Project is the limit of packer-hybrid.hcl: 256 KiB.
func Project() Limit { return Limit{"project file", maxVarFile, maxTokens, maxDepth, maxChain} }

// Read reads and parses the file below root. A missing file gives an error
// that is fs.ErrNotExist; everything else that is wrong with the file comes as
// *hybridcore.FindingsError.
func Read(root *os.Root, path string, limit Limit) (*File, error) {
	src, err := Bytes(root, path, limit)
	if err != nil {
		return nil, err
	}
	return Parse(src, path, limit)
}

// ReadFS is like Read, from a tree of any kind: a Folder, or that of a commit.
func ReadFS(tree fs.FS, path string, limit Limit) (*File, error) {
	src, err := BytesFS(tree, path, limit)
	if err != nil {
		return nil, err
	}
	return Parse(src, path, limit)
}

// Folder is a folder as a tree of files: opening one follows no link out of
// the folder and does not wait at a pipe.
func Folder(root *os.Root) fs.FS { return folder{FS: root.FS(), root: root} }

type folder struct {
	fs.FS
	root *os.Root
}

// Open implements fs.FS.
func (f folder) Open(name string) (fs.File, error) {
	file, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err //nolint:wrapcheck // a PathError says all; a nil *os.File in an interface is not nil
	}
	return file, nil
}

// Bytes reads a regular file below root without following links out of it,
// without blocking on a pipe, and no more than the limit. Errors are those of
// Read.
func Bytes(root *os.Root, path string, limit Limit) ([]byte, error) {
	return BytesFS(Folder(root), path, limit)
}

// BytesFS is like Bytes, from a tree of any kind.
func BytesFS(tree fs.FS, path string, limit Limit) ([]byte, error) {
	f, err := tree.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if err != nil {
		if cause, ok := errors.AsType[*fs.PathError](err); ok {
			err = cause.Err
		}
		return nil, refuse(path, fmt.Sprintf("the %s cannot be opened: %v", limit.Kind, err),
			"a project file must be a readable regular file inside the project; links may not leave it")
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, refuse(path, fmt.Sprintf("the %s is %s, not a regular file", limit.Kind, describe(info.Mode())), "replace it by a file or remove it")
	}
	if info.Size() > limit.Bytes {
		return nil, tooLarge(path, limit)
	}
	// One read gets the whole file and one its end, unless it grows meanwhile.
	src := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	if _, err := src.ReadFrom(io.LimitReader(f, limit.Bytes+1)); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	if int64(src.Len()) > limit.Bytes {
		return nil, tooLarge(path, limit)
	}
	return src.Bytes(), nil
}

func describe(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	default:
		return "special"
	}
}

func tooLarge(path string, limit Limit) error {
	return refuse(path, fmt.Sprintf("the %s is larger than %d KiB", limit.Kind, limit.Bytes>>10), "split it, or remove what does not belong there")
}

func refuse(path, message, hint string) error {
	return &hybridcore.FindingsError{Findings: []hybridcore.Finding{{
		Kind: hybridcore.KindSyntax, Subject: path, Message: message, Hint: hint, File: path,
		Severity: hybridcore.Error, Blocking: true,
	}}}
}
