#!/bin/bash
# The demo itself, with the sanitized programs: two hypervisors, all pings, every daemon killed and the pings again.
exec "$WEFT_SRC/tools/demo" --bin "$WEFT_BIN" --name chk
