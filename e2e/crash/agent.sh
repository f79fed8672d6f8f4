#!/bin/sh
# An agent that proves that it is alone: while it lives it holds a lock of its task and one of its agent (slots: 1), and so
# does whatever it leaves behind. The word for its epoch (the last for all later ones) says what it does:
#   works     waits at the gate, exits with 0           fails   waits at the gate, exits with 3
#   stubborn  ignores SIGINT and SIGTERM, for ever      stays   for ever
# The gate is a FIFO: it is open while the test holds its other end.
folder=$1
shift
note() {
  printf '{"what":"%s","task":%s,"agent":"%s","epoch":%s}\n' \
    "$1" "$TINYSCHEDULER_TASK_ID" "$TINYSCHEDULER_AGENT" "$TINYSCHEDULER_EPOCH" >>"$folder/record.jsonl"
}
exec 8>>"$folder/lock.$TINYSCHEDULER_AGENT" 9>>"$folder/lock.$TINYSCHEDULER_TASK_ID"
flock -n 9 || note "two at one task"
flock -n 8 || note "two at one agent"
note start
echo at work
nth=$TINYSCHEDULER_EPOCH
[ "$nth" -gt $# ] && nth=$#
shift $((nth - 1))
[ "$1" = stubborn ] && trap '' INT TERM
# From here on it writes nothing to a supervisor that may have ended, and each signal finds it as its word says.
note ready
case $1 in
stubborn | stays) : <"$folder/never" ;;
*) : <"$folder/gate" ;;
esac
note end
[ "$1" = fails ] && exit 3
exit 0
