// SPDX-License-Identifier: Apache-2.0
// Created: 2026-11-23T00:20:28Z
// Spec: openspec/specs/lab-proxmox/spec.md#requirement-sign-in
// Diagram: openspec/specs/lab-proxmox/diagram.md#parts

package proxmox

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync"
)

// Credentials are what clients sign in with. All are needed.
type Credentials struct {
	User     string // with realm: packer@pve
	Password string
	TokenID  string // with user: packer@pve!lab
	Secret   string
}

// access says who may call.
type access struct {
	credentials Credentials

	mu      sync.Mutex
	tickets map[string]string // ticket → token against forged requests
}

// authorized wraps every call but the sign-in itself.
func (a *access) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := a.checkCaller(r); err != nil {
			answer(w, nil, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// checkCaller accepts a token, or a ticket in a header or a cookie.
func (a *access) checkCaller(r *http.Request) error {
	header := r.Header.Get("Authorization")
	if token, ok := strings.CutPrefix(header, "PVEAPIToken="); ok {
		if !same(token, a.credentials.TokenID+"="+a.credentials.Secret) {
			return &failure{status: http.StatusUnauthorized, reason: "invalid token value!"}
		}
		return nil
	}
	ticket, ok := strings.CutPrefix(header, "PVEAuthCookie=")
	if cookie, err := r.Cookie("PVEAuthCookie"); !ok && err == nil {
		ticket, ok = cookie.Value, true
	}
	if !ok {
		return &failure{status: http.StatusUnauthorized, reason: "No ticket"}
	}
	a.mu.Lock()
	csrf, known := a.tickets[ticket]
	a.mu.Unlock()
	if !known {
		return &failure{status: http.StatusUnauthorized, reason: "permission denied - invalid PVE ticket"}
	}
	if r.Method != http.MethodGet && !same(r.Header.Get("CSRFPreventionToken"), csrf) {
		return &failure{status: http.StatusUnauthorized, reason: "Permission denied - invalid csrf token"}
	}
	return nil
}

// signIn answers POST /access/ticket.
func (a *access) signIn(_ *http.Request, p params) (any, error) {
	user, c := p.get("username"), a.credentials
	if realm := p.get("realm"); realm != "" && !strings.Contains(user, "@") {
		user += "@" + realm
	}
	if right := same(p.get("password"), c.Password); !same(user, c.User) || !right {
		return nil, &failure{status: http.StatusUnauthorized, reason: "authentication failure"}
	}
	ticket, csrf := "PVE:"+user+":"+rand.Text(), rand.Text()
	a.mu.Lock()
	a.tickets[ticket] = csrf
	a.mu.Unlock()
	return map[string]any{"username": user, "ticket": ticket, "CSRFPreventionToken": csrf, "clustername": "lab"}, nil
}

// same compares secrets in constant time.
func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
