// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:50:05Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Search paths as Debian's login sets them (/etc/login.defs).
const (
	rootPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	userPath = "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games"
)

// account is a user of the guest, as its own account files describe it.
type account struct {
	name, home, shell string
	uid, gid          uint32
	groups            []uint32 // all groups, the primary one included
}

// lookupAccount reads the account of name from the guest's files.
func lookupAccount(name string) (*account, error) {
	passwd, err := os.ReadFile("/etc/passwd")
	if err != nil {
		return nil, fmt.Errorf("looking up user %q: %w", name, err)
	}
	group, err := os.ReadFile("/etc/group")
	if err != nil {
		return nil, fmt.Errorf("looking up user %q: %w", name, err)
	}
	a, ok := parseAccount(passwd, group, name)
	if !ok {
		return nil, fmt.Errorf("looking up user %q: no such user", name)
	}
	return a, nil
}

// parseAccount finds name in passwd(5) and its groups in group(5). Lines that do not parse are passed over.
func parseAccount(passwd, group []byte, name string) (*account, bool) {
	fields := findEntry(passwd, name, 7)
	if fields == nil {
		return nil, false
	}
	uid, errUID := strconv.ParseUint(fields[2], 10, 32)
	gid, errGID := strconv.ParseUint(fields[3], 10, 32)
	if errUID != nil || errGID != nil {
		return nil, false
	}
	a := &account{
		name: name, home: fields[5], shell: fields[6], uid: uint32(uid), gid: uint32(gid),
		groups: []uint32{uint32(gid)},
	}
	if a.shell == "" {
		a.shell = "/bin/sh"
	}
	scan := bufio.NewScanner(bytes.NewReader(group))
	for scan.Scan() {
		f := strings.Split(scan.Text(), ":")
		if len(f) != 4 || !slices.Contains(strings.Split(f[3], ","), name) {
			continue
		}
		if id, err := strconv.ParseUint(f[2], 10, 32); err == nil && !slices.Contains(a.groups, uint32(id)) {
			a.groups = append(a.groups, uint32(id))
		}
	}
	return a, true
}

// findEntry returns the fields of the first line of a colon-separated file whose first field is name.
func findEntry(file []byte, name string, fields int) []string {
	if name == "" {
		return nil
	}
	scan := bufio.NewScanner(bytes.NewReader(file))
	for scan.Scan() {
		if f := strings.Split(scan.Text(), ":"); len(f) == fields && f[0] == name {
			return f
		}
	}
	return nil
}

// parseEnvironment reads /etc/environment: NAME=value lines, optionally quoted, '#' comments.
func parseEnvironment(file []byte) []string {
	var env []string
	scan := bufio.NewScanner(bytes.NewReader(file))
	for scan.Scan() {
		line := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(scan.Text()), "export "))
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "" || strings.HasPrefix(name, "#") || strings.ContainsAny(name, " \t\x00") ||
			strings.Contains(value, "\x00") {
			continue
		}
		if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
			value = value[1 : n-1]
		}
		env = append(env, name+"="+value)
	}
	return env
}

// environment is what a login of the account starts with.
func (a *account) environment() []string {
	search := userPath
	if a.uid == 0 {
		search = rootPath
	}
	env := []string{"HOME=" + a.home, "USER=" + a.name, "LOGNAME=" + a.name, "SHELL=" + a.shell, "PATH=" + search}
	file, err := os.ReadFile("/etc/environment")
	if err != nil {
		return env // an image need not have the file
	}
	return append(env, parseEnvironment(file)...)
}
