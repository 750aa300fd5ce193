package publish

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"sync"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"infusiond/gateway/relay"
)

const (
	dialFor      = 10 * time.Second
	handshakeFor = 20 * time.Second // dial, TLS and CONNACK together
	writeFor     = 10 * time.Second
	keepAlive    = 15 * time.Second
	pingFor      = 5 * time.Second
)

// conn reads ahead, because paho asks for single bytes, and remembers why reading ended.
type conn struct {
	net.Conn
	reader *bufio.Reader

	mu  sync.Mutex
	err error // the first read error
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.reader.Read(b)
	if err != nil {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err == nil {
			c.err = err
		}
	}
	return n, err
}

// cause is why reading ended, nil while it goes on.
func (c *conn) cause() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// dial opens the way to the broker, TLS included.
func (e endpoint) dial(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	var d net.Dialer
	raw, err := d.DialContext(ctx, "tcp", e.address)
	if err != nil {
		return nil, err
	}
	raw = quickAck(raw)
	if e.tls == nil {
		return &conn{Conn: raw, reader: bufio.NewReader(raw)}, nil
	}
	secure := tls.Client(raw, e.tls)
	if err := secure.HandshakeContext(ctx); err != nil {
		closeErr := raw.Close()
		if ctx.Err() == nil && !errors.Is(err, context.DeadlineExceeded) {
			err = &handshakeError{err: err}
		}
		return nil, errors.Join(err, closeErr)
	}
	return &conn{Conn: secure, reader: bufio.NewReader(secure)}, nil
}

// connect makes a client of its own for one connection and waits for CONNACK. What is
// told about the connection's end goes to lost.
func (p *Publisher) connect(ctx context.Context, lost chan<- error) (mqtt.Client, *conn, error) {
	password := ""
	if p.o.Password != nil {
		var err error
		if password, err = p.o.Password(); err != nil {
			return nil, nil, &relay.Failure{Code: CodeAuth, Hint: "check that the password file exists and may be read", Err: err, Refuse: true}
		}
	}
	// Dialled here and not by paho, which cannot be called off.
	c, err := p.endpoint.dial(ctx)
	if err != nil {
		return nil, nil, err
	}
	o := mqtt.NewClientOptions().AddBroker("tcp://"+p.endpoint.address).SetClientID(p.o.ClientID).
		SetUsername(p.o.Username).SetPassword(password).
		SetProtocolVersion(4).SetCleanSession(true).SetAutoReconnect(false).SetConnectRetry(false).
		SetKeepAlive(keepAlive).SetPingTimeout(pingFor).SetConnectTimeout(handshakeFor).SetWriteTimeout(writeFor).
		SetBinaryWill(p.o.Topics.Status(), p.o.Will(), 1, true).
		SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err }). // called once, lost has room
		SetCustomOpenConnectionFn(func(*url.URL, mqtt.ClientOptions) (net.Conn, error) { return c, nil })
	client := mqtt.NewClient(o)
	release := context.AfterFunc(ctx, func() { _ = c.Close() }) // ends a wait for CONNACK; the error shows there
	defer release()
	token := client.Connect()
	<-token.Done() // bounded by the connect timeout
	if err := token.Error(); err != nil {
		return nil, nil, errors.Join(err, closed(c))
	}
	return client, c, nil
}

// closed closes c. It may be closed already.
func closed(c *conn) error {
	if err := c.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
