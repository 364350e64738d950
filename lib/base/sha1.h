/* sha1.h - SHA-1 (FIPS 180-4), for formats that use it as a checksum; it protects against nobody. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA1_SIZE = 20, SHA1_TEXT_LEN = 40 };

void sha1(const void *bytes, size_t n, uint8_t digest[SHA1_SIZE]);
/* The digest in lower case; writes SHA1_TEXT_LEN + 1 bytes to TEXT and returns it. */
char *sha1_text(const void *bytes, size_t n, char text[SHA1_TEXT_LEN + 1]);
