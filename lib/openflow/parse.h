/* parse.h - what the files that parse actions share. */
#pragma once

#include "base/err.h"
#include "openflow/actions.h"
#include "openflow/keyvalue.h"

enum { PARSE_MAX_DEPTH = 16 };

struct parser {
    struct of_actions *out;
    const struct match *match; /* may be NULL */
    const struct port_names *names;
    struct diag *diag;
    unsigned depth;
};

/* Sets the diag; returns ERR_SYNTAX. */
int parse_error(struct parser *p, const char *format, ...) PRINTF_FORMAT(2, 3);
int parse_u(struct parser *p, const char *what, const char *text, uint64_t max,
            uint64_t *ret) MUST_CHECK;
int parse_sub(struct parser *p, const char *text, struct subfield *ret) MUST_CHECK;
int parse_port_text(struct parser *p, const char *text, uint32_t *ret) MUST_CHECK;
/* A table up to MAX by number or name. */
int parse_table_text(struct parser *p, const char *text, uint8_t max, uint8_t *ret) MUST_CHECK;
int parse_arrow(struct parser *p, char *text, char **left, char **right) MUST_CHECK;
/* A comma-separated list; TEXT is cut up in place. */
int parse_list(struct parser *p, char *text) MUST_CHECK;

/* In action_parse_output.c and action_parse_fields.c: one action. */
int parse_output_port(struct parser *p, uint32_t port);
int parse_output(struct parser *p, struct keyvalue *kv);
int parse_hex_bytes(struct parser *p, const char *text, uint8_t *out, size_t max, size_t *n);
int parse_controller(struct parser *p, struct keyvalue *kv);
int parse_enqueue(struct parser *p, struct keyvalue *kv);
int parse_set_tun(struct parser *p, const char *text, const struct field *f); /* action_tun.c */
int parse_load_tun(struct parser *p, const char *text, const struct subfield *sub);
int parse_set_field(struct parser *p, char *text);
int parse_load(struct parser *p, char *text);
int parse_move(struct parser *p, char *text);
int parse_stack(struct parser *p, const char *text, enum of_action_type type);
int parse_mod(struct parser *p, const char *key, const char *text);

/* In action_parse_nested.c; TEXT is what stands in the parentheses. */
int parse_learn(struct parser *p, char *text);
int parse_of_ct(struct parser *p, char *text);
int parse_nat(struct parser *p, struct keyvalue *kv);
int parse_clone(struct parser *p, char *text);
int parse_write_actions(struct parser *p, char *text);
int parse_apply_actions(struct parser *p, char *text);
int parse_multipath(struct parser *p, char *text);
int parse_sample(struct parser *p, char *text);
int parse_bundle(struct parser *p, char *text);
int parse_bundle_load(struct parser *p, char *text);
