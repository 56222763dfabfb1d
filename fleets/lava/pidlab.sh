#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# pidlab's library in a LAVA job: each scenario is a test case. Words behind it are scenarios, chapters, options.

pidlab=${PIDLAB:-pidlab}
"$pidlab" check --format ktap "$@" | while read -r line; do
	case $line in
	"not ok "*) result=fail ;;
	"ok "*"# SKIP"*) result=skip ;;
	"ok "*) result=pass ;;
	*) continue ;;
	esac
	# `ok 7 orphans/told-in-order # why`
	name=${line#not } name=${name#ok } name=${name#* }
	lava-test-case "${name%% *}" --result "$result"
done
