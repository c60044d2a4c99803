// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T23:26:41Z
// Spec: openspec/specs/lab/spec.md#requirement-lab-environment
// Diagram: openspec/specs/lab/diagram.md#life-of-a-lab

package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/lab/azure"
	"github.com/packer-hybrid/packer-hybrid/lab/fault"
	"github.com/packer-hybrid/packer-hybrid/lab/guest"
	"github.com/packer-hybrid/packer-hybrid/lab/proxmox"
	"github.com/packer-hybrid/packer-hybrid/lab/rootfs"
	"github.com/packer-hybrid/packer-hybrid/lab/vsphere"
)

// Config is how a lab is to be. The zero value is a usable lab.
type Config struct {
	Cache          string    // cache of packer-hybrid; empty: CacheDir
	Dir            string    // parent of the lab's own directory; empty: below Cache, or /dev/shm when that is an overlay
	User           string    // build user of every guest; empty: "packer"
	AuthorizedKeys []string  // public keys that may sign in as the build user, in authorized_keys format
	FaithfulAzure  bool      // Azure deletes as slowly as the real one does, in seconds; else as fast as can be
	Faults         Faults    // rules by which the platforms fail; nil: they work
	Log            io.Writer // progress of a first root file system and messages about guests; nil: discarded
}

// Lab is a running lab.
type Lab struct {
	config   Config
	id       string // the same each time that the lab of this cache is started
	dir      *labDir
	password string // of the guests' build user
	machines *machines
	trust    trust
	vsphere  *vsphere.Server
	azure    *azure.Server
	proxmox  *proxmox.Server

	proxmoxAccess proxmox.Credentials

	stop  func() bool // keeps the context's end from closing the lab
	close sync.Once
	err   error // of closing
}

// Main runs a guest's first process when the calling process was started to be one, and then does not
// return; otherwise it returns at once. Call it first thing in main and in TestMain.
func Main() { guest.Main() }

// CacheDir is where packer-hybrid keeps what it builds once: $PACKER_HYBRID_CACHE, else packer-hybrid below
// the user's cache directory ($XDG_CACHE_HOME, else ~/.cache).
func CacheDir() (string, error) {
	if dir := os.Getenv("PACKER_HYBRID_CACHE"); dir != "" {
		return dir, nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("finding the cache directory: %w; set PACKER_HYBRID_CACHE", err)
	}
	return filepath.Join(dir, "packer-hybrid"), nil
}

// PluginDir is the tree of the lab's stand-ins for plugins that cannot be had, below a cache. There may be none.
func PluginDir(cache string) string { return filepath.Join(cache, "lab-plugins") }

// RootFS returns the directory of the root file system that guests boot from. When cache lacks it, it is
// built first, which needs root, takes a minute or two and tells its steps to progress.
func RootFS(ctx context.Context, cache string, progress io.Writer) (string, error) {
	return rootfs.Ensure(ctx, cache, progress)
}

// FindRootFS returns the root file system's directory and does not build it. The error says how to.
func FindRootFS(cache string) (string, error) { return rootfs.Find(cache) }

// Start starts a lab, which ends with Close or with ctx. It fails when the system refuses what guests
// need, so that nothing can pretend to have run.
func Start(ctx context.Context, config Config) (*Lab, error) {
	if err := config.complete(); err != nil {
		return nil, fmt.Errorf("starting the lab: %w", err)
	}
	base, err := RootFS(ctx, config.Cache, config.Log)
	if err != nil {
		return nil, fmt.Errorf("starting the lab: %w", err)
	}
	if err := guest.Probe(); err != nil {
		return nil, fmt.Errorf("starting the lab: %w", err)
	}
	id, err := identity(ctx, config.Cache)
	if err != nil {
		return nil, fmt.Errorf("starting the lab: %w", err)
	}
	dir, err := newLabDir(ctx, config.Dir)
	if err != nil {
		return nil, fmt.Errorf("starting the lab: %w", err)
	}
	l := &Lab{config: config, id: id, dir: dir, password: newSecret("guest")}
	if err := l.start(base); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the lab: %w", err), l.Close())
	}
	l.stop = context.AfterFunc(ctx, func() { _ = l.Close() })
	return l, nil
}

