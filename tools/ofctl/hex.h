/* hex.h - bytes as people type and read them. */
#pragma once

#include "openflow/protocol.h"

/* Appends the bytes of TEXT, blanks left out; false: something else is in it, or a digit is missing. */
bool hex_read(const char *text, struct of_buf *ret) MUST_CHECK;
/* Sixteen bytes a line, to standard output; TEXT: with the printable characters behind. */
void hex_dump(const uint8_t *data, size_t n, bool text);
/* A line for each byte in which NEW differs from OLD: " 7: 01 -> 00", "(none)" behind an end. */
void hex_diff(const struct of_buf *old, const struct of_buf *new);
/* Calls FN with the bytes of each line of standard input that has any; comments begin with '#'. Anything else ends the program. */
void hex_each_line(void (*fn)(void *aux, struct of_buf *line), void *aux);
