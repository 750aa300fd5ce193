package whole

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"infusiond/gateway/message"
	"infusiond/gateway/proof/parts"
)

// rowsByKey reads a measurement of a gateway. Two rows of one record fail the test.
func rowsByKey(t *testing.T, db *parts.InfluxServer, measurement, gateway string) map[key]parts.Row {
	t.Helper()
	rows, err := db.Query(t.Context(), fmt.Sprintf("SELECT * FROM %s WHERE gateway = '%s'", measurement, gateway))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[key]parts.Row, len(rows))
	for _, row := range rows {
		number, _ := row["seq"].(json.Number)
		seq, err := number.Int64()
		if err != nil {
			t.Fatalf("row of %s without seq: %v", measurement, row)
		}
		epoch, _ := row["epoch"].(string)
		pump, _ := row["pump"].(string)
		k := key{epoch, pump, uint64(seq)}
		if other, twice := found[k]; twice {
			t.Errorf("%s holds %s twice: %v and %v", measurement, k, other, row)
		}
		found[k] = row
	}
	return found
}

// awaitDatabase waits until the database holds as many records of a gateway as were published, and
// demands that they are the same ones.
func awaitDatabase(t *testing.T, db *parts.InfluxServer, gateway string, published func() map[key]record) {
	t.Helper()
	measurement := map[string]string{
		message.SchemaObservation: "infusion", message.SchemaEvent: "infusion_event", message.SchemaAlert: "infusion_alert",
	}
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for began := time.Now(); ; {
		stored := map[string]map[key]parts.Row{}
		n := 0
		for schema, name := range measurement {
			stored[schema] = rowsByKey(t, db, name, gateway)
			n += len(stored[schema])
		}
		want := published()
		if n < len(want) && time.Since(began) < parts.Patience {
			<-again.C
			continue
		}
		for k, r := range want {
			if _, there := stored[r.env.Schema][k]; !there {
				t.Errorf("%s, record %s, is not in the database", r.env.Schema, k)
			}
		}
		if n != len(want) {
			t.Errorf("%d records in the database, %d were published", n, len(want))
		}
		return
	}
}
