// Package schema holds the JSON Schema files of the contract with subscribers
// and checks messages against them. It is for tests and for subscribers; the
// daemon does not import it, so that the validator is no part of it.
//
// What the files cannot say is checked beside them: numbers are plain decimals,
// no key stands twice, a retained message is valid for some time, an alert
// stands once in its set, and a message belongs to its topic.
//
// github.com/santhosh-tekuri/jsonschema/v6 is the validator because it passes the official
// test suite for draft 2020-12, keeps numbers as text and needs only golang.org/x/text beside it.
package schema
