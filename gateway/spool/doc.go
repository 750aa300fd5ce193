// Package spool is the gateway's own record: every observation, event and alert, numbered and on disk
// before anything leaves the house. It is the source of truth for the sinks and for the page's
// history.
//
// One SQLite file (modernc.org/sqlite: SQLite in Go without cgo, actively kept, so the answer to power
// cuts is SQLite's own), in WAL mode with synchronous=full, used append-only. One goroutine writes
// (Run); what is handed over while a transaction runs shares the next one. A record is visible to
// readers only after its commit.
//
// The disk never stops the gateway. When a commit fails or takes longer than the limit, the spool goes on
// from memory, bounded, under a new epoch with Durable false; it tries the disk again, and when it works
// the memory's records go there in order, with their keys, before a new durable epoch begins.
// A file that cannot be opened is set aside with its name kept, never deleted.
//
// Not done here: thinning of observations when the disk is full (design section 5, overflow order);
// a full disk is a failed commit.
package spool
