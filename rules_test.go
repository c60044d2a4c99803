// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-22T22:55:57Z
// Spec: openspec/specs/repository/spec.md#requirement-layers
// Diagram: openspec/specs/repository/diagram.md#layers

package packerhybrid_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"

	packerhybrid "github.com/packer-hybrid/packer-hybrid"
	rules "github.com/packer-hybrid/packer-hybrid/tools/treerules"
)

// layers says which unit of the tree may import which. Units of one layer do
// not import each other: they meet above, through the values of hybridcore.
var layers = []rules.Layer{
	{Unit: "hybridcore/text"},
	{Unit: "hybridcore", May: []string{"hybridcore/text"}},
	{Unit: "hybridcore/command", May: []string{"hybridcore", "hybridcore/text"}},
	{Unit: "hybridcore/hclfile", May: []string{"hybridcore", "hybridcore/text"}},
	{Unit: "hybridcore/logs", May: []string{"hybridcore", "hybridcore/safefile", "hybridcore/text"}},
	{Unit: "hybridcore/safefile"},
	// The shapes of credentials are one list, which hides them in logs and finds them in files.
	{
		Unit: "hybridcore/leaks",
		May: []string{
			"hybridcore", "hybridcore/hclfile", "hybridcore/logs", "hybridcore/safefile", "hybridcore/text",
		},
	},
	{Unit: "hybridcore/waivers", May: []string{"hybridcore", "hybridcore/hclfile", "hybridcore/text"}},
	{Unit: "hybridcore/goldentest"},
	{Unit: "hybridcore/webapi"},
	{
		Unit:  "hybridcore/config",
		May:   []string{"hybridcore", "hybridcore/command", "hybridcore/hclfile", "hybridcore/text"},
		Tests: []string{"hybridcore/goldentest"},
	},
	{
		Unit: "hybridcore/templates", May: []string{"hybridcore", "hybridcore/hclfile", "hybridcore/text"},
		Tests: []string{"hybridcore/goldentest"},
	},
	{
		Unit: "hybridcore/packer",
		May:  []string{"hybridcore", "hybridcore/hclfile", "hybridcore/safefile", "hybridcore/text"},
	},
	// What a target needs of its machine beside Packer stands in its own templates and roles.
	{
		Unit: "hybridcore/provisioners",
		May:  []string{"hybridcore", "hybridcore/hclfile", "hybridcore/safefile"},
	},
	{
		Unit: "hybridcore/parity", May: []string{"hybridcore", "hybridcore/hclfile", "hybridcore/text"},
		Tests: []string{"hybridcore/goldentest"},
	},
	{Unit: "hybridcore/platforms/platform", May: []string{"hybridcore", "hybridcore/text", "hybridcore/webapi"}},
	{Unit: "hybridcore/platforms/platformtest", May: []string{"hybridcore", "hybridcore/platforms/platform", "lab"}},
	{
		Unit: "hybridcore/platforms/azure", May: []string{"hybridcore", "hybridcore/platforms/platform", "hybridcore/webapi"},
		Tests: []string{"hybridcore/platforms/platformtest", "lab"},
	},
	{
		Unit:  "hybridcore/platforms/proxmox",
		May:   []string{"hybridcore", "hybridcore/platforms/platform", "hybridcore/text", "hybridcore/webapi"},
		Tests: []string{"hybridcore/platforms/platformtest", "lab"},
	},
	{
		Unit: "hybridcore/platforms/vsphere", May: []string{"hybridcore", "hybridcore/platforms/platform"},
		Tests: []string{"hybridcore/platforms/platformtest", "lab"},
	},
	{Unit: "hybridcore/platforms", May: []string{
		"hybridcore", "hybridcore/platforms/azure", "hybridcore/platforms/platform", "hybridcore/platforms/proxmox",
		"hybridcore/platforms/vsphere",
	}},
	{
		Unit: "hybridcore/sources",
		May:  []string{"hybridcore", "hybridcore/hclfile", "hybridcore/safefile", "hybridcore/text"},
	},
	{Unit: "hybridcore/upstream", May: []string{"hybridcore/safefile", "hybridcore/webapi"}},
	{Unit: "hybridcore/state", May: []string{
		"hybridcore", "hybridcore/safefile", "hybridcore/sources", "hybridcore/text",
	}},
	{Unit: "hybridcore/validate/finding", May: []string{"hybridcore", "hybridcore/hclfile", "hybridcore/text"}},
	{Unit: "hybridcore/validate/schemas"},
	{Unit: "hybridcore/validate/module", May: []string{
		"hybridcore/hclfile", "hybridcore/validate/finding", "hybridcore/validate/schemas",
	}},
	{Unit: "hybridcore/validate/eval", May: []string{
		"hybridcore", "hybridcore/hclfile", "hybridcore/validate/finding", "hybridcore/validate/module",
		"hybridcore/validate/schemas",
	}},
	{Unit: "hybridcore/validate/parts", May: []string{
		"hybridcore/hclfile", "hybridcore/validate/eval", "hybridcore/validate/finding", "hybridcore/validate/module",
		"hybridcore/validate/schemas",
	}},
	{Unit: "hybridcore/validate/untrusted", May: []string{
		"hybridcore", "hybridcore/hclfile", "hybridcore/validate/eval", "hybridcore/validate/finding",
		"hybridcore/validate/module", "hybridcore/validate/parts", "hybridcore/validate/schemas",
	}},
	{Unit: "hybridcore/validate", May: []string{
		"hybridcore", "hybridcore/hclfile", "hybridcore/text", "hybridcore/validate/eval", "hybridcore/validate/finding",
		"hybridcore/validate/module", "hybridcore/validate/parts", "hybridcore/validate/schemas",
		"hybridcore/validate/untrusted",
	}},
	{Unit: "checks", May: []string{"hybridcore", "hybridcore/text"}, Tests: []string{"hybridcore/goldentest"}},
	{Unit: "bot/cirun", May: []string{"hybridcore", "hybridcore/command", "hybridcore/text"}},
	{Unit: "bot/door", May: []string{"hybridcore", "hybridcore/command"}, Tests: []string{"lab"}},
	{Unit: "bot/policy", May: []string{"hybridcore", "hybridcore/config"}},
	{Unit: "bot/store", May: []string{"hybridcore"}},
	{
		Unit: "bot/dispatch",
		May:  []string{"hybridcore", "hybridcore/safefile", "hybridcore/text", "bot/cirun", "bot/policy"},
	},
	{Unit: "bot/jobs", May: []string{"hybridcore", "bot/cirun", "bot/door", "bot/policy", "bot/store"}},
	{
		Unit: "bot/chat",
		May: []string{
			"hybridcore", "hybridcore/text", "hybridcore/webapi", "bot/cirun", "bot/door", "bot/jobs",
		},
		Tests: []string{"lab"},
	},
	{
		Unit: "bot/work",
		May: []string{
			"hybridcore", "hybridcore/text", "bot/chat", "bot/cirun", "bot/jobs", "bot/policy", "bot/store",
		},
		Tests: []string{"hybridcore/config", "bot/door"},
	},
	{
		Unit: "bot",
		May: []string{
			"hybridcore", "hybridcore/command", "hybridcore/config", "hybridcore/text", "bot/chat", "bot/cirun", "bot/door",
			"bot/jobs", "bot/policy", "bot/store", "bot/work",
		},
		Tests: []string{"lab"},
	},
	{Unit: "lab", May: []string{"hybridcore", "hybridcore/safefile"}},
	{
		Unit:  "forge/post",
		May:   []string{"hybridcore", "hybridcore/safefile", "hybridcore/text", "hybridcore/webapi", "checks"},
		Tests: []string{"forge/github", "forge/gitlab", "lab"},
	},
	{
		Unit: "forge",
		May: []string{
			"hybridcore", "hybridcore/webapi", "bot/cirun", "bot/dispatch", "bot/policy", "forge/post", "runner/ci",
		},
	},
	{Unit: "forge/forgetest", May: []string{"hybridcore", "hybridcore/text", "runner/ci"}},
	{
		Unit: "forge/github",
		May: []string{
			"hybridcore", "hybridcore/text", "hybridcore/webapi", "bot/cirun", "bot/dispatch", "bot/policy", "checks",
			"forge", "forge/post", "runner/ci",
		},
		Tests: []string{"hybridcore/goldentest", "forge/forgetest", "lab"},
	},
	{
		Unit: "forge/gitlab",
		May: []string{
			"hybridcore", "hybridcore/text", "hybridcore/webapi", "bot/cirun", "bot/dispatch", "bot/policy", "checks",
			"forge", "forge/post", "runner/ci",
		},
		Tests: []string{"hybridcore/goldentest", "forge/forgetest", "hybridcore/command", "lab"},
	},
	{
		Unit:  "forge/forges",
		May:   []string{"hybridcore", "bot/dispatch", "forge", "forge/github", "forge/gitlab"},
		Tests: []string{"hybridcore/config", "bot", "bot/chat", "bot/cirun", "bot/policy", "bot/store", "lab"},
	},
	{
		Unit: "runner/gate",
		May: []string{
			"hybridcore", "hybridcore/config", "hybridcore/hclfile", "hybridcore/leaks", "hybridcore/sources",
			"hybridcore/waivers",
		},
		Tests: []string{"hybridcore/validate/finding"},
	},
	{
		Unit: "runner/project",
		May: []string{
			"hybridcore", "hybridcore/config", "hybridcore/logs", "hybridcore/packer", "hybridcore/safefile",
			"hybridcore/sources", "hybridcore/state", "hybridcore/templates", "hybridcore/text", "hybridcore/waivers",
			"runner/gate",
		},
	},
	{
		Unit: "runner/format",
		May: []string{
			"hybridcore", "hybridcore/hclfile", "hybridcore/safefile", "hybridcore/validate", "runner/project",
		},
	},
	{
		Unit: "runner/plan",
		May: []string{
			"hybridcore", "hybridcore/config", "hybridcore/hclfile", "hybridcore/leaks", "hybridcore/logs",
			"hybridcore/packer", "hybridcore/parity", "hybridcore/provisioners", "hybridcore/safefile", "hybridcore/sources",
			"hybridcore/state",
			"hybridcore/templates", "hybridcore/text", "hybridcore/validate", "hybridcore/validate/schemas",
			"hybridcore/validate/untrusted", "hybridcore/waivers", "runner/gate", "runner/project",
		},
	},
	{Unit: "runner/compare", May: []string{"hybridcore", "hybridcore/parity", "hybridcore/text", "runner/project"}},
	{Unit: "runner/build", May: []string{
		"hybridcore", "hybridcore/logs", "hybridcore/packer", "hybridcore/parity", "hybridcore/safefile",
		"hybridcore/sources", "hybridcore/state", "hybridcore/templates", "runner/compare", "runner/plan",
		"runner/project",
	}, Tests: []string{
		"hybridcore/config", "hybridcore/validate", "hybridcore/validate/schemas", "hybridcore/validate/untrusted",
	}},
	{Unit: "runner/release", May: []string{
		"hybridcore", "hybridcore/sources", "hybridcore/state", "runner/compare", "runner/live", "runner/plan",
		"runner/project",
	}},
	{Unit: "runner/drift", May: []string{
		"hybridcore", "hybridcore/sources", "hybridcore/state", "hybridcore/upstream", "hybridcore/waivers",
		"runner/live",
		"runner/project",
	}},
	{
		Unit: "runner/live", May: []string{"hybridcore", "runner/project"},
		Tests: []string{"hybridcore/config", "hybridcore/logs"},
	},
	{
		Unit: "runner",
		May: []string{
			"hybridcore", "hybridcore/state", "hybridcore/text", "hybridcore/validate/untrusted", "runner/build",
			"runner/compare", "runner/drift", "runner/live", "runner/plan", "runner/project", "runner/release",
		},
		Tests: []string{
			"hybridcore/config", "hybridcore/goldentest", "hybridcore/leaks", "hybridcore/logs", "hybridcore/packer",
			"hybridcore/platforms",
			"hybridcore/sources", "hybridcore/waivers", "lab",
		},
	},
	{
		Unit:  "runner/ci",
		May:   []string{"hybridcore", "hybridcore/command", "hybridcore/text"},
		Tests: []string{"forge/forgetest", "hybridcore/config"},
	},
	{
		Unit: "runner/places", May: []string{"hybridcore", "hybridcore/config", "hybridcore/safefile", "forge/forges"},
	},
	{
		Unit: "runner/stored",
		May: []string{
			"hybridcore", "hybridcore/config", "hybridcore/safefile", "hybridcore/sources", "hybridcore/state", "forge",
			"forge/forges", "runner/places",
		},
	},
	{
		Unit: "runner/process",
		May: []string{
			"hybridcore", "hybridcore/config", "hybridcore/logs", "hybridcore/packer", "hybridcore/parity",
			"hybridcore/platforms", "hybridcore/safefile", "hybridcore/sources", "hybridcore/state", "hybridcore/text",
			"hybridcore/validate/untrusted", "hybridcore/waivers", "checks", "forge", "forge/forges", "runner", "runner/build",
			"runner/ci", "runner/places", "runner/plan", "runner/project", "runner/stored",
		},
	},
	{Unit: "runner/near", May: []string{
		"hybridcore", "hybridcore/text", "checks", "forge/post", "runner", "runner/build", "runner/drift",
		"runner/process", "runner/project",
	}},
	{
		Unit: "runner/job",
		May: []string{
			"hybridcore", "hybridcore/command", "hybridcore/config", "hybridcore/logs", "hybridcore/safefile",
			"hybridcore/sources", "hybridcore/text", "hybridcore/validate/untrusted", "bot/dispatch", "bot/policy", "checks",
			"forge", "forge/forges", "forge/post", "runner", "runner/build", "runner/ci", "runner/near", "runner/places",
			"runner/plan", "runner/process", "runner/project", "runner/release", "runner/stored",
		},
		Tests: []string{"lab"},
	},
	{Unit: "cmd", May: []string{"*"}},
	{Unit: "bench", May: []string{"*"}},
	{Unit: "tools", Tests: []string{
		"lab", "bot", "bot/chat", "bot/cirun", "bot/dispatch", "bot/policy", "bot/store", "forge/github", "forge/gitlab",
		"hybridcore", "hybridcore/config",
	}},
	{Unit: ".", Tests: []string{"tools"}},
}

