/* chars.h - what a byte may be in the language's texts, whatever the locale. Internal to lib/expr. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum char_class {
    CHAR_ID = 1 << 0, /* begins an identifier */
    CHAR_DIGIT = 1 << 1,
    CHAR_HEX = 1 << 2,
    CHAR_SPACE = 1 << 3,
};

extern const uint8_t char_classes[256]; /* lexer.c */

static inline bool char_is(char c, unsigned classes)
{
    return char_classes[(unsigned char)c] & classes;
}
