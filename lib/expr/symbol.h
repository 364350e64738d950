/* symbol.h - the names of the logical language: fields, subfields and predicates.
 *
 * Stands at Room 6 of docs/architecture.md: what a match or an action may name. symbol.def declares
 * the language's own names once; a symtab holds them and may hold more (tests). A symbol is
 * immutable and lives as long as its symtab.
 *
 *   SYM_IP4_DST etc.   index a symtab's own names, so that builders are checked by the compiler.
 *
 * A field is stored in a field of the switch (lib/flow); a subfield is a run of bits of a bigger
 * symbol; a predicate stands for an expression. A prerequisite is an expression that must hold
 * wherever the symbol is used.
 */
#pragma once

#include "base/util.h"
#include "expr/value.h"

enum symbol_id {

#define SYM_STRING(ID, NAME, FIELD, PREREQ) SYM_##ID,
#define SYM_FIELD(ID, NAME, FIELD, PREREQ, FLAGS) SYM_##ID,
#define SYM_SUB(ID, NAME, BIGGER, PREREQ, FLAGS) SYM_##ID,
#define SYM_PRED(ID, NAME, TEXT) SYM_##ID,
#define SYM_NOTE(ID, NAME, WIDTH) SYM_##ID,
#include "expr/symbol.def"
#undef SYM_STRING
#undef SYM_FIELD
#undef SYM_SUB
#undef SYM_PRED
#undef SYM_NOTE
    N_SYMBOL_IDS
};

enum symbol_kind { SYMBOL_FIELD, SYMBOL_SUBFIELD, SYMBOL_PREDICATE };

/* Levels of measurement: what comparisons make sense. */
enum symbol_level {
    LEVEL_BOOLEAN, /* one bit, or a predicate that holds an ordinary comparison */
    LEVEL_ORDINAL, /* all six relations */
    LEVEL_NOMINAL, /* equality only, and only positively */
};

enum {
    SF_NOMINAL = 1 << 0,
    SF_RO = 1 << 1,          /* never assignable */
    SF_RO_CT = 1 << 2,       /* assignable only inside ct_commit { } */
    SF_CROSS = 1 << 3,       /* multiplied out rather than made a dimension of a conjunction */
    SF_ACTION_ONLY = 1 << 4, /* OVN's own fields that exist only as assignments */
};

struct symbol {
    const char *name;
    int index; /* position in the symtab; enum symbol_id for the language's own */
    enum symbol_kind kind;
    enum symbol_level level;
    unsigned flags;
    bool is_string; /* a port: compared by name */
    unsigned width; /* bits; 1 for a predicate; of the port number for a string field */
    int field;      /* enum field_id of lib/flow for SYMBOL_FIELD, -1 otherwise */
    const struct symbol
        *parent;           /* SYMBOL_SUBFIELD: the bigger symbol, which may be a subfield too */
    unsigned ofs;          /* SYMBOL_SUBFIELD: first bit in parent */
    const char *expansion; /* text: of the predicate, or "parent[lo..hi]" */
    const char *prereq;    /* text or NULL */
};

struct symtab;

/* The language's own symbols. Never fails: symbol.def is checked by tests. */
struct symtab *symtab_new(void);
void symtab_free(struct symtab *st);
/* Adds a name. FIELD is an enum field_id (whose width counts), or with FIELD -1 a field without a
 * place in the switch of WIDTH bits (tests). The texts are copied. Must not be called once a pool
 * uses the table. */
void symtab_add_field(struct symtab *st, const char *name, int field, unsigned width,
                      bool is_string, const char *prereq, unsigned flags);
const struct symbol *symtab_find(const struct symtab *st, const char *name, size_t n);
const struct symbol *symtab_get(const struct symtab *st, enum symbol_id id);
const struct symbol *symtab_at(const struct symtab *st, size_t i); /* i < symtab_count */
size_t symtab_count(const struct symtab *st);

/* Some bits of a symbol: an argument or destination of an action. */
struct sym_bits {
    const struct symbol *sym;
    unsigned ofs, width;
};

/* The whole of a symbol. */
struct sym_bits sym_bits_whole(const struct symbol *sym);
/* The same bits in terms of the symbol that is stored (never a subfield): reg1[0..3] is
 * xxreg0[64..67]. */
struct sym_bits sym_bits_base(struct sym_bits sf);