// owners names, for each third-party module and for os/exec, the units that
// may import it. A dependency is a cost of the units named here and of nobody else.
var owners = []rules.Owner{
	{
		Import: "github.com/Azure/azure-sdk-for-go/sdk/azcore",
		Units:  []string{"hybridcore/platforms/azure", "hybridcore/state/bucket/cloud"},
		Why:    "Azure's errors, retries and long-running operations",
	},
	{
		Import: "github.com/Azure/azure-sdk-for-go/sdk/azidentity", Units: []string{"hybridcore/platforms/azure"},
		Why: "signs in to Azure",
	},
	{
		Import: "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6",
		Units:  []string{"hybridcore/platforms/azure"},
		Why:    "Azure's managed images and galleries",
	},
	{
		Import: "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/resources/armresources",
		Units:  []string{"hybridcore/platforms/azure"},
		Why:    "Azure's resource groups, in which builds leave their machines",
	},
	{
		Import: "github.com/getkin/kin-openapi", Units: []string{"lab"},
		Why: "holds the simulated GitHub and its callers to GitHub's own description",
	},
	{
		Import: "github.com/go-json-experiment/json",
		Units:  []string{"hybridcore/parity", "hybridcore/state", "forge/github", "runner/ci"},
		Why:    "refuses repeated names and invalid UTF-8, which encoding/json takes",
	},
	{
		Import: "github.com/gofrs/flock", Units: []string{"hybridcore/state", "bot/dispatch"},
		Why: "advisory file locks that the kernel drops with the process",
	},
	{
		Import: "github.com/google/go-cmp", Units: []string{"hybridcore/goldentest", "hybridcore/platforms/platformtest"},
		Tests: []string{"*"},
		Why:   "readable differences of values in tests; panics on what it cannot compare",
	},
	{
		Import: "github.com/bradleyfalzon/ghinstallation/v2", Units: []string{"forge/github"},
		Why: "tokens of a GitHub App's installation, renewed before they end",
	},
	{
		Import: "github.com/google/go-github/v62", Units: []string{"forge/github"}, Tests: []string{"forge/post"},
		Why: "GitHub's REST API",
	},
	{
		Import: "cloud.google.com/go/storage", Units: []string{"hybridcore/state/bucket/cloud"},
		Why: "whether it is the bucket that Google does not know",
	},
	{
		Import: "github.com/Azure/azure-sdk-for-go/sdk/storage/azblob", Tests: []string{"hybridcore/state/bucket/cloud"},
		Why: "makes the container of a test",
	},
	{
		Import: "gocloud.dev", Units: []string{"hybridcore/state/bucket/cloud", "bench"},
		Tests: []string{"hybridcore/state/bucket"},
		Why:   "buckets of S3, Azure and Google, with put if absent; packer-hybrid itself is not built from it",
	},
	{
		Import: "google.golang.org/api", Units: []string{"hybridcore/state/bucket/cloud"},
		Why: "the status of Google's answers",
	},
	{Import: "github.com/gorilla/websocket", Units: []string{"lab"}, Why: "Socket Mode of the simulated Slack"},
	{
		Import: "github.com/hashicorp/go-version",
		Units:  []string{"hybridcore/packer", "hybridcore/provisioners", "hybridcore/upstream"},
		Why:    "compares versions and constraints as Packer does",
	},
	{
		Import: "github.com/hashicorp/hcl/v2",
		Units: []string{
			"hybridcore/hclfile", "hybridcore/config", "hybridcore/templates", "hybridcore/packer", "hybridcore/waivers",
			"hybridcore/parity", "hybridcore/provisioners", "hybridcore/sources", "hybridcore/validate",
		},
		Why: "Packer's own language; only where its files are read or written",
	},
	{Import: "github.com/prometheus/client_golang", Units: []string{"bot"}, Why: "the bot's metrics"},
	{
		Import: "github.com/zclconf/go-cty",
		Units: []string{
			"hybridcore/hclfile", "hybridcore/config", "hybridcore/templates", "hybridcore/packer", "hybridcore/waivers",
			"hybridcore/provisioners", "hybridcore/sources", "hybridcore/validate",
		},
		Why: "the values of HCL",
	},
	{Import: "github.com/jackc/pgx/v5", Units: []string{"bot/store"}, Why: "the bot's queue in PostgreSQL"},
	{
		Import: "github.com/rogpeppe/go-internal", Units: []string{"cmd"}, Tests: []string{"cmd"},
		Why: "testscript: the command line, tested as its user types it; and the differences that fmt shows",
	},
	{
		Import: "github.com/santhosh-tekuri/jsonschema/v6", Tests: []string{"cmd"},
		Why: "holds every JSON answer against its published schema",
	},
	{
		Import: "github.com/sethvargo/go-githubactions", Units: []string{"forge/github"},
		Why: "inputs of an action, and the escaping of GitHub's log commands",
	},
	{Import: "github.com/slack-go/slack", Units: []string{"bot"}, Why: "Slack's API, Socket Mode and Block Kit"},
	{
		Import: "github.com/spf13/cobra", Units: []string{"cmd"},
		Why: "help, completion and suggestions around the shared grammar",
	},
	{
		Import: "github.com/spf13/pflag", Units: []string{"hybridcore/command", "cmd"},
		Why: "the grammar that every door shares",
	},
	{
		Import: "github.com/vbauerster/mpb/v8", Units: []string{"checks"},
		Why: "the live display of running targets on a terminal",
	},
	{
		Import: "github.com/vmware/govmomi", Units: []string{"hybridcore/platforms/vsphere", "lab", "bench"},
		Why: "the vSphere API, and its simulator",
	},
	{
		Import: "github.com/yuin/goldmark", Units: []string{"tools"}, Tests: []string{"checks", "cmd"},
		Why: "what a parser of Markdown makes of a comment, and pictures of it",
	},
	{
		Import: "github.com/xanzy/go-gitlab", Units: []string{"forge/gitlab"}, Tests: []string{"lab"},
		Why: "GitLab's REST API",
	},
	{
		Import: "go.yaml.in/yaml/v3",
		Units: []string{
			"hybridcore/provisioners", "hybridcore/validate", "forge/github", "forge/gitlab", "bot", "lab", "tools",
		},
		Why: "what tasks and requirements of Ansible name; whether an Ansible file is YAML, and how far its aliases " +
			"expand; a child pipeline for GitLab; the rules of workflows; the bot's check of its manifest and its " +
			"workflow, and the lint of the simulated GitLab",
	},
	{Import: "maragu.dev/goqite", Units: []string{"bot/store"}, Why: "the bot's durable queue"},
	{Import: "modernc.org/sqlite", Units: []string{"bot/store"}, Why: "SQLite without cgo, for the bot's queue"},
	{
		Import: "golang.org/x/crypto", Tests: []string{"hybridcore/state/gitref", "lab"},
		Why: "SSH clients of the tests of guests, and the server of a test's repository",
	},
	{
		Import: "golang.org/x/mod", Units: []string{"tools"}, Tests: []string{"."},
		Why: "reads go.mod for the rules of the tree",
	},
	{
		Import: "golang.org/x/sys",
		Units:  []string{"hybridcore/packer", "hybridcore/sources", "hybridcore/state", "lab", "cmd"},
		Why:    "system calls that package syscall lacks: mounts, capabilities, process groups",
	},
	{
		Import: "golang.org/x/term", Units: []string{"cmd", "hybridcore/logs"},
		Why: "whether, and how wide, the output is a terminal",
	},
	{
		Import: "gopkg.in/natefinch/lumberjack.v2", Units: []string{"hybridcore/logs"},
		Why: "rotates log files by size and age",
	},
	{
		Import: "os/exec", Units: []string{
			"hybridcore/packer", "hybridcore/sources", "hybridcore/state/bucket",
			"hybridcore/state/gitref", "hybridcore/state/statetest", "bot", "lab", "cmd", "bench", "tools",
		},
		Tests: []string{"*"},
		Why:   "a child process needs an owned group, an allow-listed environment and drained pipes",
	},
}

