// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T01:00:00Z
// Spec: openspec/specs/static-validation/spec.md#requirement-settings-of-untrusted-trees
// Diagram: openspec/specs/static-validation/diagram.md#policy

package validate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/finding"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/schemas"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/validate/untrusted"
)

// ansible is a build with a provisioner that has one more setting.
func ansible(setting string) string {
	return build("  provisioner \"ansible\" {\n    playbook_file = \"${path.root}/p.yml\"\n    " + setting + "\n  }")
}

// proxmox is a source with one more block.
func proxmox(block string) string {
	return strings.ReplaceAll(strings.ReplaceAll(iso(block), "vsphere-iso", "proxmox-iso"), "vsphere", "proxmox")
}

// clone is a source of another kind with one more block.
func clone(block string) string {
	return strings.ReplaceAll(iso(block), "vsphere-iso", "vsphere-clone")
}

// secretly makes a value that is not known here, though Packer will know it.
const hidden = "variable \"hidden\" {\n  type      = string\n  sensitive = true\n  default   = \"x\"\n}\n"

func under(rule string, texts ...string) map[string]string {
	all := map[string]string{}
	for _, text := range texts {
		all[text] = rule
	}
	return all
}

// reaching are settings with which a source or a step would reach something, by
// the rule that says so.
func reaching() []map[string]string {
	long := "${var.hidden}"
	return []map[string]string{
		under(finding.RulePolicySetting,
			iso("export {\n    force            = true\n    output_directory = \"/etc/cron.d\"\n  }"),
			iso("export {\n    output_directory = \"${path.root}/x\"\n    name = \"../../x\"\n  }"),
			iso("dynamic \"export\" {\n    for_each = [1]\n    content {\n      output_directory = \"/etc\"\n    }\n  }"),
			iso("dynamic \"export\" {\n    for_each = []\n    content {\n    }\n  }"),
			clone("remote_source {\n    url = \"https://attacker.example/x.ova\"\n  }"),
			iso("storage {\n    inner {\n      command = \"id\"\n    }\n  }"), iso("packer_user_variables = { a = \"b\" }"),
			proxmox(`qemu_additional_args = "-drive file=/etc/shadow"`),
			proxmox("pci_devices {\n    romfile = \"/etc/shadow\"\n  }"),
			strings.ReplaceAll(iso("use_azure_cli_auth = true"), "vsphere-iso", "azure-arm"),
			ansible(`unknown_setting = "x"`),
			build("  provisioner \"shell\" {\n    inline = [\"id\"]\n    valid_until = \"x\"\n  }"),
			build("  post-processor \"manifest\" {\n    outputs = \"/etc/x\"\n  }"),
			strings.Replace(iso(""), "sources = [\"source.vsphere-iso.x\"]",
				"source \"source.vsphere-iso.x\" {\n    export {\n      force = true\n    }\n  }", 1),
		),
		under(finding.RulePolicyPart,
			head+"source \"file\" \"y\" {\n  target  = \"/etc/cron.d/x\"\n  content = \"x\"\n}\n",
			head+"source \"azure-chroot\" \"y\" {\n  command_wrapper = \"id; {{.Command}}\"\n}\n",
			head+"source \"vsphere-supervisor\" \"y\" {\n  kubeconfig_path = \"/etc/kube.conf\"\n}\n",
			build("  dynamic \"provisioner\" {\n    for_each = [1]\n    labels   = [md5(\"shell-local\")]\n    content {\n   "+
				" }\n  }"),
			hidden+build("  dynamic \"provisioner\" {\n    for_each = [1]\n    labels   = [var.hidden]\n    content {\n    "+
				"}\n  }"),
			hidden+build("  post-processors {\n    dynamic \"post-processor\" {\n      for_each = [1]\n      labels   = "+
				"[var.hidden]\n      content {\n      }\n    }\n  }"),
			hidden+strings.Replace(head, "[\"source.null.x\"]", "[var.hidden]", 1),
			build(`  post-processor "compress" { output = "/etc/x" }`),
			build(`  post-processor "checksum" { output = "/etc/x" }`),
		),
		under(finding.RulePolicyRun,
			ansible(`extra_arguments = ["-e", "@/etc/shadow"]`), ansible(`extra_arguments = ["-e@/etc/shadow"]`),
			ansible(`extra_arguments = ["--extra-vars=@/etc/shadow"]`),
			ansible(`extra_arguments = ["--extra-vars", " @/etc/shadow"]`),
			ansible(`extra_arguments = ["--extra-vars", "{\"ansible_connection\": \"local\"}"]`),
			ansible(`extra_arguments = ["-e", "a=b ansible_connection=local"]`),
			ansible(`extra_arguments = ["-e", "a=b @/etc/shadow"]`),
			ansible(`extra_arguments = ["-e", jsonencode({ ansible_ssh_common_args = "x" })]`),
			ansible(`extra_arguments = ["-e", jsonencode({ a = uuidv4(), Ansible_Connection = "local" })]`),
			ansible(`extra_arguments = ["-e", jsonencode({ for k in [uuidv4()] : k => 1 })]`),
			ansible(`extra_arguments = ["-e", uuidv4()]`),
			ansible(`extra_arguments = ["--ssh-common-args=-o ProxyCommand=id"]`),
			ansible(`extra_arguments = ["--ssh-c=-o ProxyCommand=id"]`),
			ansible(`extra_arguments = ["--ssh-extra-args", "-o ProxyCommand=id"]`),
			ansible(`extra_arguments = ["-i", "/etc/hosts"]`),
			ansible(`extra_arguments = ["-i/etc/hosts"]`), ansible(`extra_arguments = ["-c", "local"]`),
			ansible(`extra_arguments = ["--connection=local"]`),
			ansible(`extra_arguments = ["--vault-password-file", "/etc/shadow"]`),
			ansible(`extra_arguments = ["--private-key=/etc/ssh/id"]`),
			ansible(`extra_arguments = ["--module-path", "/tmp"]`), ansible(`extra_arguments = ["-M/tmp"]`),
			ansible(`extra_arguments = ["-l", "@/etc/shadow"]`),
			ansible(`extra_arguments = ["/etc/other.yml"]`), ansible(`extra_arguments = ["--", "/etc/other.yml"]`),
			ansible(`extra_arguments = ["--tags", "--connection=local"]`),
			ansible(`extra_arguments = ["--tags"]`), ansible(`extra_arguments = [uuidv4()]`),
			ansible(`extra_arguments = [for a in ["-i"] : a]`),
			ansible(`extra_arguments = concat(["-e"], ["@/etc/shadow"])`),
			hidden+ansible(`extra_arguments = split(" ", var.hidden)`),
			ansible(`extra_arguments = [base64decode("LWk="), "/etc/hosts"]`),
			ansible(`ansible_env_vars = ["ANSIBLE_CONFIG=/etc/ansible.cfg"]`),
			ansible(`ansible_env_vars = ["ANSIBLE_CONFIG=${abspath(path.root)}/../x.cfg"]`),
			ansible(`ansible_env_vars = ["ANSIBLE_SSH_ARGS=-o ProxyCommand=id"]`),
			ansible(`ansible_env_vars = ["LD_PRELOAD=/tmp/x.so"]`),
			ansible(`ansible_env_vars = ["PATH=."]`), ansible(`ansible_env_vars = ["PYTHONPATH=."]`),
			ansible(`ansible_env_vars = [uuidv4()]`),
			ansible(`ansible_env_vars = ["ANSIBLE_CONFIG"]`), ansible(`ansible_env_vars = ["ANSIBLE_VAULT_PASSWORD_FILE=x"]`),
			ansible(`host_alias = "x ansible_connection=local"`),
			ansible("host_alias = \"x\\n[all:vars]\\nansible_connection=local\""),
			ansible(`groups = ["x]\nlocalhost ansible_connection=local\n["]`), hidden+ansible(`host_alias = var.hidden`),
			ansible(`user = "-oProxyCommand=id"`),
			ansible(`ansible_ssh_extra_args = ["-o ProxyCommand=id"]`), ansible(`sftp_command = "id"`),
			iso(`iso_target_extension = "/../../../etc/cron.d/x"`),
			iso(`cd_label = "-o/etc/x"`),
		),
		under(finding.RulePolicyURL,
			iso(`iso_url = "https://mirror.example//../..?checksum=file:http://attacker.example/x"`),
			iso(`iso_url = "https://mirror.example/x.iso?checksum=file:http://attacker.example"`),
			iso(`iso_url = "https://mirror.example/a//b.iso"`), iso(`iso_url = "https://mirror.example/a/%2e%2e/b.iso"`),
			iso(`iso_url = "https://mirror.example/a%2f%2fb.iso"`),
			iso(`iso_url = "https://mirror.example/x.iso#y"`), iso(`iso_url = "https://mirror.example/x.iso?"`),
			iso(`iso_url = "https://mirror.example/x%3fchecksum=y"`),
			iso(`iso_url = "git::https://mirror.example/x.git"`), iso(`iso_url = "s3::https://mirror.example/x"`),
			iso(`iso_url = "https::https://mirror.example/x"`),
			iso(`iso_url = "hg::https://mirror.example/x"`), iso(`iso_url = "file::https://mirror.example/x"`),
			iso(`iso_url = "http://mirror.example/x.iso"`),
			iso(`iso_url = "ftp://mirror.example/x.iso"`), iso(`iso_url = "smb://mirror.example/x.iso"`),
			iso(`iso_url = "mirror.example/x.iso"`),
			iso(`iso_url = "//mirror.example/x.iso"`), iso(`iso_url = "https://mirror.example:444/x.iso"`),
			iso(`iso_url = "https://mirror.example.attacker.example/x.iso"`),
			iso(`iso_url = "https://attacker.example\\@mirror.example/x.iso"`), iso(`iso_url = "https:mirror.example/x.iso"`),
			iso(`iso_url = " https://mirror.example/x.iso"`),
			iso(`iso_urls = ["https://mirror.example/x.iso", "/etc/shadow"]`),
			iso(`iso_url = base64decode("ZmlsZTovLy9ldGMvc2hhZG93")`), hidden+iso(`iso_url = var.hidden`),
			iso(`iso_checksum = "FILE:http://attacker.example/x"`), iso(`iso_checksum = "file:/etc/shadow"`),
			iso(`iso_checksum = "file:./x"`),
			iso(`iso_checksum = "sha256:file:http://attacker.example"`), iso(`iso_checksum = "https://attacker.example"`),
			iso(`iso_checksum = " none"`),
			proxmox("boot_iso {\n    iso_url = \"http://attacker.example/x\"\n  }"),
			proxmox("additional_iso_files {\n    iso_checksum = \"file:http://attacker.example/x\"\n  }"),
			hidden+proxmox("dynamic \"boot_iso\" {\n    for_each = var.hidden == \"x\" ? [1] : []\n    content {\n      "+
				"iso_url = \"http://attacker.example/x\"\n    }\n  }"),
			proxmox("dynamic \"boot_iso\" {\n    for_each = []\n    content {\n      iso_url = "+
				"\"http://attacker.example/x\"\n    }\n  }"),
		),
		under(finding.RulePolicyPath,
			iso(`cd_files = ["*/../*/../*"]`), iso(`floppy_files = ["x/../y"]`), iso(`floppy_dirs = ["a\\..\\.."]`),
			iso(`iso_target_path = "/etc/cron.d/x"`),
			iso(`iso_target_path = "${path.root}/../x"`), iso(`http_directory = "~"`), iso(`http_directory = path.cwd`),
			iso(`vm_name = path.cwd`),
			iso(`cd_content = { "../../../etc/cron.d/x" = "x" }`), iso(`cd_content = { "/a/../../x" = "x" }`),
			hidden+iso(`cd_content = { for k in [var.hidden] : k => "x" }`),
			proxmox("boot_iso {\n    cd_files = [\"/etc/*\"]\n  }"),
			proxmox("dynamic \"boot_iso\" {\n    for_each = []\n    content {\n      cd_files = [\"/etc/*\"]\n    }\n  }"),
			clone("customize {\n    windows_sysprep_file = \"/etc/shadow\"\n  }"),
			strings.ReplaceAll(iso(`client_cert_path = "/etc/x.pem"`), "vsphere-iso", "azure-arm"),
			strings.ReplaceAll(iso(`custom_data_file = "/etc/shadow"`), "vsphere-iso", "azure-arm"),
			hidden+build("  provisioner \"file\" {\n    direction   = var.hidden\n    source      = \"a.pkr.hcl\"\n    "+
				"destination = \"/etc/cron.d/x\"\n  }"),
			build("  provisioner \"file\" {\n    direction   = base64decode(\"ZG93bmxvYWQ=\")\n    source      = \"/x\"\n    "+
				"destination = \"/etc/cron.d/x\"\n  }"),
			build("  post-processor \"manifest\" {\n    output = \"/etc/cron.d/x\"\n  }"),
			build("  provisioner \"shell\" {\n    scripts = [\"/etc/shadow\"]\n  }"),
			ansible(`roles_path = "/etc"`), ansible(`collections_path = "../x"`), ansible(`inventory_file = "/etc/hosts"`),
			ansible(`galaxy_file = "/etc/x"`),
			ansible(`ssh_host_key_file = "/etc/ssh/ssh_host_rsa_key"`),
			ansible(`ansible_env_vars = ["ANSIBLE_CONFIG=${abspath("/etc")}/x"]`),
			head+"locals {\n  a = abspath(\"..\")\n}\n", head+"locals {\n  a = fileset(\"..\", \"*\")\n}\n",
		),
		under(finding.RulePolicyCall,
			head+"locals {\n  a = abspath(\".\")\n}\n", iso(`vm_name = abspath(path.root)`),
			iso(`iso_target_path = "${substr(abspath("."), 0, 1)}etc"`),
			ansible(`ansible_env_vars = ["ANSIBLE_CONFIG=${trimsuffix(abspath("."), "x")}/x"]`),
			head+"locals {\n  a = textdecodebase64(\"ewB7AA==\", \"UTF-16LE\")\n}\n",
			head+"locals {\n  a = rsadecrypt(\"x\", \"y\")\n}\n",
			head+"locals {\n  a = templatefile(\"${path.root}/reads.tpl\", {})\n}\n",
			head+"locals {\n  a = [for f in fileset(path.root, \"*.tpl\") : templatefile(\"${path.root}/${f}\", {})]\n}\n",
			iso(`notes = "{{ range 3000000000 }}{{ end }}"`), iso(`notes = "{{ vault `+"`a` `b`"+` }}"`),
			iso(`notes = "{{ pwd }}"`), iso(`notes = "{{ .Name | printf \"%999999d\" }}"`),
			iso(`notes = "{{define \"a\"}}{{template \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}"`),
			iso(`notes = "{{ .Name }}{{env \"x\"}}"`),
			iso(`notes = base64decode("e3sgcHdkIH19")`), iso(`notes = "{${"{"} pwd }}"`),
			iso(`notes = jsondecode("\"\\u007b\\u007b pwd }}\"")`),
			hidden+iso(`notes = "{{ pwd }}`+long+`"`), hidden+iso(`notes = "{`+long+`{ pwd }}"`),
			hidden+iso(`notes = "${replace("{x{ pwd }}`+long+`", "x", "")}"`),
			hidden+iso(`notes = "${jsondecode("\"\\u007b\\u007b pwd }}`+long+`\"")}"`),
			hidden+iso(`notes = join("{", ["", "", " pwd }}`+long+`"])`),
			hidden+iso(`notes = yamldecode("\"\\x7b\\x7b pwd }}\"")`),
			hidden+iso(`notes = "${substr(jsonencode({}), 0, 1)}{ pwd }}`+long+`"`),
			hidden+iso(`notes = trimspace((replace(("{x{ pwd }}`+long+`"), "x", "")))`),
			hidden+strings.Replace(iso(`notes = trimspace((replace((local.b), "x", "")))`), "build {",
				"locals {\n  a = \"{x{ pwd }}${var.hidden}\"\n  b = trimspace((upper(local.a)))\n}\nbuild {", 1),
			hidden+strings.Replace(iso(`notes = "${local.b}${join("", [local.b])}"`), "build {",
				"locals {\n  a = \"{x{ pwd }}\"\n  b = \"${local.a}${var.hidden}\"\n}\nbuild {", 1),
			hidden+strings.Replace(iso(`notes = "${local.a}`+long+`"`), "build {", "locals {\n  a = \"{{ pwd }}\"\n}\nbuild {",
				1),
			strings.ReplaceAll(hidden, `"x"`, `"{{ pwd }}"`)+iso(`notes = var.hidden`),
			iso(`cd_content = { "x" = "{{ pwd }}" }`), iso(`cd_content = { "{{ pwd }}" = "x" }`),
			hidden+iso(`notes = replace(templatefile("${path.root}/plain.txt", { a = var.hidden }), "x", "")`),
			iso(`cd_content = { "x" = templatefile("${path.root}/acts.tpl", { a = var.hidden }) }`)+hidden,
			hidden+iso("dynamic \"storage\" {\n    for_each = var.hidden == \"x\" ? [\"{{ pwd }}\"] : []\n    content {\n    "+
				"  disk_size = storage.value\n    }\n  }"),
			hidden+iso("dynamic \"vapp\" {\n    for_each = [\"{{ pwd }}${var.hidden}\"]\n    content {\n      properties = { "+
				"a = vapp.value }\n    }\n  }"),
			iso(`notes = file("${path.root}/large.txt")`), hidden+iso(`notes = [for f in [var.hidden] : file(f)][0]`),
			iso(`boot_command = ["<enter>", "{{ pwd }}"]`),
			build("  provisioner \"shell\" {\n    inline = [\"echo {{ pwd }}\"]\n  }"),
			build("  provisioner \"shell\" {\n    execute_command = \"{{ .Path }} {{ user `x` }}\"\n    inline = [\"id\"]\n  }"),
			proxmox("boot_iso {\n    cd_label = \"{{ pwd }}\"\n  }"),
			proxmox("dynamic \"boot_iso\" {\n    for_each = []\n    content {\n      cd_label = \"{{ pwd }}\"\n    }\n  }"),
		),
		under(finding.RuleWork,
			iso("dynamic \"storage\" {\n    for_each = range(1000)\n    content {\n      disk_size = 1\n    }\n  }"),
			build("  dynamic \"provisioner\" {\n    for_each = range(90)\n    labels   = [\"shell\"]\n    content { inline = "+
				"[bcrypt(\"x\")] }\n  }"),
			hidden+build("  dynamic \"provisioner\" {\n    for_each = split(\",\", \"${var.hidden}"+strings.Repeat(",", 99)+
				"\")\n    labels   = [\"shell\"]\n    content { inline = [bcrypt(\"x\")] }\n  }"),
			strings.Replace(build("  provisioner \"shell\" {\n    inline = [bcrypt(\"x\"), bcrypt(\"y\")]\n  }"),
				"\"source.null.x\"", strings.TrimSuffix(strings.Repeat("\"source.null.x\", ", 50), ", "), 1),
		),
	}
}

