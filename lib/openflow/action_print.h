/* action_print.h - what the files that print actions share: action_print.c, action_print_nested.c. */
#pragma once

#include "openflow/actions.h"

struct action_printer {
    struct str *s;
    const struct port_names *names;
};

void action_put_list(struct action_printer *p, const void *data, size_t n);
void action_put_table(struct action_printer *p, uint8_t table);
void action_put_u64(struct str *s, uint64_t x);
void action_put_u128(struct str *s, u128 x);
/* In action_print_nested.c. */
void action_put_learn(struct action_printer *p, const struct of_learn *l);
void action_put_ct(struct action_printer *p, const struct of_ct *ct);
void action_put_nat(struct action_printer *p, const struct of_nat *nat);