// calls are other ways to start a program; none is needed.
var calls = []rules.Owner{
	{Import: "os.StartProcess", Why: "start programs with os/exec, where its owners look after them"},
	{
		Import: "syscall.ForkExec", Units: []string{"lab"},
		Why: "start programs with os/exec, where its owners look after them",
	},
	{
		Import: "syscall.Exec", Units: []string{"lab", "cmd"},
		Why: "a guest's init replaces itself, and so does the command that joins a lab that is up",
	},
	{
		Import: "os.Exit", Units: []string{"cmd", "plugins/cmd", "bench", "lab", "tools"}, Tests: []string{"*"},
		Why: "return an error; only a main ends the process",
	},
}

// limits are the sizes of design: a reader sees a file whole, and a function
// on one screen.
var limits = rules.Limits{
	FileLines: 350, TestFileLines: 700,
	FuncLines: 60, HardFuncLines: 100,
	Params: 5, Methods: 3, Fields: 20,
}

// longFunctions gives the reviewed reason why a function may have more than
// FuncLines lines: PATH:FUNC or PATH:TYPE.METHOD.
var longFunctions = map[string]string{}

// bans are texts that no file holds. The patterns are written so that they do
// not match themselves.
var bans = []rules.Ban{
	{
		Text:   regexp.MustCompile(`/work/[a-z]|/tmp/[t]eam|/home/[a-z]+/(go|src)\b`),
		Why:    "a path of one machine",
		Except: []string{".gitignore"},
	},
	{
		Text:   regexp.MustCompile(`/[r]oot/\S`),
		Why:    "a path of one user; inside a guest it is fine: lab/, templates/, recorded output",
		Except: []string{"lab", "templates", "hybridcore/packer/testdata/streams", "hybridcore/parity/testdata"},
	},
	{Text: regexp.MustCompile(`\b(TO[D]O|FIX[M]E)\b`), Why: "finish it, or file an issue"},
	{Text: regexp.MustCompile(`^<{7} |^>{7} `), Why: "an unresolved merge"},
}