// settingsTree is a tree of one template, with files beside it.
func settingsTree(text string) validate.Input {
	in := input(map[string]string{
		"a.pkr.hcl": text, "p.yml": "- hosts: all\n", "ansible.cfg": "[defaults]\n", "reads.tpl": "${file(\"/etc/shadow\")}",
		"acts.tpl": "x {{ pwd }} ${a}", "large.txt": strings.Repeat("x", 80_000) + "{{ pwd }}",
		"plain.txt": "f() { echo ${a}; }\n{ x\n",
	})
	for _, kind := range []string{"vsphere-iso", "proxmox-iso", "vsphere-clone", "azure-arm"} {
		if strings.Contains(text, `source "`+kind+`" "x"`) {
			in.Targets[0].Source = kind + ".x"
		}
	}
	in.Policy = &untrusted.Policy{Hosts: []string{"mirror.example"}}
	return in
}

// What a source or a step of somebody untrusted could reach is refused by the
// rule that names it, in whatever block it stands and whatever hides it.
func TestSettingsOfUntrustedTrees(t *testing.T) {
	t.Parallel()
	for _, all := range reaching() {
		for text, rule := range all {
			findings := validate.Check(settingsTree(text))
			is := func(f hybridcore.Finding) bool { return f.Rule == rule && f.Blocking && f.Line > 0 && f.Hint != "" }
			if !slices.ContainsFunc(findings, is) {
				t.Errorf("want %s:\n%s\n%v", rule, text, findings)
			}
		}
	}
}

