package browsertest

import (
	"net"
	"sync"
	"testing"
)

// proxy passes bytes on until it is frozen; then it holds them and accepts in silence.
type proxy struct {
	address  string
	upstream string
	listener net.Listener
	gate     sync.RWMutex // held for writing while frozen
	workers  sync.WaitGroup

	mu     sync.Mutex
	conns  []net.Conn
	ended  bool
	frozen bool
}

func startProxy(t *testing.T, upstream string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: listener.Addr().String(), upstream: upstream, listener: listener}
	p.workers.Go(p.accept)
	t.Cleanup(func() {
		listener.Close()
		p.mu.Lock()
		p.ended = true
		for _, c := range p.conns {
			c.Close()
		}
		p.mu.Unlock()
		p.thaw()
		p.workers.Wait()
	})
	return p
}

func (p *proxy) freeze() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate.Lock()
	p.frozen = true
}

func (p *proxy) thaw() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.frozen {
		p.gate.Unlock()
	}
	p.frozen = false
}

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return // closed by the test
		}
		server, err := net.Dial("tcp", p.upstream)
		if err != nil {
			client.Close()
			continue
		}
		if !p.keep(client, server) {
			return
		}
		p.workers.Go(func() { p.pass(server, client) })
		p.workers.Go(func() { p.pass(client, server) })
	}
}

// keep remembers connections for the end of the test, which may be now.
func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		for _, c := range conns {
			c.Close()
		}
		return false
	}
	p.conns = append(p.conns, conns...)
	return true
}

func (p *proxy) pass(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			p.gate.RLock()
			_, writeErr := to.Write(buffer[:n])
			p.gate.RUnlock()
			if writeErr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
