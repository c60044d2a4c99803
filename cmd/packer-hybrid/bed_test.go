// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:45:00Z
// Spec: openspec/specs/logs/spec.md#requirement-secrets-are-masked-in-every-form
// Diagram: openspec/specs/cli/diagram.md#one-command

package main

import (
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func itoa(n int) string { return strconv.Itoa(n) }

// children lists the direct children of a process.
func children(t *testing.T, pid int) []int {
	t.Helper()
	tasks, err := filepath.Glob("/proc/" + itoa(pid) + "/task/*/children")
	if err != nil {
		t.Fatal(err)
	}
	var all []int
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // the thread has ended
		}
		for word := range strings.FieldsSeq(string(text)) {
			child, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, child)
		}
	}
	return all
}

// descendants lists all processes below one.
func descendants(t *testing.T, pid int) []int {
	t.Helper()
	var all []int
	for _, child := range children(t, pid) {
		all = append(all, child)
		all = append(all, descendants(t, child)...)
	}
	return all
}

// encodings are the spellings of a secret that tools print.
func encodings(secret string) []string {
	all := []string{secret, url.QueryEscape(secret), hex.EncodeToString([]byte(secret))}
	for shift := range 3 { // base64 of a longer text that holds it, at each alignment
		text := base64.StdEncoding.EncodeToString([]byte("xxx"[:shift] + secret))
		skip := []int{0, 2, 3}[shift]
		all = append(all, text[skip:len(text)-4])
	}
	return all
}

// noSecret looks for the lab's secrets in the output and in everything that
// the project wrote.
func (b *bed) noSecret(t *testing.T, output string) {
	t.Helper()
	secrets := map[string]string{}
	for _, entry := range b.lab.Env() {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasSuffix(name, "_password") || strings.HasSuffix(name, "_token") || strings.HasSuffix(name, "_secret") {
			secrets[name] = value
		}
	}
	if len(secrets) < 4 {
		t.Fatalf("the lab has %d secrets, want the guest's and one of each platform", len(secrets))
	}
	look := func(where, text string) {
		for name, secret := range secrets {
			for i, form := range encodings(secret) {
				if strings.Contains(text, form) {
					t.Errorf("%s shows %s (encoding %d)", where, name, i)
				}
			}
		}
	}
	look("the output", output)
	files := 0
	for _, dir := range []string{"logs", "state", "artifacts"} {
		err := filepath.WalkDir(filepath.Join(b.dir, dir), func(path string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(path)
			files++
			look(path, string(data))
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}
	if files < 3 {
		t.Errorf("only %d files were looked at", files)
	}
}

// machines lists the virtual machines in the lab's vCenter that are no
// templates.
func (b *bed) machines(t *testing.T) []string {
	t.Helper()
	all, err := b.lab.VSphere().Machines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range all {
		if !m.Template {
			names = append(names, m.Name)
		}
	}
	return names
}

// nothingOn fails when a machine was left.
func (b *bed) nothingOn(t *testing.T) {
	t.Helper()
	if left := b.machines(t); len(left) > 0 {
		t.Errorf("left in vCenter: %v", left)
	}
	for _, vm := range b.lab.Proxmox().VMs() {
		if !vm.Template {
			t.Errorf("left on Proxmox VE: %d %s", vm.ID, vm.Name)
		}
	}
	for _, group := range b.lab.Azure().ResourceGroups() {
		if strings.HasPrefix(group.Name, "ph-") {
			t.Errorf("left on Azure: the resource group %s with %v", group.Name, group.Resources)
		}
	}
}