// What real templates say is allowed.
func TestHarmlessSettings(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		iso(`iso_url = "https://mirror.example/debian/12/x-1.2.iso"`), iso(`iso_urls = ["https://MIRROR.example/x%20y.iso"]`),
		iso(`iso_checksum = "none"`),
		iso(`iso_checksum = "sha256:0123456789abcdef"`), iso(`iso_checksum = "0123456789ABCDEF"`),
		iso(`iso_checksum = "file:https://mirror.example/SHA256SUMS"`),
		iso("storage {\n    disk_size = 1\n  }\n  network_adapters {\n    network = \"x\"\n  }"),
		iso("content_library_destination {\n    library = \"x\"\n  }"),
		iso(`cd_content = { "/user-data" = "a: { b: 1 }", "x/y" = "{}" }`), iso(`boot_command = ["<enter>{<wait>", "{ {"]`),
		iso(`notes = "{{ timestamp }} {{isotime}} {{ .Name }}"`),
		hidden + iso(`notes = "x { y } ${var.hidden}"`),
		hidden + iso(`notes = "${upper(var.hidden)}-${join(", ", ["a", var.hidden])}"`), iso(`notes = base64decode("eA==")`),
		hidden + iso(`cd_content = { "x" = templatefile("${path.root}/plain.txt", { a = var.hidden }) }`),
		iso(`http_directory = "${path.root}"`), iso(`cd_files = ["${path.root}/*.cfg"]`),
		proxmox("boot_iso {\n    iso_file = \"local:iso/x.iso\"\n    type     = \"ide\"\n  }\n  disks {\n    storage_pool " +
			"= \"x\"\n  }"),
		clone("customize {\n    linux_options {\n      host_name = \"x\"\n    }\n  }"),
		ansible(`extra_arguments = ["-vv", "--tags", "a,b", "--extra-vars", "a=b c=d", "--become"]`),
		ansible(`extra_arguments = ["-e", jsonencode({ a = uuidv4(), b = [1, { ansible_x = 1 }] })]`),
		ansible(`extra_arguments = ["--extra-vars={\"a\": 1}", "--skip-tags=x"]`),
		ansible(`ansible_env_vars = ["ANSIBLE_CONFIG=${abspath(path.root)}/ansible.cfg", "ANSIBLE_NOCOLOR=1"]`),
		ansible(`host_alias = "default"`), ansible(`user = "packer"`),
		build("  provisioner \"shell\" {\n    inline          = [\"echo $${HOME} {\", \"}\"]\n    execute_command = " +
			"\"sudo -E {{ .Vars }} {{.Path}}\"\n    max_retries     = 2\n  }"),
		build("  provisioner \"shell\" {\n    inline = [\"echo {{ build `ID` }}\"]\n    timeout = \"5m\"\n  }"),
		build("  dynamic \"provisioner\" {\n    for_each = range(90)\n    labels   = [\"shell\"]\n    content { inline = " +
			"[\"echo ${provisioner.value}\"] }\n  }"),
		build("  dynamic \"provisioner\" {\n    for_each = [1, 2]\n    labels   = [\"shell\"]\n    content { inline = " +
			"[\"echo ${provisioner.value}\"] }\n  }"),
		build("  provisioner \"file\" {\n    source      = \"${path.root}/p.yml\"\n    destination = \"/etc/cron.d/x\"\n  }"),
		build(`  post-processor "manifest" { output = "out.json" }`),
	} {
		for _, f := range validate.Check(settingsTree(text)) {
			if f.Kind == finding.KindPolicy || f.Rule == finding.RuleWork {
				t.Errorf("%s\n%v", text, f)
			}
		}
	}
}

