/* translator.h - a logical flow, in the world of one datapath, to OpenFlow matches and actions; what was translated once is remembered.
 *
 * Room 7 of docs/architecture.md. A translation depends on the flow's match and actions, and on what the world answered while it was made:
 * numbers of ports, contents of sets, ids of groups and meters, what is bound here. The translator notes these questions and
 * answers. When the same flow comes again, on another datapath or because something near it changed, it asks the same
 * questions again, and if the answers are the same, so is the translation. So a caller that watches what it reads
 * (lib/inc) has read the same things either way. Datapaths whose ports have other numbers have a translation each. Ids of groups and meters are asked for once each, since asking may be
 * what makes their owner give them.
 *
 * A flow is known by its texts, and parsed when it has to be translated: trees are not kept.
 *
 * Memory is bounded (base/gen_cache.h). A translator belongs to one thread.
 */
#pragma once

#include "base/rstr.h"
#include "encode/encode.h"
#include "expr/norm.h"

struct translator;

/* One OpenFlow flow, as struct norm_flow says, without its datapath. */
struct translated_flow {
    const struct minimatch *match; /* conj_id not included */
    uint32_t conj_id, n_clauses;
    const struct norm_clause *clauses;
};

struct translation {
    struct translated_flow *flows;
    size_t n;
    uint32_t n_conj;           /* conjunction ids are 1..n_conj */
    bool is_local;             /* another datapath of the same kind may have another */
    struct of_actions actions; /* of the flows without clauses; empty: drop. Read only. */
};

/* What a flow is translated in. */
struct translate_world {
    const struct expr_world *names;     /* with its own aux */
    const struct encode_params *params; /* its port() answers for the match too */
    unsigned norm_flags;
    size_t limit; /* as norm_build */
};

/* What is to be translated. */
struct translate_source {
    const struct rstr *match, *actions; /* its texts */
    /* Their trees, new references: the match with what the actions ask of it. Depends on the texts and on params->pipeline and table alone. Not
     * 0: they cannot be understood. */
    int (*parse)(void *aux, struct expr **match, struct actions **actions, struct diag *diag);
    void *aux;
};

struct translator *translator_new(void);
void translator_free(struct translator *t);
/* Translates SOURCE. 0 and *RET, valid until the next call; or what its parse says, ERR_TOO_BIG or what expr_annotate says, with the sentence in
 * DIAG. Does not cache errors. */
int translator_run(struct translator *t, const struct translate_source *source,
                   const struct translate_world *world, const struct translation **ret,
                   struct diag *diag) MUST_CHECK;

struct translator_stats {
    uint64_t hits, misses;
    size_t entries, bytes;
};
struct translator_stats translator_get_stats(const struct translator *t);
