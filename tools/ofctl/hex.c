/* hex.c - see hex.h. */
#include "tools/ofctl/hex.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ofctl/client.h"

bool hex_read(const char *text, struct of_buf *ret)
{
    int high = -1;
    for (; *text; text++) {
        if (isspace((unsigned char)*text))
            continue;
        const char *digits = "0123456789abcdef";
        const char *at = strchr(digits, tolower((unsigned char)*text));
        if (!at)
            return false;
        if (high >= 0)
            of_buf_put8(ret, (uint8_t)(high << 4 | (int)(at - digits)));
        high = high >= 0 ? -1 : (int)(at - digits);
    }
    return high < 0;
}

void hex_dump(const uint8_t *data, size_t n, bool text)
{
    struct str s = STR_INIT;
    of_hex_dump_put(&s, data, n, text);
    fputs(str_c(&s), stdout);
    str_fini(&s);
}

static void put_byte(const struct of_buf *b, size_t i)
{
    if (i < b->n)
        printf("%02x", b->data[i]);
    else
        fputs("(none)", stdout);
}

void hex_diff(const struct of_buf *old, const struct of_buf *new)
{
    for (size_t i = 0; i < old->n || i < new->n; i++) {
        if (i < old->n && i < new->n && old->data[i] == new->data[i])
            continue;
        printf("%2zu: ", i);
        put_byte(old, i);
        fputs(" -> ", stdout);
        put_byte(new, i);
        putchar('\n');
    }
}

void hex_each_line(void (*fn)(void *aux, struct of_buf *line), void *aux)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct of_buf b = OF_BUF_INIT;
        line[strcspn(line, "#")] = '\0';
        if (!hex_read(line, &b))
            ofctl_fatal("Trailing garbage in hex data");
        if (b.n)
            fn(aux, &b);
        of_buf_fini(&b);
    }
    free(line);
}
