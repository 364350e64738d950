/* error.h - error codes by name and as each version writes them; for tools. What sends and reads errors is in protocol.h. */
#pragma once

#include "openflow/protocol.h"

struct of_error_wire {
    uint32_t vendor; /* 0: the standard */
    uint16_t type, code;
};

/* "OFPBMC_BAD_PREREQ" to OF_ERR_MATCH_BAD_PREREQ; 0: unknown. */
int of_error_find(const char *name);
/* False: VERSION has no number for it. */
bool of_error_wire(int error, uint8_t version, struct of_error_wire *ret) MUST_CHECK;
