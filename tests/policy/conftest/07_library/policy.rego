package main

import data.lib.changes

deny contains msg if {
	some address in changes.created
	glob.match("*.legacy*", [], address)
	msg := concat(": ", ["legacy", address])
}
