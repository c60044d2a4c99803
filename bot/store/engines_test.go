// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T09:36:00Z
// Spec: openspec/specs/bot/spec.md#requirement-durable-before-acknowledged
// Diagram: openspec/specs/bot/diagram.md#parts

package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver pgx

	"github.com/packer-hybrid/packer-hybrid/bot/store"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if err := postgres.end(); err != nil {
		fmt.Fprintln(os.Stderr, "ending PostgreSQL:", err)
		code = 1
	}
	os.Exit(code)
}

// engines runs a test on an empty store of SQLite and on one of a real PostgreSQL.
func engines(t *testing.T, test func(t *testing.T, at store.Options)) {
	t.Helper()
	t.Parallel()
	t.Run("SQLite", func(t *testing.T) {
		t.Parallel()
		test(t, store.Options{Dir: t.TempDir()})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		t.Parallel()
		test(t, store.Options{URL: postgres.database(t)})
	})
}

// cluster is a PostgreSQL of this test's own, that listens on a Unix socket.
type cluster struct {
	once    sync.Once
	err     error
	dir     string
	control string // pg_ctl
	attr    *syscall.SysProcAttr
	count   atomic.Int32
}

var postgres cluster

// database makes an empty database and returns its address. The server is
// started for the first one.
func (c *cluster) database(t *testing.T) string {
	t.Helper()
	if c.once.Do(func() { c.err = c.start() }); c.err != nil {
		t.Fatalf("starting PostgreSQL, which make test installs: %v", c.err)
	}
	name := fmt.Sprint("bot", c.count.Add(1))
	if err := c.create(t.Context(), name); err != nil {
		t.Fatal(err)
	}
	return c.address(name)
}

func (c *cluster) create(ctx context.Context, name string) error {
	db, err := sql.Open("pgx", c.address("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "create database "+name)
	return err
}

func (c *cluster) address(name string) string {
	u := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Path: "/" + name,
		RawQuery: url.Values{"host": {c.dir}, "sslmode": {"disable"}}.Encode(),
	}
	return u.String()
}

// start makes a cluster that answers. PostgreSQL refuses to run
// as root: then it is the user's that Debian makes for it.
func (c *cluster) start() (err error) {
	bin, err := postgresBin()
	if err != nil {
		return err
	}
	if c.dir, err = os.MkdirTemp("/tmp", "bot-pg-"); err != nil { // the path of a socket is short
		return err
	}
	c.control, c.attr = filepath.Join(bin, "pg_ctl"), &syscall.SysProcAttr{}
	if os.Geteuid() == 0 {
		if c.attr.Credential, err = servant("postgres"); err == nil {
			err = os.Chown(c.dir, int(c.attr.Credential.Uid), int(c.attr.Credential.Gid))
		}
		if err != nil {
			return err
		}
	}
	if err := c.run("initdb", "-s", "-o", "-U postgres -A trust -N -E UTF8 --locale=C"); err != nil {
		return err
	}
	return c.run("start", "-w", "-s", "-l", filepath.Join(c.dir, "log"), "-o",
		"-k "+c.dir+" -c listen_addresses= -c fsync=off -c max_connections=200")
}

// run has pg_ctl do something to the cluster.
func (c *cluster) run(verb string, args ...string) error {
	cmd := exec.Command(c.control, append([]string{verb, "-D", filepath.Join(c.dir, "data")}, args...)...)
	cmd.SysProcAttr, cmd.Dir = c.attr, c.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
		return fmt.Errorf("pg_ctl %s: %w\n%s%s", verb, err, out, log)
	}
	return nil
}

// end stops the server, and removes all that it wrote.
func (c *cluster) end() error {
	if c.dir == "" {
		return nil
	}
	return errors.Join(c.run("stop", "-m", "immediate", "-s"), os.RemoveAll(c.dir)) // nothing of it is kept
}

// postgresBin is the folder of the server's programs: Debian keeps them off PATH.
func postgresBin() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(all) == 0 {
		return "", errors.New("no initdb on PATH or below /usr/lib/postgresql")
	}
	return filepath.Dir(slices.Max(all)), nil
}

func servant(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
