/* memo.h - remembers answers of classifiers, for the look-ups of packets that are much like those before.
 *
 * First packets of new flows differ from one another in few fields, and most tables of a pipeline do not look at these. A memo
 * keeps some of the last answers of a set of classifiers: which bits decided (as classifier_lookup has them), their values, and the rule.
 * A key that agrees in these bits gets the same answer for a handful of comparisons, however many subtables there are. An answer
 * holds until its classifier's `edits` grows.
 *
 * It promises to say exactly what the classifier would, or more bits than it would now: never fewer, since they are those of an answer of the
 * same rules. A memo has a fixed number of slots, found by classifier and metadata (a logical datapath, when the flows are OVN's).
 */
#pragma once

#include "classifier/classifier.h"

struct cls_memo;

struct cls_memo *cls_memo_new(void);
void cls_memo_free(struct cls_memo *memo);
/* As classifier_lookup_words; WC is all 0. NUMBER tells CLS from the other classifiers of MEMO, all of which live as long as it. */
struct cls_rule *cls_memo_lookup(struct cls_memo *memo, const struct classifier *cls,
                                 unsigned number, const struct flow_key *key,
                                 const struct tun_opts *opts, struct flow_mask *wc,
                                 uint64_t *words);
