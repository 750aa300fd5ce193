package document

import (
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"infusiond/gateway/units"
)

// Node is one value of a document, or the place where one is missing.
type Node struct {
	doc  *Document
	node *yaml.Node
	path string
	line int // of the mapping that misses it
}

// Mapping is a node with keys.
type Mapping struct {
	Node
	values map[string]*yaml.Node
}

// Present says whether the value stands in the file. An explicit null counts as missing.
func (n Node) Present() bool { return n.node != nil && n.node.Tag != "!!null" }

// Line is the value's line, or that of the mapping that misses it.
func (n Node) Line() int {
	if n.node != nil {
		return n.node.Line
	}
	return n.line
}

// Fail reports the value.
func (n Node) Fail(text, mend string) {
	p := Problem{File: n.doc.file, Line: n.Line(), Key: n.path, Text: text, Mend: mend}
	if n.node != nil && n.node.Kind == yaml.ScalarNode {
		p.Value = n.node.Value
	}
	n.doc.problems = append(n.doc.problems, p)
}

// Need reports the value when it is missing.
func (n Node) Need(mend string) Node {
	if !n.Present() && n.doc.root != nil {
		n.Fail("is missing", mend)
	}
	return n
}

// Mapping reads the node as a mapping and reports every key that is not named.
func (n Node) Mapping(keys ...string) Mapping {
	m := Mapping{Node: n, values: map[string]*yaml.Node{}}
	if !n.Present() {
		return m
	}
	if n.node.Kind != yaml.MappingNode {
		n.Fail("is not a group of keys", "write the keys "+strings.Join(keys, ", ")+" below it, indented")
		return m
	}
	for i := 0; i+1 < len(n.node.Content); i += 2 {
		key, value := n.node.Content[i], n.node.Content[i+1]
		if !slices.Contains(keys, key.Value) {
			n.doc.problems = append(n.doc.problems, Problem{
				File: n.doc.file, Line: key.Line, Key: join(n.path, key.Value),
				Text: "this key is not known", Mend: suggest(key.Value, keys),
			})
			continue
		}
		m.values[key.Value] = value
	}
	return m
}

// Get returns the value of a key, which may be missing.
func (m Mapping) Get(key string) Node {
	return Node{doc: m.doc, node: m.values[key], path: join(m.path, key), line: m.Line()}
}

// Keys reads the node as a mapping with free keys, in the order of the file.
func (n Node) Keys() []string {
	if !n.Present() {
		return nil
	}
	if n.node.Kind != yaml.MappingNode {
		n.Fail("is not a group of keys", "write key: value lines below it, indented")
		return nil
	}
	var keys []string
	for i := 0; i+1 < len(n.node.Content); i += 2 {
		keys = append(keys, n.node.Content[i].Value)
	}
	return keys
}

// List returns the elements of a list.
func (n Node) List() []Node {
	if !n.Present() {
		return nil
	}
	if n.node.Kind != yaml.SequenceNode {
		n.Fail("is not a list", "begin each entry with - on its own line")
		return nil
	}
	out := make([]Node, len(n.node.Content))
	for i, c := range n.node.Content {
		out[i] = Node{doc: n.doc, node: c, path: fmt.Sprintf("%s[%d]", n.path, i), line: c.Line}
	}
	return out
}

func (n Node) scalar(want string) (string, bool) {
	if !n.Present() {
		return "", false
	}
	if n.node.Kind != yaml.ScalarNode {
		n.Fail("is not "+want, "write "+want)
		return "", false
	}
	return n.node.Value, true
}

// Text reads a text without control characters.
func (n Node) Text() string {
	text, ok := n.scalar("a text")
	if ok && strings.ContainsFunc(text, func(r rune) bool { return r < 0x20 || r == 0x7f }) {
		n.Fail("holds a control character", "write plain text")
		return ""
	}
	return text
}

var nameForm = regexp.MustCompile(`^[a-z0-9-]{1,32}$`)

