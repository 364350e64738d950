/* action_parse_output.c - output, controller and enqueue in ovs-ofctl's words; see action_parse.c. */
#include <ctype.h>
#include <stdlib.h>

#include "openflow/packet_io.h"
#include "openflow/parse.h"

static int parse_output_reg(struct parser *p, const struct subfield *sub)
{
    struct of_output_reg *o = of_put(p->out, OF_OUTPUT_REG, sizeof *o);
    o->src = *sub;
    o->max_len = UINT16_MAX;
    return 0;
}

int parse_output_port(struct parser *p, uint32_t port)
{
    struct of_output *o = of_put(p->out, OF_OUTPUT, sizeof *o);
    o->port = port;
    o->max_len = port == PORT_CONTROLLER ? UINT16_MAX : 0;
    return 0;
}

static int parse_output_trunc(struct parser *p, char *text)
{
    struct keyvalue kv;
    uint32_t port = 0;
    uint64_t max_len = 0;
    int more, err = 0;
    while (!err && (more = keyvalue_next(&text, &kv)) > 0) {
        if (!strcmp(kv.key, "port"))
            err = parse_port_text(p, kv.value, &port);
        else if (!strcmp(kv.key, "max_len"))
            err = parse_u(p, "max_len", kv.value, UINT32_MAX, &max_len);
        else
            err = parse_error(p, "invalid key '%s' in output_trunc argument", kv.key);
    }
    if (err)
        return err;
    struct of_output_trunc *o = of_put(p->out, OF_OUTPUT_TRUNC, sizeof *o);
    o->port = port;
    o->max_len = (uint32_t)max_len;
    return 0;
}

int parse_output(struct parser *p, struct keyvalue *kv)
{
    struct subfield sub;
    uint32_t port;
    const char *q = kv->value;
    if (kv->parens)
        return parse_output_trunc(p, kv->value);
    if (!port_parse(kv->value, p->names, &port))
        return parse_output_port(p, port);
    if (!subfield_parse(&q, &sub) && !*q && sub.n_bits <= 64)
        return parse_output_reg(p, &sub);
    return parse_error(p, "%s: output to unknown port", kv->value);
}

int parse_hex_bytes(struct parser *p, const char *text, uint8_t *out, size_t max, size_t *n)
{
    *n = 0;
    while (*text) {
        if (*text == '.')
            text++;
        if (!isxdigit((unsigned char)text[0]) || !isxdigit((unsigned char)text[1]) || *n >= max)
            return parse_error(p, "bad hex digits in \"%s\"", text);
        char pair[3] = {text[0], text[1], '\0'};
        out[(*n)++] = (uint8_t)strtoul(pair, NULL, 16);
        text += 2;
    }
    return 0;
}

static int parse_reason(struct parser *p, const char *text, uint8_t *ret)
{
    static const char *const names[] = {"no_match",   "action", "invalid_ttl",
                                        "action_set", "group",  "packet_out"};
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcasecmp(text, names[i])) {
            *ret = (uint8_t)i;
            return 0;
        }
    }
    return parse_error(p, "unknown reason \"%s\"", text);
}

static void put_controller_port(struct parser *p, uint16_t max_len)
{
    parse_output_port(p, PORT_CONTROLLER);
    ((struct of_output *)(void *)(p->out->data + p->out->n - sizeof(struct of_output)))->max_len =
        max_len;
}

static int parse_controller_args(struct parser *p, char *text)
{
    struct keyvalue kv;
    uint64_t max_len = UINT16_MAX, id = 0, meter = OF_METER_NONE;
    uint8_t reason = 1, *userdata = NULL;
    size_t n = 0;
    bool pause = false;
    int more, err = 0;
    while (!err && (more = keyvalue_next(&text, &kv)) > 0) {
        if (!strcmp(kv.key, "reason")) {
            err = parse_reason(p, kv.value, &reason);
        } else if (!strcmp(kv.key, "max_len")) {
            err = parse_u(p, "max_len", kv.value, UINT16_MAX, &max_len);
        } else if (!strcmp(kv.key, "id")) {
            err = parse_u(p, "id", kv.value, UINT16_MAX, &id);
        } else if (!strcmp(kv.key, "userdata")) {
            userdata = xrealloc(userdata, strlen(kv.value) + 1);
            err = parse_hex_bytes(p, kv.value, userdata, MIN(strlen(kv.value) + 1, (size_t)60000),
                                  &n);
        } else if (!strcmp(kv.key, "pause")) {
            pause = true;
        } else if (!strcmp(kv.key, "meter_id")) {
            err = parse_u(p, "meter_id", kv.value, UINT32_MAX, &meter);
        } else {
            err = parse_error(p, "unknown key \"%s\" parsing controller action", kv.key);
        }
    }
    /* What the port CONTROLLER says too is that. */
    if (!err && reason == OF_REASON_ACTION && !id && !n && !pause && meter == OF_METER_NONE)
        put_controller_port(p, (uint16_t)max_len);
    else if (!err)
        of_put_controller(p->out, (uint16_t)max_len, (uint16_t)id, reason, userdata, n, pause,
                          (uint32_t)meter);
    free(userdata);
    return err;
}

int parse_controller(struct parser *p, struct keyvalue *kv)
{
    if (kv->parens)
        return parse_controller_args(p, kv->value);
    uint64_t max_len = UINT16_MAX;
    if (*kv->value && parse_u(p, "max_len", kv->value, UINT16_MAX, &max_len))
        return ERR_SYNTAX;
    put_controller_port(p, (uint16_t)max_len);
    return 0;
}

int parse_enqueue(struct parser *p, struct keyvalue *kv)
{
    /* PORT:QUEUE or (PORT,QUEUE) */
    char *sep = strpbrk(kv->value, ":q,");
    uint64_t queue;
    uint32_t port;
    if (!sep)
        return parse_error(
            p, "\"enqueue\" syntax is \"enqueue:PORT:QUEUE\" or \"enqueue(PORT,QUEUE)\"");
    *sep = '\0';
    int err = parse_port_text(p, kv->value, &port);
    if (!err)
        err = parse_u(p, "queue", sep + 1, UINT32_MAX, &queue);
    if (err)
        return err;
    struct of_enqueue *q = of_put(p->out, OF_ENQUEUE, sizeof *q);
    q->port = port;
    q->queue = (uint32_t)queue;
    return 0;
}