// complete fills in what the caller left open.
func (c *Config) complete() error {
	if c.Cache == "" {
		cache, err := CacheDir()
		if err != nil {
			return err
		}
		c.Cache = cache
	}
	if c.User == "" {
		c.User = "packer"
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	if c.Dir == "" {
		c.Dir = filepath.Join(c.Cache, "labs")
	}
	dir, err := writableLayerDir(c.Dir, memoryDir)
	c.Dir = dir
	return err
}

func (l *Lab) start(base string) error {
	l.machines = &machines{
		dir: l.dir, base: base, logf: l.logf, byRef: make(map[string]*machine),
		account: account{user: l.config.User, password: l.password, keys: l.config.AuthorizedKeys},
	}
	err := l.machines.choosePort()
	if err != nil {
		return err
	}
	if l.trust, err = newTrust(l.dir); err != nil {
		return err
	}
	if l.vsphere, err = startVSphere(l.machines, l.trust); err != nil {
		return err
	}
	if l.azure, err = startAzure(l.machines, l.trust, l.config.FaithfulAzure); err != nil {
		return err
	}
	if l.proxmox, l.proxmoxAccess, err = startProxmox(l.machines, l.trust); err != nil {
		return err
	}
	l.config.Faults.plant(l.injectors())
	return nil
}

// injectors lists where each platform takes its rules from.
func (l *Lab) injectors() map[hybridcore.Platform]*fault.Injector {
	return map[hybridcore.Platform]*fault.Injector{
		hybridcore.VSphere: l.vsphere.Faults(), hybridcore.Proxmox: l.proxmox.Faults(), hybridcore.Azure: l.azure.Faults(),
	}
}

// Close ends every guest and the platforms, and removes the lab's directory. Later calls return the first
// one's result.
func (l *Lab) Close() error {
	l.close.Do(func() {
		if l.proxmox != nil {
			l.config.Faults.report(l.injectors(), l.logf)
		}
		if l.machines != nil {
			l.machines.close()
		}
		if l.proxmox != nil {
			l.proxmox.Close()
		}
		if l.vsphere != nil {
			l.vsphere.Close()
		}
		if l.azure != nil {
			l.err = l.azure.Close()
		}
		if err := l.dir.remove(); err != nil {
			l.err = errors.Join(l.err, fmt.Errorf("closing the lab: %w", err))
		}
	})
	return l.err
}

// Dir is the lab's own directory; it ends with the lab.
func (l *Lab) Dir() string { return l.dir.path }

// Env is the environment, as NAME=value, that a command needs to build in this lab. It holds passwords.
func (l *Lab) Env() []string {
	env := []string{
		hybridcore.LabVariable + "=" + l.dir.path,
		hybridcore.LabIDVariable + "=" + l.id,
		hybridcore.LabGuestVariable + "=" + rootfs.System().String(),
		"PACKER_HYBRID_LAB_PLUGINS=" + PluginDir(l.config.Cache),
		"PKR_VAR_build_username=" + l.config.User,
		"PKR_VAR_build_password=" + l.password,
		"PKR_VAR_communicator_port=" + strconv.Itoa(l.machines.port),
		"SSL_CERT_FILE=" + l.trust.bundleFile,
	}
	env = append(env, proxmoxEnv(l.proxmox, l.proxmoxAccess)...)
	return append(append(env, vsphereEnv(l.vsphere)...), azureEnv(l.azure)...)
}

// VSphere looks into the simulated vCenter.
func (l *Lab) VSphere() *vsphere.Server { return l.vsphere }

// Proxmox looks into the simulated Proxmox VE.
func (l *Lab) Proxmox() *proxmox.Server { return l.proxmox }

// Azure looks into the simulated Azure, as an administrator who sees everything at once.
func (l *Lab) Azure() *azure.Server { return l.azure }

// logf tells the lab's user something about the lab.
func (l *Lab) logf(format string, args ...any) {
	fmt.Fprintf(l.config.Log, "lab: "+format+"\n", args...)
}
