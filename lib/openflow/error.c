/* error.c - error messages: codes of error.def on the wire of each version, and their names. */
#include "openflow/error.h"

#include <string.h>

static const struct {
    int error;
    const char *name;
} names[] = {
#define OF_ERR(NAME, TEXT, TYPE, CODE) {OF_ERROR(TYPE, CODE), TEXT},
#define OF_ERR_NX(NAME, TEXT, CODE) {OF_ERROR_NX(CODE), TEXT},
#include "openflow/error.def"
#undef OF_ERR
#undef OF_ERR_NX
};

const char *of_error_name(int error)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].error == error)
            return names[i].name;
    return "unknown";
}

int of_error_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(names[i].name, name))
            return names[i].error;
    return 0;
}

/* Where an older version says it in another way. */
static const struct old {
    int error;
    uint8_t version;
    uint32_t vendor; /* 0: the standard */
    uint16_t type, code;
} olds[] = {
#define OLD(NAME, VERSION, VENDOR, TYPE, CODE) {OF_ERR_##NAME, VERSION, VENDOR, TYPE, CODE},
#define GAP(NAME, FIRST, LAST)
#include "openflow/error_old.def"
#undef OLD
#undef GAP
};

/* Versions that cannot say it. */
static const struct {
    int error;
    uint8_t first, last;
} gaps[] = {
#define OLD(NAME, VERSION, VENDOR, TYPE, CODE)
#define GAP(NAME, FIRST, LAST) {OF_ERR_##NAME, FIRST, LAST},
#include "openflow/error_old.def"
#undef OLD
#undef GAP
};

enum { TYPE_EXPERIMENTER = 0xffff, NX_MARK = 0x7fff, TYPE_VENDOR_10 = 0xb0c2 };

static const struct old *old_find(uint8_t version, uint32_t vendor, uint16_t type, uint16_t code)
{
    for (size_t i = 0; i < ARRAY_SIZE(olds); i++) {
        const struct old *o = &olds[i];
        /* What shares its number with today's name for it is that. */
        if (o->version == version && o->vendor == vendor && o->type == type && o->code == code &&
            o->error != OF_ERR_IS_SLAVE)
            return o;
    }
    return NULL;
}

int of_error_decode(const struct of_msg *msg, struct of_error_msg *ret)
{
    if (msg->body_len < 4)
        return OF_ERR_BAD_LEN;
    uint16_t type = get_be16(msg->body), code = get_be16(msg->body + 2);
    uint32_t vendor = 0;
    ret->data = msg->body + 4;
    ret->len = msg->body_len - 4;
    if (type == TYPE_EXPERIMENTER && ret->len >= 4) {
        vendor = get_be32(ret->data);
        type = code;
        code = 0;
        ret->data += 4;
        ret->len -= 4;
    } else if (type == TYPE_VENDOR_10 &&
               ret->len >= 8) { /* Nicira's extended errors of 1.0 and 1.1 */
        vendor = get_be32(ret->data);
        type = get_be16(ret->data + 4);
        code = get_be16(ret->data + 6);
        ret->data += 8;
        ret->len -= 8;
    }
    const struct old *old = old_find(msg->version, vendor, type, code);
    if (old)
        ret->error = old->error;
    else if (vendor || type >= NX_MARK - 1)
        ret->error = OF_ERROR_NX(type);
    else
        ret->error = OF_ERROR(type, code);
    return 0;
}

static void put_experimenter(struct of_buf *out, uint8_t version, uint32_t vendor, uint16_t type,
                             uint16_t code)
{
    bool extended = version <= OF11_VERSION;
    of_buf_put16(out, extended ? TYPE_VENDOR_10 : TYPE_EXPERIMENTER);
    of_buf_put16(out, extended ? 0 : type);
    of_buf_put32(out, vendor);
    if (extended) {
        of_buf_put16(out, type);
        of_buf_put16(out, code);
    }
}

bool of_error_wire(int error, uint8_t version, struct of_error_wire *ret)
{
    bool nx = error >> 16 == NX_MARK;
    for (size_t i = 0; i < ARRAY_SIZE(gaps); i++)
        if (gaps[i].error == error && version >= gaps[i].first && version <= gaps[i].last)
            return false;
    *ret = (struct of_error_wire){.vendor = nx ? OF_VENDOR_NX : 0,
                                  .type = nx ? (uint16_t)error : (uint16_t)((error >> 16) - 1),
                                  .code = nx ? 0 : (uint16_t)error};
    for (size_t i = 0; i < ARRAY_SIZE(olds); i++)
        if (olds[i].version == version && olds[i].error == error)
            *ret = (struct of_error_wire){olds[i].vendor, olds[i].type, olds[i].code};
    return true;
}

void of_error_encode(int error, const struct of_msg *request, struct of_buf *out)
{
    uint8_t version = request->version >= OF10_VERSION && request->version <= OF15_VERSION
                          ? request->version
                          : OF15_VERSION;
    struct of_error_wire as;
    if (!of_error_wire(error, version, &as))
        INVARIANT(of_error_wire(OF_ERR_NX_UNENCODABLE_ERROR, version, &as));
    size_t start = of_begin(out, version, OF_ERROR_MSG, request->xid);
    if (as.vendor) {
        put_experimenter(out, version, as.vendor, as.type, as.code);
    } else {
        of_buf_put16(out, as.type);
        of_buf_put16(out, as.code);
    }
    of_buf_put(out, request->data, MIN(request->len, (size_t)OF_MAX_LEN - 64));
    of_end(out, start);
}