// Name reads a name of a gateway, pump or infusion: [a-z0-9-]{1,32}.
func (n Node) Name() string {
	text, ok := n.scalar("a name")
	if ok && !nameForm.MatchString(text) {
		n.Fail("is not a name", "use 1 to 32 of a-z, 0-9 and -")
		return ""
	}
	return text
}

// OneOf reads one of the given words.
func (n Node) OneOf(words ...string) string {
	text, ok := n.scalar("one of " + strings.Join(words, ", "))
	if ok && !slices.Contains(words, text) {
		n.Fail("is not one of "+strings.Join(words, ", "), suggest(text, words))
		return ""
	}
	return text
}

// Bool reads true or false; def when missing.
func (n Node) Bool(def bool) bool {
	text, ok := n.scalar("true or false")
	switch {
	case !ok:
		return def
	case text == "true":
		return true
	case text == "false":
		return false
	}
	n.Fail("is not true or false", "write true or false")
	return def
}

// Int reads a whole number within bounds; def when missing.
func (n Node) Int(least, most, def int) int {
	text, ok := n.scalar("a whole number")
	if !ok {
		return def
	}
	v, err := strconv.Atoi(text)
	if err != nil || v < least || v > most {
		n.Fail(fmt.Sprintf("is not a whole number from %d to %d", least, most), "mend it")
		return def
	}
	return v
}

// Duration reads a duration with its unit ("5s", "2m30s") within bounds; def when missing.
func (n Node) Duration(least, most, def time.Duration) time.Duration {
	text, ok := n.scalar("a duration such as 5s")
	if !ok {
		return def
	}
	v, err := time.ParseDuration(text)
	if err != nil {
		n.Fail("is not a duration", `write a number with its unit, such as "5s" or "2m"`)
		return def
	}
	if v < least || v > most {
		n.Fail(fmt.Sprintf("is not between %v and %v", least, most), "mend it")
		return def
	}
	return v
}

// Decimal reads a plain decimal number; nil when missing or wrong. The safe-medication rules
// hold: a digit before the point ("0.5", never ".5"), no trailing zero after it
// ("5", never "5.0"), no exponent.
func (n Node) Decimal() *big.Rat {
	text, ok := n.scalar("a number")
	if !ok {
		return nil
	}
	v, err := units.ParseDecimal(text)
	switch whole, fraction, hasPoint := strings.Cut(text, "."); {
	case err != nil && whole == "" && fraction != "":
		n.Fail("has no digit before the point, which can be misread tenfold", `write "0.`+fraction+`"`)
		return nil
	case err != nil:
		n.Fail("is not a plain decimal number", `write digits and at most one point, without a unit, such as "0.5"`)
		return nil
	case hasPoint && strings.HasSuffix(fraction, "0"):
		n.Fail("ends in a zero after the point, which can be misread tenfold", "write "+strconv.Quote(units.FormatDecimal(v)))
		return nil
	}
	return v
}

// Within reads a decimal from least to most, both given as decimals, in a named unit.
func (n Node) Within(least, most, unit string) *big.Rat {
	v := n.Decimal()
	if v == nil {
		return nil
	}
	lo, errLo := units.ParseDecimal(least)
	hi, errHi := units.ParseDecimal(most)
	if errLo != nil || errHi != nil {
		n.Fail("has no usable bounds "+least+" to "+most, "report this")
		return nil
	}
	if v.Cmp(lo) < 0 || v.Cmp(hi) > 0 {
		n.Fail(fmt.Sprintf("is not between %s and %s %s", least, most, unit), "check the number and its unit")
		return nil
	}
	return v
}

// Time reads a point in time with its zone, RFC 3339; the zero time when missing or wrong.
func (n Node) Time() time.Time {
	text, ok := n.scalar("a time")
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		n.Fail("is not a time with its zone", `write it like "2026-03-01T08:00:00+01:00"`)
		return time.Time{}
	}
	return t.UTC()
}

// Date reads a calendar day, the zero time when missing or wrong.
func (n Node) Date() time.Time {
	text, ok := n.scalar("a date")
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.DateOnly, text)
	if err != nil {
		n.Fail("is not a date", `write it like "2026-03-01"`)
		return time.Time{}
	}
	return t
}
