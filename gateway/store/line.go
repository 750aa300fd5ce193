package store

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"infusiond/gateway/message"
)

// line builds one point in line protocol. Fields without a value are left out.
type line struct {
	b      []byte
	fields int
	err    error
}

// newLine begins a point. Tags come in pairs; one without a value is left out.
func newLine(measurement string, tags ...string) *line {
	l := &line{b: make([]byte, 0, 512)}
	l.b = append(l.b, measurement...)
	for i := 0; i+1 < len(tags); i += 2 {
		if tags[i+1] == "" {
			continue
		}
		l.b = append(l.b, ',')
		l.b = append(l.b, tags[i]...)
		l.b = append(l.b, '=')
		l.b = append(l.b, tagEscapes.Replace(tags[i+1])...)
	}
	l.b = append(l.b, ' ')
	return l
}

// tagEscapes guards what ends a tag value. A backslash cannot be escaped there and a line
// break not everywhere; both are replaced.
var tagEscapes = strings.NewReplacer(",", `\,`, "=", `\=`, " ", `\ `, `\`, "/", "\n", `\ `, "\r", `\ `)

var textEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

func (l *line) key(name string) {
	if l.fields > 0 {
		l.b = append(l.b, ',')
	}
	l.fields++
	l.b = append(l.b, name...)
	l.b = append(l.b, '=')
}

// text writes a string field.
func (l *line) text(name, value string) {
	if value == "" {
		return
	}
	l.key(name)
	l.b = append(l.b, '"')
	l.b = append(l.b, textEscapes.Replace(value)...)
	l.b = append(l.b, '"')
}

// flag writes a boolean field.
func (l *line) flag(name string, value bool) {
	l.key(name)
	l.b = strconv.AppendBool(l.b, value)
}

// whole writes an integer field.
func (l *line) whole(name string, value int64) {
	l.key(name)
	l.b = strconv.AppendInt(l.b, value, 10)
	l.b = append(l.b, 'i')
}

// count writes an unsigned number as an integer field: not every server knows unsigned ones.
func (l *line) count(name string, value uint64) {
	if value > math.MaxInt64 {
		l.fail(fmt.Errorf("%s is %d, more than an integer field holds", name, value))
		return
	}
	l.whole(name, int64(value))
}

// errNumber says that a decimal cannot be a float field.
var errNumber = errors.New("not a finite number")

// decimal writes a number as a float field; an absent one is left out. The text of the nearest
// float's shortest form goes out, so that what is read back is the same decimal
// (up to 15 digits, which is more than a pump has).
func (l *line) decimal(name string, value message.Decimal) {
	if value.IsZero() {
		return
	}
	f, err := strconv.ParseFloat(value.String(), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		l.fail(fmt.Errorf("%s: %q: %w", name, value.String(), errNumber))
		return
	}
	l.key(name)
	l.b = strconv.AppendFloat(l.b, f, 'f', -1, 64)
}

// moment writes a time as text, as it stands in the message.
func (l *line) moment(name string, t message.Time) {
	if !t.IsZero() {
		l.text(name, t.String())
	}
}

func (l *line) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// end closes the line with its time in nanoseconds.
func (l *line) end(ns int64) (string, error) {
	if l.err != nil {
		return "", l.err
	}
	l.b = append(l.b, ' ')
	l.b = strconv.AppendInt(l.b, ns, 10)
	return string(l.b), nil
}