// otherTools are folders whose YAML belongs to a tool that rewrites it.
var otherTools = []string{"openspec"}

// TestRules checks the whole tree. It parses the files itself: a rule that
// asks `go list` is answered from the test cache although the tree has changed.
func TestRules(t *testing.T) {
	t.Parallel()
	tree, err := rules.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(tree.Go()); n < 10 {
		t.Fatalf("only %d Go files were found: the rules would check nothing", n)
	}
	for name, problems := range map[string][]rules.Problem{
		"layers":  rules.Layers(tree, modulePath(t), layers),
		"owners":  rules.Owners(tree, owners),
		"calls":   rules.Calls(tree, calls),
		"headers": rules.Headers(tree, otherTools),
		"budgets": rules.Budgets(tree, limits, longFunctions),
		"docs":    rules.Docs(tree),
		"specs":   rules.Specs(tree),
		"proofs":  rules.Proofs(tree, "openspec/specs/security/spec.md"),
		"code":    rules.Code(tree),
		"bans":    rules.Bans(tree, bans),
		"goals":   rules.Goals(tree, "bench"),
		"house":   rules.Problems(rules.House(tree, rules.Measures())),
		"actions": rules.Workflows(tree),
		"classes": append(rules.Classes(tree), rules.Pipelines(tree)...),
		"jobs":    rules.Jobs(tree),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, p := range problems {
				t.Error(p)
			}
		})
	}
}

