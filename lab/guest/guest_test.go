// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:56:29Z
// Spec: openspec/specs/lab/spec.md#requirement-guest-access
// Diagram: openspec/specs/lab/diagram.md#guest-start

package guest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/packer-hybrid/packer-hybrid/lab/rootfs"
)

// probeVar makes the test binary print what Probe says, and nothing else.
const probeVar = "GUEST_TEST_PROBE"

func TestMain(m *testing.M) {
	Main()
	if os.Getenv(probeVar) != "" {
		if err := Probe(); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const (
	testUser     = "builder"
	testPassword = "a password of the lab's test, 8341"
)

// machine is a started guest with what a test needs to reach it.
type machine struct {
	*Guest
	t        *testing.T
	spec     Spec
	listener *net.TCPListener
	console  *os.File
}

// boot starts a guest whose lowest layer is the cached root file system.
func boot(t *testing.T, change func(*Spec)) *machine {
	t.Helper()
	home, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	cache := os.Getenv("PACKER_HYBRID_CACHE")
	if cache == "" {
		cache = filepath.Join(home, "packer-hybrid")
	}
	base, err := rootfs.Find(cache)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	spec := Spec{
		Hostname: "unit", Lowers: []string{base}, Address: "127.0.0.1",
		Upper: filepath.Join(dir, "upper"), Work: filepath.Join(dir, "work"), Root: filepath.Join(dir, "root"),
		FirstBoot: true, User: testUser, Password: testPassword,
	}
	for _, d := range []string{spec.Upper, spec.Work, spec.Root} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(&spec)
	}
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	console, err := os.Create(filepath.Join(dir, "console.log"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { console.Close() })
	m := &machine{t: t, spec: spec, listener: listener, console: console}
	m.start()
	return m
}

func (m *machine) start() {
	m.t.Helper()
	g, err := Start(m.t.Context(), m.spec, m.listener, m.console)
	if err != nil {
		m.t.Fatal(err)
	}
	m.Guest = g
	m.t.Cleanup(g.Kill)
}

// dial signs in with the given method, as the build user unless the test says otherwise.
func (m *machine) dial(user string, auth ssh.AuthMethod) (*ssh.Client, error) {
	return ssh.Dial("tcp", m.listener.Addr().String(), &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{auth}, HostKeyCallback: ssh.InsecureIgnoreHostKey(), Timeout: 20 * time.Second,
	})
}

// port is the port of the guest's SSH server.
func (m *machine) port() string { return portOf(m.t, m.listener) }

func portOf(t *testing.T, l net.Listener) string {
	t.Helper()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func (m *machine) client() *ssh.Client {
	m.t.Helper()
	c, err := m.dial(testUser, ssh.Password(testPassword))
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() { c.Close() })
	return c
}

// try runs a command and returns its combined output and its result.
func (m *machine) try(command string) (string, error) {
	m.t.Helper()
	s, err := m.client().NewSession()
	if err != nil {
		m.t.Fatal(err)
	}
	defer s.Close()
	out, err := s.CombinedOutput(command)
	return strings.TrimSpace(string(out)), err
}

// run runs a command that must succeed and returns its output.
func (m *machine) run(command string) string {
	m.t.Helper()
	out, err := m.try(command)
	if err != nil {
		m.t.Fatalf("%s: %v\n%s", command, err, out)
	}
	return out
}

func (m *machine) waitEnding(want Ending) {
	m.t.Helper()
	select {
	case <-m.Done():
	case <-time.After(15 * time.Second):
		m.t.Fatal("the guest did not end")
	}
	if got := m.Ending(); got != want {
		m.t.Fatalf("ending = %q, want %q", got, want)
	}
}

func TestCommandRunsAsTheUserWhoSignedIn(t *testing.T) {
	m := boot(t, nil)
	for command, want := range map[string]string{
		"id -un":                      testUser,
		"echo $HOME $USER $SHELL":     "/home/builder builder /bin/bash",
		"pwd":                         "/home/builder",
		"id -nG":                      "builder sudo",
		"sudo id -u":                  "0",
		"hostname":                    "unit",
		"cat /proc/1/comm | wc -l":    "1",
		"echo ${SSH_CONNECTION#* * }": "127.0.0.1 22",
	} {
		if got := m.run(command); got != want {
			t.Errorf("%s = %q, want %q", command, got, want)
		}
	}
}

// TestShortCommands runs commands that end before the guest has answered the request to run them.
func TestShortCommands(t *testing.T) {
	m := boot(t, nil)
	var all sync.WaitGroup
	for range 8 {
		c := m.client()
		all.Go(func() {
			for range 40 {
				s, err := c.NewSession()
				if err != nil {
					t.Error(err)
					return
				}
				if err := s.Run(":"); err != nil {
					t.Errorf(": ended with %v", err)
				}
			}
		})
	}
	all.Wait()
}

func TestExitStatusAndSignal(t *testing.T) {
	m := boot(t, nil)
	_, err := m.try("exit 42")
	var exit *ssh.ExitError
	if !errors.As(err, &exit) || exit.ExitStatus() != 42 {
		t.Errorf("exit 42 = %v", err)
	}
	s, err := m.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start("echo started; sleep 60"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	if err := s.Signal(ssh.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := s.Wait(); !errors.As(err, &exit) || exit.Signal() != "TERM" {
		t.Errorf("after SIGTERM: %v", err)
	}
}

func TestEnvironmentInputAndStreams(t *testing.T) {
	m := boot(t, nil)
	s, err := m.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Setenv("LC_PAPER", "debian"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"PACKER_BUILD_NAME", "LD_PRELOAD"} { // Debian's AcceptEnv has LANG and LC_*
		if err := s.Setenv(name, "/tmp/evil.so"); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	var stdout, stderr bytes.Buffer
	s.Stdin, s.Stdout, s.Stderr = strings.NewReader(strings.Repeat("x", 300_000)), &stdout, &stderr
	if err := s.Run("wc -c; echo $LC_PAPER >&2"); err != nil {
		t.Fatal(err)
	}
	if stdout.String() != "300000\n" || stderr.String() != "debian\n" {
		t.Errorf("stdout %q, stderr %q", stdout.String(), stderr.String())
	}
}

// TestBackgroundProcess holds a session as long as OpenSSH does: while a process has its output open.
func TestBackgroundProcess(t *testing.T) {
	m := boot(t, nil)
	began := time.Now()
	if got := m.run("sleep 30 >/dev/null 2>&1 & echo done"); got != "done" {
		t.Errorf("output %q", got)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the session took %s", took)
	}
	if got := m.run("(sleep 1; echo late) & echo done"); got != "done\nlate" {
		t.Errorf("output %q", got)
	}
	m.run("sh -c '(true &) ; sleep 0.1'")
	if got := m.run("ps -eo stat= | grep -c '^Z' || true"); got != "0" {
		t.Errorf("%s zombies", got)
	}
}

func TestTerminal(t *testing.T) {
	m := boot(t, nil)
	s, err := m.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("xterm-256color", 33, 101, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	out, err := s.CombinedOutput("tty; echo $TERM; stty size; stat -c %U $(tty)")
	if err != nil {
		t.Fatal(err, string(out))
	}
	if want := "/dev/pts/0\r\nxterm-256color\r\n33 101\r\nbuilder\r\n"; string(out) != want {
		t.Errorf("output %q, want %q", out, want)
	}
}

func TestInteractiveShell(t *testing.T) {
	m := boot(t, nil)
	s, err := m.client().NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.RequestPty("dumb", 24, 80, ssh.TerminalModes{}); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	s.Stdout = &out
	s.Stdin = strings.NewReader("shopt -q login_shell && echo is-a-login-$((40+2))\nexit 3\n")
	if err := s.Shell(); err != nil {
		t.Fatal(err)
	}
	var exit *ssh.ExitError
	if err := s.Wait(); !errors.As(err, &exit) || exit.ExitStatus() != 3 {
		t.Errorf("shell ended with %v\n%s", err, out.String())
	}
	if !strings.Contains(out.String(), "is-a-login-42") {
		t.Errorf("output %q", out.String())
	}
}

func TestRefusedSignIn(t *testing.T) {
	m := boot(t, nil)
	for name, c := range map[string]struct{ user, password string }{
		"wrong password": {testUser, testPassword + "x"},
		"empty password": {testUser, ""},
		"root":           {"root", testPassword},
		"locked account": {"nobody", "*"},
		"no such user":   {"nosuch", testPassword},
		"zero byte":      {testUser, testPassword + "\x00x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // PAM takes two seconds to refuse a password
			if client, err := m.dial(c.user, ssh.Password(c.password)); err == nil {
				client.Close()
				t.Error("signed in")
			}
		})
	}
}

func TestPublicKey(t *testing.T) {
	signer, line := newKey(t)
	m := boot(t, func(s *Spec) { s.AuthorizedKeys = []string{"# a comment", line} })
	c, err := m.dial(testUser, ssh.PublicKeys(signer))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
	other, _ := newKey(t)
	if c, err := m.dial(testUser, ssh.PublicKeys(other)); err == nil {
		c.Close()
		t.Error("a foreign key was accepted")
	}
}

func TestChangedConfiguration(t *testing.T) {
	signer, line := newKey(t)
	m := boot(t, func(s *Spec) { s.AuthorizedKeys = []string{line} })
	m.run("echo PasswordAuthentication no | sudo tee /etc/ssh/sshd_config.d/10-keys.conf")
	if c, err := m.dial(testUser, ssh.Password(testPassword)); err == nil {
		c.Close()
		t.Error("a password was accepted")
	}
	c, err := m.dial(testUser, ssh.PublicKeys(signer))
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestKeepaliveIsAnswered(t *testing.T) {
	c := boot(t, nil).client()
	if _, _, err := c.SendRequest("keepalive@openssh.com", true, nil); err != nil {
		t.Error(err)
	}
	if conn, err := c.Dial("tcp", "127.0.0.1:22"); err == nil {
		conn.Close()
		t.Error("the guest forwards connections")
	}
}

func TestStartFailsWithTheReason(t *testing.T) {
	listener, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	missing := filepath.Join(t.TempDir(), "none")
	_, err = Start(context.Background(),
		Spec{Hostname: "x", Lowers: []string{missing}, Upper: missing, Work: missing, Root: missing}, listener, nil)
	if err == nil || !strings.Contains(err.Error(), "overlay") {
		t.Errorf("error %v does not name the overlay", err)
	}
}

func TestHostname(t *testing.T) {
	for name, want := range map[string]string{
		"debian-12": "debian-12", "Debian 12 (x)": "debian-12-x", "--": "guest", "": "guest", "ümlaut": "mlaut",
		strings.Repeat("a", 80):         strings.Repeat("a", 63),
		strings.Repeat("ab-", 21) + "x": strings.TrimSuffix(strings.Repeat("ab-", 21), "-"),
	} {
		if got := Hostname(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
