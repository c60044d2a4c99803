// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:17:17Z
// Spec: openspec/specs/lab-azure/spec.md#requirement-azure-discovery-and-tokens
// Diagram: openspec/specs/lab-azure/diagram.md#parts

// Package entra simulates the part of Entra ID that the simulated Azure needs: it gives tokens to one application and
// checks them.
package entra

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/packer-hybrid/packer-hybrid/lab/azure/arm"
)

// Directory is the part of Entra ID that gives tokens and checks them.
type Directory struct {
	tenant string // its GUID
	client string // the application that may sign in
	object string // the application's object: oid in tokens
	secret string // the application's password
	url    string // of the simulator
	key    []byte // signs tokens
}

// New makes a directory with one application.
func New(tenant, client, object, secret, url string) *Directory {
	return &Directory{tenant, client, object, secret, url, []byte(rand.Text())}
}

// tokenLife is how long a token is good for, as Entra ID has it by default (60 to 90 minutes).
const tokenLife = time.Hour

// maxForm bounds the body of a request for a token, in bytes.
const maxForm = 64 << 10

// claims are what a token says. Clients read oid; the simulator reads the rest.
type claims struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
	App      string `json:"appid"`
	Object   string `json:"oid"`
	Tenant   string `json:"tid"`
	ID       string `json:"uti"`
}

// sign makes a JSON web token that only this simulator accepts.
func (d *Directory) sign(c claims) (string, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return "", fmt.Errorf("making a token: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode([]byte(`{"typ":"JWT","alg":"HS256"}`)) + "." + encode(text)
	return signed + "." + encode(d.mac(signed)), nil
}

// mac authenticates the signed part of a token.
func (d *Directory) mac(signed string) []byte {
	h := hmac.New(sha256.New, d.key)
	h.Write([]byte(signed))
	return h.Sum(nil)
}

// accepts reports whether a token is one of ours and still good.
func (d *Directory) accepts(token string, now time.Time) bool {
	cut := strings.LastIndexByte(token, '.')
	if cut < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(token[cut+1:])
	if err != nil || !hmac.Equal(signature, d.mac(token[:cut])) {
		return false
	}
	_, payload, _ := strings.Cut(token[:cut], ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	var c claims
	if err != nil || json.Unmarshal(text, &c) != nil {
		return false
	}
	return now.Unix() < c.Expires
}

// Authenticate lets only calls with a token of ours through to next.
func (d *Directory) Authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		switch {
		case token == "" || !strings.EqualFold(scheme, "Bearer"):
			w.Header().Set("WWW-Authenticate",
				d.Challenge("invalid_token", "The authentication failed because of missing 'Authorization' header."))
			arm.WriteError(w, arm.Refuse(http.StatusUnauthorized, "AuthenticationFailed",
				"Authentication failed. The 'Authorization' header is missing."))
		case !d.accepts(token, time.Now()):
			w.Header().Set("WWW-Authenticate", d.Challenge("invalid_token", "The access token is invalid or has expired."))
			arm.WriteError(w, arm.Refuse(http.StatusUnauthorized, "InvalidAuthenticationToken",
				"The access token is invalid or has expired."))
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// Challenge is the WWW-Authenticate header, from which clients read the tenant.
func (d *Directory) Challenge(code, description string) string {
	return fmt.Sprintf("Bearer authorization_uri=%q, error=%q, error_description=%q", d.url+"/"+d.tenant,
		code, description)
}

// ServeOpenID answers where tokens come from, which Microsoft's libraries ask first.
func (d *Directory) ServeOpenID(w http.ResponseWriter, r *http.Request) {
	tenant := r.PathValue("tenant")
	if tenant != d.tenant {
		writeTokenError(w, http.StatusBadRequest, "invalid_tenant", 90002, "Tenant not found.")
		return
	}
	base := d.url + "/" + tenant
	arm.WriteJSON(w, http.StatusOK, map[string]any{
		"issuer": base + "/v2.0", "token_endpoint": base + "/oauth2/v2.0/token",
		"authorization_endpoint": base + "/oauth2/v2.0/authorize", "jwks_uri": base + "/discovery/v2.0/keys",
		"token_endpoint_auth_methods_supported": []string{"client_secret_post"},
		"response_types_supported":              []string{"token"}, "subject_types_supported": []string{"pairwise"},
		"id_token_signing_alg_values_supported": []string{"RS256"},
	})
}

// ServeToken gives a token to the lab's client.
func (d *Directory) ServeToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		writeTokenError(w, http.StatusBadRequest, "invalid_request", 900144, "The request body is not a form.")
		return
	}
	form := r.PostForm
	scopes := []string{d.url + "/.default", d.url + "//.default"}
	switch {
	case r.PathValue("tenant") != d.tenant:
		writeTokenError(w, http.StatusBadRequest, "invalid_request", 90002, "Tenant not found.")
	case form.Get("grant_type") != "client_credentials":
		writeTokenError(w, http.StatusBadRequest, "unsupported_grant_type", 70003,
			"The lab only knows the grant client_credentials.")
	case form.Get("client_id") != d.client:
		writeTokenError(w, http.StatusBadRequest, "unauthorized_client", 700016,
			"The application was not found in the directory.")
	case subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(d.secret)) != 1:
		writeTokenError(w, http.StatusUnauthorized, "invalid_client", 7000215, "Invalid client secret provided.")
	case !slices.ContainsFunc(strings.Fields(form.Get("scope")),
		func(one string) bool { return slices.Contains(scopes, one) }):
		writeTokenError(w, http.StatusBadRequest, "invalid_scope", 70011,
			"The scope is not valid: the lab knows "+scopes[0]+".")
	default:
		d.giveToken(w)
	}
}

func (d *Directory) giveToken(w http.ResponseWriter) {
	now := time.Now()
	token, err := d.sign(claims{
		Audience: d.url, Issuer: d.url + "/" + d.tenant + "/", IssuedAt: now.Unix(), Expires: now.Add(tokenLife).Unix(),
		App: d.client, Object: d.object, Tenant: d.tenant, ID: rand.Text(),
	})
	if err != nil {
		writeTokenError(w, http.StatusInternalServerError, "server_error", 90033, err.Error())
		return
	}
	arm.WriteJSON(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": int(tokenLife.Seconds()), "ext_expires_in": int(tokenLife.Seconds()),
		"access_token": token,
	})
}

// writeTokenError answers with an error as Entra ID reports it.
func writeTokenError(w http.ResponseWriter, status int, code string, number int, message string) {
	arm.WriteJSON(w, status, map[string]any{
		"error": code, "error_codes": []int{number}, "error_description": fmt.Sprintf("AADSTS%d: %s", number, message),
	})
}
