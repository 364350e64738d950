#!/bin/bash
# The demo itself, with the sanitized programs: two hypervisors, all pings, every daemon killed and the pings again. northd and the
# controllers compare their state with a fresh compute after each change (--verify).
export WEFT_LAB_OPTIONS=--verify
exec "$WEFT_SRC/tools/demo" --bin "$WEFT_BIN" --name chk
