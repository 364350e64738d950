/* nx_text.c - fields as they stand on the wire, under the names of their headers and with their values in hexadecimal: what tests of
 * the codec are written in. A field whose name is not known is written as the eight digits of its header.
 */
#include "tools/ofctl/nx_text.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    COOKIE_CLASS = 1,
    COOKIE_NUMBER = 30,
    COOKIE_BYTES = 8,
    HEADER_DIGITS = 8,
    VALUE_MAX = 124,
    ANY_LEN = 256
};

struct header {
    uint16_t class;
    uint8_t number;
    bool masked;
    unsigned n_bytes; /* of the value; ANY_LEN: as many as are given (tunnel options) */
};

static const char *header_name(uint16_t class, uint8_t number)
{
    if (class == COOKIE_CLASS && number == COOKIE_NUMBER)
        return "NXM_NX_COOKIE";
    const struct field *f = field_find_header(class, number);
    if (!f)
        return NULL;
    return f->nxm.name && f->nxm.class == class && f->nxm.number == number ? f->nxm.name
                                                                           : f->oxm.name;
}

static bool same_name(const struct field_header *h, const char *name, size_t n)
{
    return h->name && strlen(h->name) == n && !memcmp(h->name, name, n);
}

static bool find_plain(const char *name, size_t n, struct header *ret)
{
    static const struct field_header cookie = {COOKIE_CLASS, COOKIE_NUMBER, "NXM_NX_COOKIE"};
    if (same_name(&cookie, name, n)) {
        *ret = (struct header){COOKIE_CLASS, COOKIE_NUMBER, false, COOKIE_BYTES};
        return true;
    }
    for (unsigned id = 1; id < N_FIELDS; id++) {
        const struct field *f = field_get(id);
        const struct field_header *h = same_name(&f->nxm, name, n)   ? &f->nxm
                                       : same_name(&f->oxm, name, n) ? &f->oxm
                                                                     : NULL;
        if (h) {
            *ret = (struct header){h->class, h->number, false,
                                   FIELD_IS_TUN_METADATA(f->id) ? ANY_LEN : f->n_bytes};
            return true;
        }
    }
    return false;
}

static bool find_header(const char *name, size_t n, struct header *ret)
{
    if (find_plain(name, n, ret))
        return true;
    if (n > 2 && !memcmp(name + n - 2, "_W", 2) && find_plain(name, n - 2, ret)) {
        ret->masked = true;
        return true;
    }
    char digits[HEADER_DIGITS + 1] = "";
    uint64_t x;
    if (n != HEADER_DIGITS)
        return false;
    memcpy(digits, name, n);
    if (text_to_u64(digits, 16, &x))
        return false;
    bool masked = x >> 8 & 1;
    *ret = (struct header){(uint16_t)(x >> 16), (uint8_t)(x >> 9 & 0x7f), masked,
                           (unsigned)(x & 0xff) / (masked ? 2 : 1)};
    return true;
}

/* The N bytes (ANY_LEN: as many as come) at *TEXT, which is moved past them. */
static int read_bytes(const char **text, unsigned n, struct of_buf *ret, struct diag *diag)
{
    unsigned got = 0;
    const char *p = *text;
    for (; got < (n == ANY_LEN ? VALUE_MAX : n); got++) {
        p += strspn(p, " \t");
        if (!isxdigit((unsigned char)p[0]) || !isxdigit((unsigned char)p[1]))
            break;
        char digits[3] = {p[0], p[1], '\0'};
        of_buf_put8(ret, (uint8_t)strtoul(digits, NULL, 16));
        p += 2;
    }
    if (n == ANY_LEN ? !got : got < n)
        return diag_set(diag, ERR_SYNTAX, "expected to read %u bytes but got %u",
                        n == ANY_LEN ? 1 : n, got);
    *text = p + strspn(p, " \t");
    return 0;
}

static int parse_field(const char *whole, const char **text, struct of_buf *ret, struct diag *diag)
{
    const char *name = *text;
    size_t n = strcspn(name, "(");
    struct header h;
    if (!name[n])
        return diag_set(diag, ERR_SYNTAX, "%s: missing ( at end of nx_match", whole);
    if (!find_header(name, n, &h))
        return diag_set(diag, ERR_SYNTAX, "%s: unknown field `%.*s'", whole, (int)n, name);
    *text = name + n + 1;
    of_buf_put16(ret, h.class);
    of_buf_put8(ret, (uint8_t)(h.number << 1 | h.masked));
    size_t length = ret->n;
    of_buf_put8(ret, 0);
    int err = read_bytes(text, h.n_bytes, ret, diag);
    if (err)
        return err;
    if (h.masked) {
        if (**text != '/')
            return diag_set(diag, ERR_SYNTAX, "%s: missing / in masked field %.*s", whole, (int)n,
                            name);
        (*text)++;
        err = read_bytes(text, (unsigned)(ret->n - length - 1), ret, diag);
        if (err)
            return err;
    }
    if (**text != ')')
        return diag_set(diag, ERR_SYNTAX, "%s: missing ) following field %.*s", whole, (int)n,
                        name);
    (*text)++;
    ret->data[length] = (uint8_t)(ret->n - length - 1);
    return 0;
}

int nx_text_parse(const char *text, struct of_buf *ret, struct diag *diag)
{
    const char *p = text;
    if (!strcmp(text, "<any>"))
        return 0;
    for (p += strspn(p, ", "); *p; p += strspn(p, ", ")) {
        int err = parse_field(text, &p, ret, diag);
        if (err)
            return err;
    }
    return 0;
}

void nx_text_put(struct str *s, const void *data, size_t n)
{
    const uint8_t *p = data, *end = p + n;
    if (!n)
        str_put(s, "<any>");
    for (const char *sep = ""; end - p >= 4; sep = ", ") {
        bool masked = p[2] & 1;
        size_t len = MIN((size_t)p[3], (size_t)(end - p - 4)), value = masked ? len / 2 : len;
        const char *name = header_name(get_be16(p), p[2] >> 1);
        str_put(s, sep);
        if (name)
            str_putf(s, "%s%s", name, masked ? "_W" : "");
        else
            str_putf(s, "%u:%u", get_be16(p), p[2] >> 1);
        str_putc(s, '(');
        str_put_hex(s, p + 4, value);
        if (masked) {
            str_putc(s, '/');
            str_put_hex(s, p + 4 + value, len - value);
        }
        str_putc(s, ')');
        p += 4 + len;
    }
}
