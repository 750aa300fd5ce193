//go:build linux

package link

import (
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"infusiond/gateway/infusion"
)

// The directions of captured bytes.
const (
	transmitted = '>' // gateway to pump
	received    = '<' // pump to gateway, read by the driver
	discarded   = 'x' // pump to gateway, dropped unread before a query
)

// recorder writes the capture described in the package comment.
type recorder struct {
	w     io.Writer
	clock infusion.Clock
	line  []byte
	err   error // the first failure; nothing is written after it
}

func (r *recorder) chunk(direction byte, b []byte) {
	if r.w == nil || r.err != nil || len(b) == 0 {
		return
	}
	r.stamp()
	r.line = append(r.line, ' ', direction, ' ')
	r.line = hex.AppendEncode(r.line, b)
	r.flush()
}

func (r *recorder) note(text string) {
	if r.w == nil || r.err != nil {
		return
	}
	r.line = append(append(r.line[:0], "# "...), text...)
	r.flush()
}

func (r *recorder) stamp() {
	r.line = strconv.AppendFloat(r.line[:0], r.clock().Boot.Seconds(), 'f', 6, 64)
}

// flush writes the line in one call, so that lines of several ports do not mix.
func (r *recorder) flush() {
	r.line = append(r.line, '\n')
	if _, err := r.w.Write(r.line); err != nil {
		r.err = fmt.Errorf("write capture: %w", err)
	}
}
