// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-30T17:26:46Z
// Spec: openspec/specs/logs/spec.md#requirement-unknown-credentials-are-recognised-by-their-shape
// Diagram: openspec/specs/logs/diagram.md#redactor

package shape

// Anchors lists the shapes. GitHub: docs.github.com "About authentication to GitHub"; GitLab: docs "Token prefixes";
// Slack:
// api.slack.com "Token types"; AWS: IAM "Unique identifiers"; Proxmox: pve.proxmox.com "Proxmox VE API"; Azure:
// "Client secret"
// of Microsoft's sensitive information types; Vault: "Tokens"; JWT: RFC 7519; PEM: RFC 7468; crypt: crypt(5); age:
// age-encryption.org.
var Anchors = []Anchor{
	{"ghp_", 0, githubToken},
	{"gho_", 0, githubToken},
	{"ghu_", 0, githubToken},
	{"ghs_", 0, githubToken},
	{"ghr_", 0, githubToken},
	{"github_pat_", 6, githubToken},

	{"glpat-", 0, gitlabToken},   // personal, project and group access
	{"gldt-", 0, gitlabToken},    // deploy
	{"glrt-", 0, gitlabToken},    // runner authentication
	{"glrtr-", 0, gitlabToken},   // runner authentication by registration
	{"glptt-", 0, gitlabToken},   // pipeline trigger
	{"glcbt-", 0, gitlabToken},   // CI job
	{"glft-", 0, gitlabToken},    // feed
	{"glsoat-", 0, gitlabToken},  // SCIM
	{"glagent-", 0, gitlabToken}, // Kubernetes agent
	{"glimt-", 0, gitlabToken},   // incoming mail
	{"gloas-", 0, gitlabToken},   // OAuth application
	{"glffct-", 0, gitlabToken},  // feature flags client
	{"glwt-", 0, gitlabToken},    // workspace
	{"GR1348941", 0, gitlabToken},
	{"PRIVATE-TOKEN", 6, gitlabHeader},
	{"rivate-Token", 5, gitlabHeader},
	{"rivate-token", 5, gitlabHeader},

	{"xoxa-", 0, slackToken},
	{"xoxb-", 0, slackToken},
	{"xoxc-", 0, slackToken},
	{"xoxd-", 0, Kind{"slack-token", scanToken(queryBytes, 10)}}, // a cookie
	{"xoxe-", 0, slackToken},
	{"xoxe.", 0, slackToken},
	{"xoxp-", 0, slackToken},
	{"xoxr-", 0, slackToken},
	{"xoxs-", 0, slackToken},
	{"xapp-", 0, slackToken},
	{"hooks.slack.com/", 0, slackHook},
	{"hooks.slack-gov.com/", 0, slackHook},

	{"AKIA", 0, awsKey},
	{"ASIA", 0, awsKey},
	{"aws_secret_access_key", 3, awsSecret},
	{"AWS_SECRET_ACCESS_KEY", 3, awsSecret},
	{"ecretAccessKey", 4, awsSecret},

	{"PVEAPIToken=", 0, Kind{"proxmox-token", scanValue(8)}},
	{"@pam!", 0, proxmoxToken},
	{"@pve!", 0, proxmoxToken},
	{"PVEAuthCookie=", 0, Kind{"proxmox-ticket", scanValue(8)}},
	{"PVE:", 0, proxmoxTicket},
	{"PVEVNC:", 0, proxmoxTicket},
	{"CSRFPreventionToken", 0, proxmoxCSRF},
	{"CSRFPREVENTIONTOKEN", 0, proxmoxCSRF},
	{"srfpreventiontoken", 0, proxmoxCSRF}, // Go's maps of headers have Csrfpreventiontoken

	{"vmware-api-session-id", 6, vsphereSession},
	{"Vmware-Api-Session-Id", 6, vsphereSession},
	{"vmware_soap_session", 5, vsphereSession},

	{"ccountKey", 4, azureKey},
	{"ccountkey", 4, azureKey},
	{"ACCOUNTKEY", 5, azureKey},
	{"haredAccessKey", 9, azureKey},
	{"haredaccesskey", 9, azureKey},
	{"SHAREDACCESSKEY", 5, azureKey},
	{"sig=", 0, Kind{"azure-sas", scanToken(queryBytes, 40)}},
	{"0Q~", 0, azureSecret},
	{"1Q~", 0, azureSecret},
	{"2Q~", 0, azureSecret},
	{"3Q~", 0, azureSecret},
	{"4Q~", 0, azureSecret},
	{"5Q~", 0, azureSecret},
	{"6Q~", 0, azureSecret},
	{"7Q~", 0, azureSecret},
	{"8Q~", 0, azureSecret},
	{"9Q~", 0, azureSecret},

	{"hvs.", 0, vaultToken},
	{"hvb.", 0, vaultToken},
	{"hvr.", 0, vaultToken},
	{" s.", 0, vaultOldToken}, // before version 1.10
	{"\"s.", 0, vaultOldToken},
	{"'s.", 0, vaultOldToken},
	{"=s.", 0, vaultOldToken},
	{":s.", 0, vaultOldToken},
	{"[s.", 0, vaultOldToken},

	{"$1$", 0, cryptHash},
	{"$2a$", 0, cryptHash},
	{"$2b$", 0, cryptHash},
	{"$2x$", 0, cryptHash},
	{"$2y$", 0, cryptHash},
	{"$5$", 0, cryptHash},
	{"$6$", 0, cryptHash},
	{"$7$", 0, cryptHash},
	{"$y$", 0, cryptHash},
	{"$gy$", 0, cryptHash},
	{"$apr1$", 0, cryptHash},
	{"$argon2", 0, cryptHash},
	{"$scrypt$", 0, cryptHash},

	{"eyJ", 0, Kind{"jwt", scanJWT}},
	{"-----BEGIN ", 4, Kind{"private-key", scanPEM}},
	{"AGE-SECRET-KEY-1", 6, Kind{"private-key", scanToken(capitalBytes, 40)}},
	{"uthorization", 0, authorization},
	{"UTHORIZATION", 0, authorization},
	{"://", 0, Kind{"url-password", scanUserinfo}},
}

// Shapes that several anchors have.
var (
	githubToken    = Kind{"github-token", scanGitHub}
	gitlabToken    = Kind{"gitlab-token", scanToken(tokenBytes, 16)}
	slackToken     = Kind{"slack-token", scanToken(tokenBytes, 10)}
	slackHook      = Kind{"slack-webhook", scanHook}
	awsKey         = Kind{"aws-key-id", scanAWS}
	awsSecret      = Kind{"aws-secret-key", scanValue(30)}
	authorization  = Kind{"authorization", scanAuthorization}
	proxmoxToken   = Kind{"proxmox-token", scanProxmoxToken}
	proxmoxCSRF    = Kind{"proxmox-csrf-token", scanValue(20)}
	proxmoxTicket  = Kind{"proxmox-ticket", scanTicket}
	vsphereSession = Kind{"vsphere-session", scanValue(8)}
	azureKey       = Kind{"azure-account-key", scanKey}
	azureSecret    = Kind{"azure-client-secret", scanAzure}
	vaultToken     = Kind{"vault-token", scanToken(tokenBytes, 20)}
	vaultOldToken  = Kind{"vault-token", scanOldVault}
	gitlabHeader   = Kind{"gitlab-token", scanValue(8)}
	cryptHash      = Kind{"password-hash", scanCrypt}
)