// TestMeasuresInContributing holds the names and limits of the measures in
// CONTRIBUTING.md to those of the rules; the figures beside them are of a day.
func TestMeasuresInContributing(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	words := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	for _, m := range rules.Measures() {
		if row := fmt.Sprintf("| %s | %d %s |", m.Name, m.Most, m.Unit); !strings.Contains(words(string(text)), row) {
			t.Errorf("CONTRIBUTING.md has no row %q: run go run ./tools/rules -table", row)
		}
	}
}

// TestScaffold holds the files that packer-hybrid init writes to what the workflows
// and pipelines of this repository are held to.
func TestScaffold(t *testing.T) {
	t.Parallel()
	files := map[string]string{}
	err := fs.WalkDir(packerhybrid.Scaffold, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := fs.ReadFile(packerhybrid.Scaffold, name)
		files[name] = string(data)
		return err
	})
	if err != nil || files["packer-hybrid.hcl"] == "" {
		t.Fatalf("%d files are written: %v", len(files), err)
	}
	tree, err := rules.FromMap(files)
	if err != nil {
		t.Fatal(err)
	}
	for _, problems := range [][]rules.Problem{rules.Workflows(tree), rules.Classes(tree), rules.Pipelines(tree)} {
		for _, p := range problems {
			t.Error(p)
		}
	}
}

