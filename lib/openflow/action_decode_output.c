/* action_decode_output.c - actions that send packets, from the wire; see action_decode.c. */
#include "openflow/action_decode.h"
#include "openflow/packet_io.h"

enum { OF_TRUNC_MIN = 14 }; /* an Ethernet header stays */

static int port_of(struct decoder *d, struct body *b, uint32_t *port)
{
    *port = d->version == OF10_VERSION ? port_from_16(body_take16(b)) : body_take32(b);
    /* Numbers that have no form in 1.0 are no ports of this switch's (as with any that also speaks 1.0). */
    bool gap = *port >= 0xff00 && *port < PORT_MAX;
    if (*port == 0 || *port == PORT_ANY || gap)
        return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_OUT_PORT;
    return 0;
}

int decode_output(struct decoder *d, struct body *b)
{
    uint32_t port;
    int err = port_of(d, b, &port);
    uint16_t max_len = body_take16(b);
    if (err || b->bad)
        return err ? err : body_done(b);
    struct of_output *o = DECODE_PUT(d, OF_OUTPUT, of_output);
    o->port = port;
    o->max_len = max_len;
    return 0;
}

int decode_output_reg(struct decoder *d, struct body *b)
{
    uint16_t on = body_take16(b);
    enum field_id id;
    struct subfield sub;
    int err = body_take_header(b, &id);
    if (!err)
        err = decode_ofs_nbits(id, on, &sub);
    if (err)
        return err;
    struct of_output_reg *o = DECODE_PUT(d, OF_OUTPUT_REG, of_output_reg);
    o->src = sub;
    o->max_len = body_take16(b);
    return body_done(b);
}

int decode_output_trunc(struct decoder *d, struct body *b)
{
    struct of_output_trunc *o = DECODE_PUT(d, OF_OUTPUT_TRUNC, of_output_trunc);
    o->port = port_from_16(body_take16(b));
    o->max_len = body_take32(b);
    if (!b->bad && o->max_len < OF_TRUNC_MIN)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    return body_done(b);
}

int decode_controller(struct decoder *d, struct body *b)
{
    struct of_controller *c = DECODE_PUT(d, OF_CONTROLLER, of_controller);
    c->max_len = body_take16(b);
    c->controller_id = body_take16(b);
    c->reason = body_take8(b);
    c->meter_id = OF_METER_NONE;
    return body_done(b);
}

int decode_controller2(struct decoder *d, struct body *b)
{
    struct of_controller head = {.max_len = UINT16_MAX, .meter_id = OF_METER_NONE};
    struct of_prop prop = {0, NULL, 0}, userdata = {0, NULL, 0};
    size_t ofs = 0;
    int more;
    head.reason = OF_REASON_ACTION;
    body_take(b, 6);
    if (b->bad)
        return body_done(b);
    while ((more = of_prop_next(b->p, (size_t)(b->end - b->p), &ofs, &prop)) > 0) {
        static const uint8_t sizes[] = {2, 2, 1, 0, 0, 4};
        if (prop.type >= ARRAY_SIZE(sizes))
            return OF_ERR_PROP_BAD_TYPE;
        if (prop.len < sizes[prop.type])
            return OF_ERR_PROP_BAD_LEN;
        if (prop.type == AC2_MAX_LEN)
            head.max_len = get_be16(prop.value);
        else if (prop.type == AC2_CONTROLLER_ID)
            head.controller_id = get_be16(prop.value);
        else if (prop.type == AC2_REASON)
            head.reason = prop.value[0];
        else if (prop.type == AC2_USERDATA)
            userdata = prop;
        else if (prop.type == AC2_PAUSE)
            head.pause = true;
        else
            head.meter_id = get_be32(prop.value);
    }
    if (more < 0)
        return -more;
    of_put_controller(d->out, head.max_len, head.controller_id, head.reason, userdata.value,
                      userdata.len, head.pause, head.meter_id);
    struct of_controller *c = (void *)(d->out->data + d->out->n -
                                       ROUND_UP(sizeof(struct of_controller) + userdata.len, 8));
    c->form = OF_FORM_2;
    return 0;
}

int decode_enqueue(struct decoder *d, struct body *b)
{
    uint32_t port;
    int err = port_of(d, b, &port);
    if (err)
        return err;
    struct of_enqueue *q = DECODE_PUT(d, OF_ENQUEUE, of_enqueue);
    q->port = port;
    body_take(b, 6);
    q->queue = body_take32(b);
    return body_done(b);
}
