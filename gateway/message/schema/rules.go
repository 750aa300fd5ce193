package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"infusiond/gateway/message"
)

// fits says whether a valid message belongs to its topic.
func fits(a message.Address, doc map[string]any) error {
	if doc["gateway"] != a.Gateway {
		return fmt.Errorf("gateway %v does not fit the topic", doc["gateway"])
	}
	pump, has := doc["pump"]
	if has != (a.Pump != "") || (has && pump != a.Pump) {
		return fmt.Errorf("pump %v does not fit the topic", pump)
	}
	source := message.SourcePump
	if a.Simulated {
		source = message.SourceSim
	}
	if doc["source"] != source {
		return fmt.Errorf("source %v does not fit the root", doc["source"])
	}
	return nil
}

// consistent checks what JSON Schema cannot say. The message is valid otherwise, so times
// have one form and compare as text.
func consistent(doc map[string]any) error {
	if until, has := doc["valid_until"].(string); has {
		if ts, _ := doc["ts"].(string); until <= ts {
			return fmt.Errorf("valid_until %s is not after ts %s", until, ts)
		}
	}
	alerts, _ := doc["alerts"].([]any)
	seen := map[any]bool{}
	for _, a := range alerts {
		alert, _ := a.(map[string]any)
		if seen[alert["id"]] {
			return fmt.Errorf("alert %v stands twice in the set", alert["id"])
		}
		seen[alert["id"]] = true
	}
	return nil
}

// plain checks the text of a message: one JSON value, no key twice in an object, numbers
// without exponent.
func plain(payload []byte) error {
	d := json.NewDecoder(bytes.NewReader(payload))
	d.UseNumber()
	if err := plainValue(d, "", 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the message")
	}
	return nil
}

const maxDepth = 32

func plainValue(d *json.Decoder, at string, depth int) error {
	token, err := d.Token()
	if err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	if depth > maxDepth {
		return fmt.Errorf("%s: nested too deeply", at)
	}
	switch t := token.(type) {
	case json.Number:
		if !message.PlainDecimal(t.String()) {
			return fmt.Errorf("%s: number %s is not a plain decimal", at, t)
		}
	case json.Delim:
		return plainMembers(d, at, depth, t == '{')
	}
	return nil
}

// plainMembers reads the rest of an object or array.
func plainMembers(d *json.Decoder, at string, depth int, object bool) error {
	seen := map[string]bool{}
	for i := 0; d.More(); i++ {
		name := fmt.Sprint(i)
		if object {
			token, err := d.Token()
			if err != nil {
				return fmt.Errorf("not JSON: %w", err)
			}
			name, _ = token.(string)
			if seen[name] {
				return fmt.Errorf("%s: key %q stands twice", at, name)
			}
			seen[name] = true
		}
		if err := plainValue(d, at+"/"+name, depth+1); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	}
	return nil
}
