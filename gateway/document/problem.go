package document

import (
	"fmt"
	"strings"
)

// Problem is one thing wrong in a file.
type Problem struct {
	File  string
	Line  int    // from 1; 0 when the whole file is meant
	Key   string // path of the key, e.g. "pumps[0].serial"
	Value string // as it stands in the file
	Text  string // what is wrong
	Mend  string // what to do
}

// Error prints file:line: key: value: what is wrong; what to do.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	b.WriteString(": ")
	if p.Key != "" {
		b.WriteString(p.Key + ": ")
	}
	if p.Value != "" {
		fmt.Fprintf(&b, "%q: ", p.Value)
	}
	b.WriteString(p.Text)
	if p.Mend != "" {
		b.WriteString("; " + p.Mend)
	}
	return b.String()
}

// Problems are all problems of one reading, in the order of their lines.
type Problems []Problem

// Error prints one problem a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}
