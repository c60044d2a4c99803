// SPDX-License-Identifier: Apache-2.0
// Created: 2026-12-01T10:12:30Z
// Spec: openspec/specs/lab-github/spec.md#requirement-state-as-on-github
// Diagram: openspec/specs/lab-github/diagram.md#path-of-a-call

package github

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// App is a GitHub App whose installation may get tokens.
type App struct {
	ID  int64
	Key *rsa.PublicKey
}

// signed checks an app's token as GitHub does: RS256 with the app's key, issued
// in the past, and for ten minutes at most.
func (a *App) signed(token string, now time.Time) bool {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return false
	}
	var raw [3][]byte
	for i, part := range parts {
		data, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil {
			return false
		}
		raw[i] = data
	}
	var head struct {
		Alg string `json:"alg"`
	}
	var claims struct {
		Issuer  string  `json:"iss"`
		Issued  float64 `json:"iat"`
		Expires float64 `json:"exp"`
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if json.Unmarshal(raw[0], &head) != nil || json.Unmarshal(raw[1], &claims) != nil || head.Alg != "RS256" ||
		rsa.VerifyPKCS1v15(a.Key, crypto.SHA256, sum[:], raw[2]) != nil {
		return false
	}
	at := float64(now.Unix())
	return claims.Issuer == strconv.FormatInt(a.ID, 10) && claims.Issued <= at && claims.Expires > at &&
		claims.Expires-claims.Issued <= 600
}
