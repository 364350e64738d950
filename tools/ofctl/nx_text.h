/* nx_text.h - see nx_text.c. */
#pragma once

#include "openflow/oxm.h"

/* "NXM_OF_IN_PORT(0001), NXM_OF_IP_SRC_W(01020000/ffff0000)" to the bytes of these fields, in that order. ERR_SYNTAX with DIAG. */
int nx_text_parse(const char *text, struct of_buf *ret, struct diag *diag) MUST_CHECK;
/* The other way round; "<any>" for no bytes. */
void nx_text_put(struct str *s, const void *data, size_t n);
