package publish

import (
	"net"
	"syscall"
)

// quick acknowledges what it reads at once. A broker that collects its acknowledgements (Nagle's
// rule, Mosquitto's default) otherwise holds back the last ones of a batch until the
// kernel's delayed acknowledgement comes, 40 ms later, and so at each end of a batch.
type quick struct {
	net.Conn
	raw syscall.RawConn
}

func quickAck(c net.Conn) net.Conn {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return c // slower, not wrong
	}
	return &quick{Conn: c, raw: raw}
}

// Read implements net.Conn.
func (q *quick) Read(b []byte) (int, error) {
	n, err := q.Conn.Read(b)
	if err != nil {
		return n, err
	}
	// The kernel forgets the option, so it is set each time. That it fails makes
	// nothing wrong, only slower; a broken connection shows at the next read.
	_ = q.raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	})
	return n, nil
}
