/* field.c - the table of fields made from fields.def, and lookups in it. */
#include "flow/field.h"

#include <ctype.h>
#include <stdlib.h>

#include "base/err.h"
#include "flow/key.h"

#define NO                                                                                         \
    {                                                                                              \
        0, 0, NULL                                                                                 \
    }
#define H(CLASS, NUMBER, NAME)                                                                     \
    {                                                                                              \
        CLASS, NUMBER, NAME                                                                        \
    }
#define WIRE_BYTES(BITS)                                                                           \
    ((BITS) <= 8     ? 1                                                                           \
     : (BITS) <= 16  ? 2                                                                           \
     : (BITS) == 24  ? 3                                                                           \
     : (BITS) <= 32  ? 4                                                                           \
     : (BITS) <= 48  ? 6                                                                           \
     : (BITS) <= 64  ? 8                                                                           \
     : (BITS) <= 128 ? 16                                                                          \
                     : 124)
enum { M = 1, W = 2, I = 4 };

static const struct field fields[N_FIELDS] = {
#define FIELD(ID, NAME, ALIAS, BITS, MEMBER, SHIFT, FORMAT, PREREQ, FLAGS, NXM, OXM)               \
    [FIELD_##ID] = {.id = FIELD_##ID,                                                              \
                    .name = NAME,                                                                  \
                    .alias = ALIAS,                                                                \
                    .n_bits = BITS,                                                                \
                    .n_bytes = WIRE_BYTES(BITS),                                                   \
                    .offset = offsetof(struct flow_key, MEMBER),                                   \
                    .size = sizeof((struct flow_key *)0)->MEMBER,                                  \
                    .shift = SHIFT,                                                                \
                    .format = FORMAT_##FORMAT,                                                     \
                    .prereq = PREREQ_##PREREQ,                                                     \
                    .maskable = ((FLAGS)&M) != 0,                                                  \
                    .writable = ((FLAGS)&W) != 0,                                                  \
                    .internal = ((FLAGS)&I) != 0,                                                  \
                    .nxm = NXM,                                                                    \
                    .oxm = OXM},
#include "flow/fields.def"
#undef FIELD
};

const struct field *field_get(enum field_id id)
{
    INVARIANT(id > FIELD_NONE && id < N_FIELDS);
    return &fields[id];
}

static bool same(const char *a, const char *b)
{
    return b && !strcmp(a, b);
}

const struct field *field_find(const char *name)
{
    for (int i = FIELD_NONE + 1; i < N_FIELDS; i++) {
        const struct field *f = &fields[i];
        if (same(name, f->name) || same(name, f->alias) || same(name, f->nxm.name) ||
            same(name, f->oxm.name))
            return f;
    }
    /* Other spellings of the same headers. */
    static const struct {
        const char *name;
        enum field_id id;
    } others[] = {
        {"tp_dst", FIELD_TCP_DST},         {"icmp_type", FIELD_ICMP_TYPE},
        {"nw_frag", FIELD_IP_FRAG},        {"ip_tos", FIELD_IP_TOS},
        {"ip_ttl", FIELD_IP_TTL},          {"OXM_OF_IPV6_LABEL", FIELD_IPV6_LABEL},
        {"NXM_NX_TUN_SRC", FIELD_TUN_SRC}, {"NXM_NX_TUN_DST", FIELD_TUN_DST},
    };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (!strcmp(name, others[i].name))
            return &fields[others[i].id];
    return NULL;
}

/* Headers to fields: a row for each class, and two rows that gather fields without one. */
#undef NO
#undef H
#define NO 9, 0
#define H(CLASS, NUMBER, NAME) CLASS, NUMBER
#define ROW(CLASS, KIND)                                                                           \
    ((CLASS) == 0        ? 0                                                                       \
     : (CLASS) == 1      ? 1                                                                       \
     : (CLASS) == 0x8000 ? 2                                                                       \
     : (CLASS) == 0x8001 ? 3                                                                       \
                         : 4 + (KIND))
#define ENTRY(ID, KIND, ...) ENTRY_(ID, KIND, __VA_ARGS__)
#define ENTRY_(ID, KIND, CLASS, NUMBER)                                                            \
    [ROW(CLASS, KIND)][(CLASS) == 9 ? FIELD_##ID : (NUMBER)] = FIELD_##ID,

static const uint8_t by_header[6][256] = {
#define FIELD(ID, NAME, ALIAS, BITS, MEMBER, SHIFT, FORMAT, PREREQ, FLAGS, NXM, OXM)               \
    ENTRY(ID, 0, NXM) ENTRY(ID, 1, OXM)
#include "flow/fields.def"
#undef FIELD
};
_Static_assert(N_FIELDS <= 256, "the last two rows have room for all");

const struct field *field_find_header(uint16_t class, uint8_t number)
{
    unsigned row = ROW(class, 0);
    if (row > 3 || number >= 128 || !by_header[row][number])
        return NULL;
    return &fields[by_header[row][number]];
}

struct subfield subfield_make(enum field_id id, unsigned ofs, unsigned n_bits)
{
    INVARIANT(n_bits >= 1 && ofs + n_bits <= field_get(id)->n_bits);
    return (struct subfield){.id = id & 0xff, .ofs = ofs & 0x3ff, .n_bits = n_bits & 0x3ff};
}

struct subfield subfield_whole(enum field_id id)
{
    return subfield_make(id, 0, field_get(id)->n_bits);
}

/* "[]", "[N]" or "[N..M]" at *P for a field of N_BITS. */
static int parse_range(const char **p, unsigned n_bits, struct subfield *sub)
{
    const char *q = *p;
    if (*q != '[')
        return 0;
    q++;
    if (*q != ']') {
        char *end;
        if (!isdigit((unsigned char)*q))
            return ERR_SYNTAX;
        unsigned long first = strtoul(q, &end, 10), last = first;
        q = end;
        if (q[0] == '.' && q[1] == '.') {
            q += 2;
            if (!isdigit((unsigned char)*q))
                return ERR_SYNTAX;
            last = strtoul(q, &end, 10);
            q = end;
        }
        if (last < first || last >= n_bits)
            return ERR_RANGE;
        sub->ofs = first & 0x3ff;
        sub->n_bits = (last - first + 1) & 0x3ff;
    }
    if (*q != ']')
        return ERR_SYNTAX;
    *p = q + 1;
    return 0;
}

int subfield_parse(const char **text, struct subfield *ret)
{
    const char *p = *text;
    char name[40];
    size_t n = 0;
    while (isalnum((unsigned char)*p) || *p == '_') {
        if (n + 1 >= sizeof name)
            return ERR_SYNTAX;
        name[n++] = *p++;
    }
    name[n] = '\0';
    const struct field *f = field_find(name);
    if (!f)
        return ERR_NOT_FOUND;
    struct subfield sub = subfield_whole(f->id);
    int err = parse_range(&p, f->n_bits, &sub);
    if (err)
        return err;
    *ret = sub;
    *text = p;
    return 0;
}

void subfield_put(struct str *s, const struct subfield *sub)
{
    const struct field *f = field_get(sub->id);
    str_put(s, f->nxm.name ? f->nxm.name : f->oxm.name ? f->oxm.name : f->name);
    if (sub->ofs == 0 && sub->n_bits == f->n_bits)
        str_put(s, "[]");
    else if (sub->n_bits == 1)
        str_putf(s, "[%u]", sub->ofs);
    else
        str_putf(s, "[%u..%u]", sub->ofs, sub->ofs + sub->n_bits - 1);
}
