package page

import (
	"embed"
	"encoding/json"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strconv"
	"strings"
)

//go:embed static
var static embed.FS

// file is one embedded file, ready to be sent.
type file struct {
	content     []byte
	contentType string
}

// staticFiles reads every embedded file once. A fixed table has no directory listing and no
// path to walk out of.
func staticFiles() (map[string]file, error) {
	types := map[string]string{
		".html": "text/html; charset=utf-8",
		".css":  "text/css; charset=utf-8",
		".js":   "text/javascript; charset=utf-8",
		".json": "application/json",
		".svg":  "image/svg+xml",
	}
	files := map[string]file{}
	err := fs.WalkDir(static, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := static.ReadFile(name)
		if err != nil {
			return err
		}
		contentType := types[path.Ext(name)]
		if contentType == "" {
			contentType = "text/plain; charset=utf-8"
		}
		files["/"+name] = file{content: content, contentType: contentType}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("page: read embedded files: %w", err)
	}
	files["/"] = files["/static/index.html"]
	return files, nil
}

// handler routes behind the checks that hold for every request.
func (p *Page) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/api/live", p.live)
	mux.HandleFunc("/api/time", p.time)
	mux.HandleFunc("/api/history", p.history)
	mux.HandleFunc("/", p.serveFile)
	return guard(mux)
}

// guard sets the security headers, refuses everything but GET and HEAD, and refuses foreign
// host names: a web site whose name was re-bound to 127.0.0.1 would otherwise read the page.
func guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; object-src 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cache-Control", "no-store") // an old copy must not look like the present
		if !loopbackName(hostOnly(r.Host)) {
			http.Error(w, "This page answers to localhost, 127.0.0.1 and [::1] only.", http.StatusForbidden)
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "This page can only be read.", http.StatusMethodNotAllowed)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostOnly takes the port off a Host header.
func hostOnly(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

func (p *Page) serveFile(w http.ResponseWriter, r *http.Request) {
	f, ok := p.files[r.URL.Path]
	if !ok {
		http.Error(w, "There is no such file.", http.StatusNotFound)
		return
	}
	p.send(w, r, f.contentType, f.content)
}

// time lets a page that gets no live data find out whether the daemon answers at all.
func (p *Page) time(w http.ResponseWriter, r *http.Request) {
	p.sendJSON(w, r, p.heartbeat())
}

func (p *Page) sendJSON(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		p.options.Log.Error("page answer cannot be encoded", "path", r.URL.Path, "error", err)
		http.Error(w, "The gateway could not write its answer.", http.StatusInternalServerError)
		return
	}
	p.send(w, r, "application/json", body)
}

func (p *Page) send(w http.ResponseWriter, r *http.Request, contentType string, body []byte) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if r.Method == http.MethodHead {
		return
	}
	if _, err := w.Write(body); err != nil {
		p.options.Log.Debug("page client went away", "path", r.URL.Path, "error", err)
	}
}
