/* recirc.h - what a translation that stops at a ct, pop_pbb or pop_vlan action leaves to the one that goes on behind it.
 *
 * The packet is sent through the connection tracker, or loses a header, and is looked up anew, with recirc_id as a part of its key. A
 * state is what the flows had done by then: bridge, table, registers, stack, action set. Equal states are
 * one, with one id, so that megaflows behind it serve all packets that come that way; an id is not given again
 * for as long as numbers last. Bits that are still the packet's are not in the state: they are read from the packet
 * again, and so only what is looked at comes into megaflows (xlate.h).
 */
#pragma once

#include "base/hmap.h"
#include "openflow/actions.h"
#include "switchd/dp.h"

struct stack_entry {
    struct tun_value value; /* tunnel options may be so wide */
    uint16_t n_bits;
};

struct recirc_table {
    struct hmap by_id, by_content;
    uint32_t last_id;
};

struct recirc_state {
    struct hnode by_id, by_content;
    struct recirc_table *table;
    uint32_t refs;
    uint32_t id; /* not 0 */
    uint32_t bridge_no;
    uint8_t table_id;     /* where to go on, unless there are levels */
    uint32_t mirrored;    /* mirrors that have the packet */
    uint64_t tun_options; /* tun_metadata fields that actions wrote */
    /* Metadata alone (what comes before eth_dst, without ct): values, and the bits that are not the packet's. */
    struct flow_key key;
    struct flow_mask written;
    struct stack_entry *stack;
    size_t n_stack;
    uint8_t *action_set;
    size_t action_set_len;
    uint8_t *levels; /* the actions left to do, as continuation.c writes them; NULL: a lookup */
    size_t levels_len;
};

/* The state with the contents of WANTED, whose pointers are copied; one reference. */
struct recirc_state *recirc_get(struct recirc_table *table, const struct recirc_state *wanted);
struct recirc_state *recirc_find(const struct recirc_table *table,
                                 uint32_t id); /* or NULL; no reference */
struct recirc_state *recirc_ref(struct recirc_state *state);
void recirc_unref(struct recirc_state *state);
void recirc_table_fini(struct recirc_table *table); /* no reference is left */
