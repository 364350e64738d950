/* action_encode_more.c - the larger of Nicira's actions to the wire: learn, multipath, bundle, sample and a few others; see action_encode.c. */
#include "openflow/action_encode.h"

/* ---- learn ---- */

static void learn_spec(struct encoder *e, const struct of_learn_spec *s)
{
    static const uint16_t dst[] = {LEARN_DST_MATCH, LEARN_DST_LOAD, LEARN_DST_OUTPUT};
    of_buf_put16(e->out,
                 (uint16_t)(s->n_bits | dst[s->dst_type] | (s->src_imm ? LEARN_SRC_IMMEDIATE : 0)));
    if (s->src_imm) {
        uint8_t bytes[16];
        unsigned n = DIV_ROUND_UP(s->n_bits, 16u) * 2;
        put_be_n(bytes, n, (u128)s->value_hi << 64 | s->value_lo);
        of_buf_put(e->out, bytes, n);
    } else {
        frame_header(e, s->src.id);
        of_buf_put16(e->out, s->src.ofs);
    }
    if (s->dst_type != OF_LEARN_OUTPUT) {
        frame_header(e, s->dst.id);
        of_buf_put16(e->out, s->dst.ofs);
    }
}

void encode_learn(struct encoder *e, const struct of_learn *l)
{
    bool two = l->limit || l->flags & OF_LEARN_WRITE_RESULT;
    size_t start = frame_begin_nx(e, two ? NXAST_LEARN2 : NXAST_LEARN);
    of_buf_put16(e->out, l->idle_timeout);
    of_buf_put16(e->out, l->hard_timeout);
    of_buf_put16(e->out, l->priority);
    of_buf_put64(e->out, l->cookie);
    of_buf_put16(e->out, l->flags);
    of_buf_put8(e->out, l->table);
    frame_zeros(e, 1);
    of_buf_put16(e->out, l->fin_idle_timeout);
    of_buf_put16(e->out, l->fin_hard_timeout);
    if (two) {
        of_buf_put32(e->out, l->limit);
        of_buf_put16(e->out, l->result_dst.ofs);
        frame_zeros(e, 2);
        if (l->flags & OF_LEARN_WRITE_RESULT)
            frame_header(e, l->result_dst.id);
    }
    for (unsigned i = 0; i < l->n_specs; i++)
        learn_spec(e, &l->specs[i]);
    frame_end(e, start);
}

/* ---- The rest ---- */

void encode_conjunction(struct encoder *e, const struct of_conjunction *c)
{
    size_t start = frame_begin_nx(e, NXAST_CONJUNCTION);
    of_buf_put8(e->out, c->clause);
    of_buf_put8(e->out, c->n_clauses);
    of_buf_put32(e->out, c->id);
    frame_end(e, start);
}

void encode_check_pkt_larger(struct encoder *e, const struct of_check_pkt_larger *c)
{
    size_t start = frame_begin_nx(e, NXAST_CHECK_PKT_LARGER);
    of_buf_put16(e->out, c->pkt_len);
    of_buf_put16(e->out, c->dst.ofs);
    frame_header(e, c->dst.id);
    frame_zeros(e, 6);
    frame_end(e, start);
}

void encode_multipath(struct encoder *e, const struct of_multipath *m)
{
    size_t start = frame_begin_nx(e, NXAST_MULTIPATH);
    of_buf_put16(e->out, m->fields);
    of_buf_put16(e->out, m->basis);
    frame_zeros(e, 2);
    of_buf_put16(e->out, m->algorithm);
    of_buf_put16(e->out, m->max_link);
    of_buf_put32(e->out, m->arg);
    frame_zeros(e, 2);
    of_buf_put16(e->out, frame_ofs_nbits(&m->dst));
    frame_header(e, m->dst.id);
    frame_end(e, start);
}

void encode_bundle(struct encoder *e, const struct of_bundle_action *b)
{
    size_t start = frame_begin_nx(e, b->dst.id ? NXAST_BUNDLE_LOAD : NXAST_BUNDLE);
    of_buf_put16(e->out, b->algorithm);
    of_buf_put16(e->out, b->fields);
    of_buf_put16(e->out, b->basis);
    /* The kind of the members: a 16-bit NXM in_port header, in every version. */
    of_buf_put32(e->out, 0x00000002);
    of_buf_put16(e->out, b->n_members);
    of_buf_put16(e->out, b->dst.id ? frame_ofs_nbits(&b->dst) : 0);
    if (b->dst.id)
        frame_header(e, b->dst.id);
    else
        frame_zeros(e, 4);
    frame_zeros(e, 4);
    for (unsigned i = 0; i < b->n_members; i++)
        of_buf_put16(e->out, port_to_16(b->members[i]));
    frame_end(e, start);
}

static void sample_source(struct encoder *e, const struct subfield *src, uint32_t imm)
{
    if (src->id) {
        frame_header(e, src->id);
        of_buf_put16(e->out, frame_ofs_nbits(src));
        frame_zeros(e, 2);
    } else {
        of_buf_put32(e->out, imm);
        frame_zeros(e, 4);
    }
}

void encode_sample(struct encoder *e, const struct of_sample *s)
{
    bool four = s->version >= 4 || s->obs_domain_src.id || s->obs_point_src.id;
    uint8_t version = four ? 4 : s->direction ? 3 : s->sampling_port != PORT_ANY ? 2 : 1;
    static const uint16_t subtypes[] = {0, NXAST_SAMPLE, NXAST_SAMPLE2, NXAST_SAMPLE3,
                                        NXAST_SAMPLE4};
    version = MAX(version, s->version);
    size_t start = frame_begin_nx(e, subtypes[version]);
    of_buf_put16(e->out, s->probability);
    of_buf_put32(e->out, s->collector_set_id);
    if (four) {
        sample_source(e, &s->obs_domain_src, s->obs_domain_imm);
        sample_source(e, &s->obs_point_src, s->obs_point_imm);
        of_buf_put16(e->out, port_to_16(s->sampling_port));
        of_buf_put8(e->out, s->direction);
        frame_zeros(e, 5);
    } else {
        of_buf_put32(e->out, s->obs_domain_imm);
        of_buf_put32(e->out, s->obs_point_imm);
        if (version >= 2) {
            of_buf_put16(e->out, port_to_16(s->sampling_port));
            of_buf_put8(e->out, s->direction);
            frame_zeros(e, 5);
        }
    }
    frame_end(e, start);
}