// simulators are packages, with all below them, that packer-hybrid is not built
// from: they look methods up by their names, for which the linker keeps those of
// every package, and a production program has no use for them.
var simulators = regexp.MustCompile(
	`^github\.com/(packer-hybrid/packer-hybrid/(lab|cmd/internal/labverbs)|vmware/govmomi/simulator)(/|$)`)

// cloud is what packer-hybrid-bucket alone is built from: it would double the size of
// packer-hybrid, and the memory of a bot.
var cloud = regexp.MustCompile(`^(gocloud\.dev|github\.com/aws|cloud\.google\.com|google\.golang\.org/grpc)(/|$)`)

// TestProduct checks what packer-hybrid is built from, directly or not. What
// `go list` reads is what TestRules reads, so that a cached answer is never old.
func TestProduct(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		command string
		from    *regexp.Regexp
		has     bool
	}{
		{"./cmd/packer-hybrid", simulators, false},
		{"./cmd/packer-hybrid-lab", simulators, true},
		{"./cmd/packer-hybrid", cloud, false},
		{"./cmd/packer-hybrid-bucket", cloud, true},
	} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", of.command).Output()
		if err != nil {
			t.Fatal(err)
		}
		var found []string
		for line := range strings.Lines(string(out)) {
			if name := strings.TrimSpace(line); of.from.MatchString(name) {
				found = append(found, name)
			}
		}
		if of.has != (len(found) > 0) {
			t.Errorf("%s is built from these: %q", of.command, found)
		}
	}
}

// TestMap checks that the package comment of the root names every folder with
// Go code that somebody looks for: one or two levels deep.
func TestMap(t *testing.T) {
	t.Parallel()
	tree, err := rules.Load(".")
	if err != nil {
		t.Fatal(err)
	}
	text := tree.Get("doc.go").Text
	for _, row := range layers {
		found := strings.Contains(text, "\t"+row.Unit+" ") || strings.Contains(text, "\t"+row.Unit+"/")
		if row.Unit != "." && !found {
			t.Errorf("doc.go does not mention %s, which has a row in the layer table", row.Unit)
		}
	}
}

// modulePath reads the path of the root module.
func modulePath(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	return modfile.ModulePath(data)
}
