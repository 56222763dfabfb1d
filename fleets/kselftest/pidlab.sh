#!/bin/sh
# SPDX-License-Identifier: MIT OR Apache-2.0
# pidlab's library as a test of the kernel's selftests, on the kernel that runs. Results come as KTAP, a line a scenario, as they are done.
#
# Put this folder below tools/testing/selftests, and pidlab on the PATH or where PIDLAB says. Words behind it are scenarios, chapters, options.
# Exit codes are those of Documentation/dev-tools/kselftest.rst: 0 passed, 1 failed, 4 skipped.

pidlab=${PIDLAB:-pidlab}
if ! command -v "$pidlab" >/dev/null; then
	echo "1..0 # SKIP there is no $pidlab"
	exit 4
fi

"$pidlab" check --format ktap "$@"
case $? in
0) exit 0 ;;
# Nothing could be told, or nothing could run: that is no answer about the kernel, and no pass.
3 | 4) exit 4 ;;
*) exit 1 ;;
esac
