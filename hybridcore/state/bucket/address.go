// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T11:07:13Z
// Spec: openspec/specs/state/spec.md#requirement-who-reaches-a-bucket
// Diagram: openspec/specs/state/diagram.md#bucket

package bucket

import (
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/packer-hybrid/packer-hybrid/hybridcore"
	"github.com/packer-hybrid/packer-hybrid/hybridcore/state"
)

// Schemes of addresses.
const (
	S3    = "s3"
	Azure = "azblob"
	GCS   = "gs"
)

// Address is where the objects of a state are.
type Address struct {
	Scheme, Bucket string
	Prefix         string // of the objects' keys: empty, or ends with '/'
	Query          url.Values
}

// rule is what the value of a parameter looks like.
type rule struct {
	form  *regexp.Regexp // nil: that of an endpoint
	named bool           // only in an address that the environment names
}

var (
	word   = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	truth  = regexp.MustCompile(`^(true|false)$`)
	name   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	domain = regexp.MustCompile(`^[a-z0-9.-]+(:[0-9]+)?$`)

	bucketRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$`)
	prefixRule = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9@+._-]{0,99}/){0,8}$`)
)

// rules are the parameters of addresses. What decides to whom a credential is shown, or
// which one, the environment alone may say: the author of a change edits project files.
var rules = map[string]map[string]rule{
	S3: {
		"region": {word, false}, "endpoint": {nil, true}, "use_path_style": {truth, true}, "profile": {name, true},
		"fips": {truth, true}, "dualstack": {truth, true},
	},
	Azure: {
		"storage_account": {regexp.MustCompile(`^[a-z0-9]{3,24}$`), false}, "domain": {domain, true},
		"protocol": {regexp.MustCompile(`^https?$`), true}, "localemu": {truth, true},
	},
	GCS: {},
}

// IsAddress says whether a text begins as an address does.
func IsAddress(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && rules[scheme] != nil
}

// Parse reads SCHEME://BUCKET/PREFIX?PARAMETERS; named by the environment of the
// process, and not by a file of the project.
func Parse(address string, named bool) (Address, error) {
	u, err := url.Parse(address)
	if err == nil && u.User != nil {
		return Address{}, hybridcore.Usagef("the address of the bucket holds a user: leave it out; docs/state.md says " +
			"where credentials go")
	}
	if err != nil || rules[u.Scheme] == nil || u.Host == "" || u.Fragment != "" || u.Opaque != "" {
		address, _, _ = strings.Cut(address, "@")
		if at := strings.Index(address, "://"); at >= 0 && err != nil {
			address = address[:at] + "://…"
		}
		return Address{}, hybridcore.Usagef("%.200q is not the address of a bucket: give s3://BUCKET/PREFIX?region=REGION, "+
			"azblob://CONTAINER/PREFIX?storage_account=ACCOUNT or gs://BUCKET/PREFIX", address)
	}
	a := Address{Scheme: u.Scheme, Bucket: u.Host, Prefix: strings.Trim(u.Path, "/")}
	if a.Prefix != "" {
		a.Prefix += "/"
	}
	if !bucketRule.MatchString(a.Bucket) {
		return Address{}, hybridcore.Usagef("%.200q is not the name of a bucket: use a-z, 0-9, '.', '_' and '-'", a.Bucket)
	}
	if !prefixRule.MatchString(a.Prefix) {
		return Address{}, hybridcore.Usagef("%.200q is no prefix of a state: use letters, digits, '@', '+', '.', '_' and "+
			"'-', and at most eight parts", a.Prefix)
	}
	if a.Query, err = url.ParseQuery(u.RawQuery); err != nil {
		return Address{}, hybridcore.Usagef("the parameters of the bucket's address cannot be read: %v", err)
	}
	return a, a.check(named)
}

func (a Address) check(named bool) error {
	known := rules[a.Scheme]
	for _, key := range slices.Sorted(maps.Keys(a.Query)) {
		r, found := known[key]
		if !found {
			return hybridcore.Usagef("%.100q is no parameter of an address %s://; known: %s", key, a.Scheme,
				strings.Join(slices.Sorted(maps.Keys(known)), ", "))
		}
		if r.named && !named {
			return hybridcore.Usagef("the parameter %s is taken from PACKER_HYBRID_STATE only: a project file may not say "+
				"where credentials go, or which", key)
		}
		values := a.Query[key]
		fits := endpoint
		if r.form != nil {
			fits = r.form.MatchString
		}
		if len(values) != 1 || !fits(values[0]) {
			return hybridcore.Usagef("the parameter %s of the bucket's address cannot be %.200q", key,
				strings.Join(values, " "))
		}
	}
	return nil
}

// endpoint tells whether credentials and objects stay unseen on the way to a server.
func endpoint(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && state.Loopback(u.Hostname())
}

// String is the address once more.
func (a Address) String() string {
	u := url.URL{Scheme: a.Scheme, Host: a.Bucket, RawQuery: a.Query.Encode()}
	if a.Prefix != "" {
		u.Path = "/" + strings.TrimSuffix(a.Prefix, "/")
	}
	return u.String()
}