// Every setting and block of the plugins that may be used was looked at: what is
// not allowed is named here, and a new one fails until it is in one of the lists.
func TestSettingsWereLookedAt(t *testing.T) {
	t.Parallel()
	hypervisor, disks := []string{"qemu_additional_args", "romfile"}, []string{"export"}
	want := map[string][]string{
		"proxmox-iso": hypervisor, "proxmox-clone": hypervisor, "vsphere-iso": disks, "vsphere-clone": disks,
		"azure-arm": {"oidc_request_token", "use_azure_cli_auth"}, "null": nil,
	}
	for name, refused := range want {
		schema, _ := schemas.Embedded(schemas.Builder, name)
		var b strings.Builder
		body(&b, &schema.Block)
		text := "source \"" + name + "\" \"x\" {\n" + b.String() + "}\nbuild {\n  sources = [\"source." + name + ".x\"]\n}\n"
		var got []string
		for _, f := range validate.Check(settingsTree(text)) {
			if f.Rule != finding.RulePolicySetting {
				continue
			}
			got = append(got, strings.Fields(f.Message)[2])
		}
		slices.Sort(got)
		if diff := cmp.Diff(refused, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// body writes every setting of a block once, without a value.
func body(b *strings.Builder, block *schemas.Block) {
	for name := range block.Attributes {
		if !strings.HasPrefix(name, "packer_") {
			b.WriteString(name + " = null\n")
		}
	}
	for name, inner := range block.Blocks {
		b.WriteString(name + " {\n")
		body(b, inner)
		b.WriteString("}\n")
	}
}
