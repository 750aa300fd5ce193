package parts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// PKI is a certificate authority that lives as long as the test.
type PKI struct {
	cert   *x509.Certificate
	key    *ecdsa.PrivateKey
	serial int64
}

// Files are the paths of PEM files.
type Files struct{ CA, Cert, Key string }

// NewPKI makes an authority with a fresh key.
func NewPKI(t TB) *PKI {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatalf("make the authority's key: %v", err)
	}
	p := &PKI{key: key, serial: 1}
	template := p.template("infusiond test authority")
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatalf("sign the authority: %v", err)
	}
	if p.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatalf("read the authority back: %v", err)
	}
	return p
}

// Client is a client's TLS configuration: it trusts this authority and shows a certificate
// with the given common name. An empty name shows none.
func (p *PKI) Client(t TB, commonName string) *tls.Config {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(p.cert)
	config := &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	if commonName == "" {
		return config
	}
	certPEM, keyPEM, err := p.issue(commonName, x509.ExtKeyUsageClientAuth)
	if err != nil {
		t.Fatalf("issue %s: %v", commonName, err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		t.Fatalf("pair %s: %v", commonName, err)
	}
	config.Certificates = []tls.Certificate{pair}
	return config
}

// WriteServer writes the authority and a certificate for 127.0.0.1 and localhost into dir.
func (p *PKI) WriteServer(dir string) (Files, error) {
	return p.write(dir, "server", x509.ExtKeyUsageServerAuth)
}

// WriteClient writes the authority and a client certificate into dir.
func (p *PKI) WriteClient(dir, commonName string) (Files, error) {
	return p.write(dir, commonName, x509.ExtKeyUsageClientAuth)
}

func (p *PKI) write(dir, name string, use x509.ExtKeyUsage) (Files, error) {
	certPEM, keyPEM, err := p.issue(name, use)
	if err != nil {
		return Files{}, err
	}
	f := Files{CA: filepath.Join(dir, "ca.crt"), Cert: filepath.Join(dir, name+".crt"), Key: filepath.Join(dir, name+".key")}
	for path, content := range map[string][]byte{f.CA: encode("CERTIFICATE", p.cert.Raw), f.Cert: certPEM, f.Key: keyPEM} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			return Files{}, err
		}
	}
	return f, nil
}

func (p *PKI) issue(commonName string, use x509.ExtKeyUsage) (certPEM, keyPEM []byte, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template := p.template(commonName)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{use}
	if use == x509.ExtKeyUsageServerAuth {
		template.DNSNames = []string{"localhost"}
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, p.cert, &key.PublicKey, p.key)
	if err != nil {
		return nil, nil, err
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	return encode("CERTIFICATE", der), encode("EC PRIVATE KEY", secret), nil
}

func (p *PKI) template(commonName string) *x509.Certificate {
	p.serial++
	return &x509.Certificate{
		SerialNumber: big.NewInt(p.serial),
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(24 * time.Hour),
	}
}

func encode(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}
