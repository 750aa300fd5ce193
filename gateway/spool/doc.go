// Package spool is the gateway's record on disk: the source of truth for the sinks and
// for the page's history.
package spool
