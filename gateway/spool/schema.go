package spool

// version is the schema of the file (user_version).
const version = 1

// mark, with the version in its last byte, is the application_id: the version's second copy, so that a
// flipped bit is not taken for a newer program.
const mark = 0x696e6600

// schema keeps a record's row small: names are numbers, times are milliseconds. seq, observations,
// events and alerts of a stream count within the newest durable epoch; records counts its rows, pos is its last
// place, also when that record is gone. Crc covers its row: SQLite has no
// checksum in the file. A hole is a stretch of places behind which no record stands.
const schema = `
CREATE TABLE epoch (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, durable INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
	seq INTEGER NOT NULL, observations INTEGER NOT NULL, events INTEGER NOT NULL, alerts INTEGER NOT NULL,
	records INTEGER NOT NULL, pos INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT;
CREATE TABLE record (pos INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, stream INTEGER NOT NULL, kind INTEGER NOT NULL,
	seq INTEGER NOT NULL, topic_seq INTEGER NOT NULL, at_ms INTEGER NOT NULL, crc INTEGER NOT NULL, payload BLOB NOT NULL) STRICT;
CREATE INDEX record_time ON record (stream, kind, at_ms);
CREATE TABLE note (key TEXT PRIMARY KEY, value BLOB NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (sink TEXT PRIMARY KEY, pos INTEGER NOT NULL, crc INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE hole (first INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
CREATE TABLE pruned (id INTEGER PRIMARY KEY CHECK (id = 1), pos INTEGER NOT NULL) STRICT;
CREATE TABLE rejected (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, pos INTEGER NOT NULL, at_ms INTEGER NOT NULL,
	reason TEXT NOT NULL, payload BLOB NOT NULL) STRICT;
INSERT INTO pruned VALUES (1, 0);
`

const (
	sqlInsertRecord = `INSERT INTO record (pos, epoch, stream, kind, seq, topic_seq, at_ms, crc, payload) VALUES (?,?,?,?,?,?,?,?,?)`
	sqlPutStream    = `INSERT INTO stream (id, name, seq, observations, events, alerts, records, pos, crc) VALUES (?,?,?,?,?,?,?,?,?)
		ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, observations = excluded.observations, events = excluded.events,
		alerts = excluded.alerts, records = excluded.records, pos = excluded.pos, crc = excluded.crc`
	sqlPutEpoch    = `INSERT INTO epoch (id, name, durable, crc) VALUES (?,?,?,?)`
	sqlPutNote     = `INSERT INTO note (key, value, crc) VALUES (?,?,?) ON CONFLICT (key) DO UPDATE SET value = excluded.value, crc = excluded.crc`
	sqlDeleteNote  = `DELETE FROM note WHERE key = ?`
	sqlPutCursor   = `INSERT INTO cursor (sink, pos, crc) VALUES (?,?,?) ON CONFLICT (sink) DO UPDATE SET pos = excluded.pos, crc = excluded.crc`
	sqlPutHole     = `INSERT OR REPLACE INTO hole (first, last) VALUES (?,?)`
	sqlPutReject   = `INSERT INTO rejected (sink, pos, at_ms, reason, payload) VALUES (?,?,?,?,?)`
	sqlDeleteAfter = `DELETE FROM record WHERE pos > ?`

	columns  = `pos, epoch, stream, kind, seq, topic_seq, at_ms, crc, payload`
	sqlAfter = `SELECT ` + columns + ` FROM record WHERE pos > ? AND pos <= ? ORDER BY pos LIMIT ?`
	sqlCount = `SELECT count(*) FROM record WHERE pos > ? AND pos <= ?`
	// A page of history: behind (at_ms, pos), so that no read transaction stays open while a page is used.
	sqlRange = `SELECT ` + columns + ` FROM record WHERE stream = ? AND kind = ? AND (at_ms, pos) > (?, ?) AND at_ms < ? AND pos <= ?
		ORDER BY at_ms, pos LIMIT ?`
	sqlPrunable = `SELECT pos FROM record WHERE stream = ? AND kind = ? AND at_ms < ? AND pos <= ? LIMIT ?`
)
