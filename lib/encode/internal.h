/* internal.h - what the files of lib/encode share. */
#pragma once

#include "base/str.h"
#include "encode/encode.h"

struct encoder {
    const struct encode_params *p;
    const struct encode_profile *pf;
    struct of_actions *out;
};

/* Bits of the flags register (reg10) through which the switch's lookup tables answer. */
enum answer_bit {
    ANSWER_MAC = 6,
    ANSWER_HAIRPIN = 7,
    ANSWER_FDB = 8,
    ANSWER_PORT_SEC = 12,
    ANSWER_ECMP = 13,
    ANSWER_AFFINITY = 14,
};

/* Where the bits are in the switch. */
struct subfield encode_bits(const struct encoder *en, struct sym_bits bits);
/* The flow's id, or its datapath's key: notes that the result is this flow's own. */
uint32_t encode_flow_id(const struct encoder *en);
uint32_t encode_datapath_key(const struct encoder *en);
void encode_sequence(struct encoder *en, const struct actions *as);
void encode_resubmit(struct encoder *en, uint8_t table);
/* The table after the flow's own. */
uint8_t encode_next_table(const struct encoder *en);
/* controller(userdata=OPCODE 0 DATA): begins a userdata, and sends it. */
void encode_userdata_begin(struct str *ud, enum encode_opcode opcode);
void encode_userdata_put_be(struct str *ud, u128 value, size_t n);
void encode_userdata_send(struct encoder *en, struct str *ud, bool pause);
/* The operand that option NAME of A has, or NULL; for options without a value the option itself. */
const struct operand *encode_option_value(const struct action *a, const char *name);

void encode_ct(struct encoder *en, const struct action *a);             /* encode_ct.c */
void encode_lb(struct encoder *en, const struct action *a);             /* encode_group.c */
void encode_select(struct encoder *en, const struct action *a);         /* encode_group.c */
void encode_fwd_group(struct encoder *en, const struct action *a);      /* encode_group.c */
void encode_lookup(struct encoder *en, const struct action *a);         /* encode_lookup.c */
void encode_dhcp(struct encoder *en, const struct action *a);           /* encode_dhcp.c */
void encode_commit_ecmp_nh(struct encoder *en, const struct action *a); /* encode_learn.c */
void encode_commit_lb_aff(struct encoder *en, const struct action *a);  /* encode_learn.c */
