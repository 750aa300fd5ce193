package whole

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"infusiond/drivers/miva/wire"
)

// reads are the read queries of section 5 of the protocol document, written down here by hand: the
// driver's own allow-list must not vouch for itself.
const reads = ` RN RS RL RM RB R3 R7 R8 R9 RA RC RD R2 R1 RX S9
	Q0 Q3 Q4 Q5 Q6 Q7 Q8 Q9 QA QC QD QE QF QG QH QI Q1 Q2 RI
	*IDN? :SERIAL? :INFU:RUN? :INFU:RATE? :PROTOCOL:NAME? :PROTOCOL:RATE? :TOTAL:TIME? :SERV:TIME? `

// mayRead says whether a payload is on the list; RE carries the index of a record of the ring.
func mayRead(payload string) bool {
	if index, isRecord := strings.CutPrefix(payload, "RE"); isRecord {
		return len(index) == 8 && strings.Trim(index, "0123456789ABCDEF") == "" && index <= "0000A8FF"
	}
	for known := range strings.FieldsSeq(reads) {
		if payload == known {
			return true
		}
	}
	return false
}

// readOnly looks, when a test has ended, at what the pumps received and at every byte string that the
// gateway wrote.
func (r *rig) readOnly() {
	for _, s := range r.sim.Statuses() {
		if s.Wire.Control != 0 || s.Wire.Unknown != 0 {
			r.t.Errorf("pump %s received %d control commands and %d unknown ones, want none", s.Name, s.Wire.Control, s.Wire.Unknown)
		}
		queries, err := r.sim.Queries(s.Name)
		if err != nil {
			r.t.Errorf("queries of %s: %v", s.Name, err)
		}
		for _, q := range queries {
			if !mayRead(q) {
				r.t.Errorf("pump %s was asked %q, which is no read query", s.Name, q)
			}
		}
	}
	for _, c := range readCapture(r.t, r.capture) {
		if c.direction != '>' {
			continue
		}
		if payload, err := wire.DecodeFrame(c.bytes, wire.Sum); err != nil || !mayRead(string(payload)) {
			r.t.Errorf("infusiond wrote % X (%q, %v), which is no read query", c.bytes, payload, err)
		}
	}
}

// chunk is one line of a capture.
type chunk struct {
	direction byte // > to the pump, < from it, x dropped unread
	bytes     []byte
}

// readCapture reads the captures of all ports: FILE, or with several pumps FILE.PUMP, one after
// the other. A run that never began has none.
func readCapture(t *testing.T, path string) []chunk {
	t.Helper()
	files, err := filepath.Glob(path + "*")
	if err != nil {
		t.Errorf("find captures: %v", err)
	}
	var chunks []chunk
	for _, file := range files {
		chunks = append(chunks, readChunks(t, file)...)
	}
	return chunks
}

func readChunks(t *testing.T, path string) []chunk {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Errorf("read capture: %v", err)
	}
	var chunks []chunk
	lines := bufio.NewScanner(bytes.NewReader(data))
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), "#") {
			continue
		}
		field := strings.Fields(lines.Text())
		if len(field) != 3 || len(field[1]) != 1 {
			t.Errorf("line of the capture cannot be read: %q", lines.Text())
			continue
		}
		b, err := hex.DecodeString(field[2])
		if err != nil {
			t.Errorf("line of the capture cannot be read: %q: %v", lines.Text(), err)
			continue
		}
		chunks = append(chunks, chunk{field[1][0], b})
	}
	return chunks
}
