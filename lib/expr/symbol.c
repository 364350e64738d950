/* symbol.c - the symbol table; see symbol.h. */
#include "expr/symbol.h"

#include "base/arena.h"
#include "base/hash.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "flow/field.h"

struct entry {
    struct hnode node;
    struct symbol sym;
    char *prereq;
};

struct symtab {
    struct hmap map;
    VEC(struct entry *) entries;
    struct arena arena;
};

static const struct symbol *find_hashed(const struct symtab *st, uint64_t hash, const char *name,
                                        size_t n)
{
    struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &st->map)
        if (strlen(e->sym.name) == n && !memcmp(e->sym.name, name, n))
            return &e->sym;
    return NULL;
}

const struct symbol *symtab_find(const struct symtab *st, const char *name, size_t n)
{
    return find_hashed(st, hash_bytes(name, n, 0), name, n);
}

const struct symbol *symtab_at(const struct symtab *st, size_t i)
{
    INVARIANT(i < st->entries.n);
    return &st->entries.data[i]->sym;
}

const struct symbol *symtab_get(const struct symtab *st, enum symbol_id id)
{
    return symtab_at(st, (size_t)id);
}

size_t symtab_count(const struct symtab *st)
{
    return st->entries.n;
}

static struct symbol *add(struct symtab *st, const char *name, enum symbol_kind kind,
                          const char *prereq, unsigned flags)
{
    struct entry *e = arena_zalloc(&st->arena, sizeof *e);
    e->sym.name = arena_strdup(&st->arena, name);
    e->sym.prereq = prereq ? arena_strdup(&st->arena, prereq) : NULL;
    e->sym.index = (int)st->entries.n;
    e->sym.kind = kind;
    e->sym.flags = flags;
    e->sym.field = -1;
    INVARIANT(!symtab_find(st, name, strlen(name)));
    hmap_insert(&st->map, &e->node, hash_bytes(name, strlen(name), 0));
    vec_push(&st->entries, e);
    return &e->sym;
}

void symtab_add_field(struct symtab *st, const char *name, int field, unsigned width,
                      bool is_string, const char *prereq, unsigned flags)
{
    struct symbol *s = add(st, name, SYMBOL_FIELD, prereq, flags);
    s->field = field;
    s->width = field >= 0 ? field_get((enum field_id)field)->n_bits : width;
    s->is_string = is_string;
    s->level = is_string || flags & SF_NOMINAL ? LEVEL_NOMINAL : LEVEL_ORDINAL;
    if (s->width == 1 && !is_string)
        s->level = LEVEL_BOOLEAN;
}

/* "parent[lo..hi]" or "parent[bit]"; from symbol.def or a bug. */
static void add_subfield(struct symtab *st, const char *name, const char *text, const char *prereq,
                         unsigned flags)
{
    struct symbol *s = add(st, name, SYMBOL_SUBFIELD, prereq, flags);
    const char *bracket = strchr(text, '[');
    INVARIANT(bracket);
    char *end;
    unsigned lo = (unsigned)strtoul(bracket + 1, &end, 10), hi = lo;
    if (*end == '.')
        hi = (unsigned)strtoul(end + 2, &end, 10);
    s->parent = symtab_find(st, text, (size_t)(bracket - text));
    INVARIANT(*end == ']' && s->parent && hi >= lo && hi < s->parent->width);
    s->ofs = lo;
    s->width = hi - lo + 1;
    s->level = s->width == 1 ? LEVEL_BOOLEAN : LEVEL_ORDINAL;
    s->expansion = text;
}

/* Is NAME the name of a nominal field or predicate? */
static bool is_nominal(const struct symtab *st, const char *name, size_t n)
{
    const struct symbol *s = symtab_find(st, name, n);
    return s && s->level == LEVEL_NOMINAL;
}

/* A predicate is as strict as the strictest symbol that it speaks of. */
static void add_predicate(struct symtab *st, const char *name, const char *text)
{
    struct symbol *s = add(st, name, SYMBOL_PREDICATE, NULL, SF_RO);
    s->width = 1;
    s->level = LEVEL_BOOLEAN;
    s->expansion = text;
    static const char id[] = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    for (const char *p = text; *p;) {
        size_t n = strspn(p, id);
        if (n && is_nominal(st, p, n))
            s->level = LEVEL_NOMINAL;
        p += n ? n : 1;
    }
}

struct symtab *symtab_new(void)
{
    struct symtab *st = NEW(struct symtab);
#define SYM_STRING(ID, NAME, FIELD, PREREQ)                                                        \
    symtab_add_field(st, NAME, FIELD_##FIELD, 0, true, PREREQ, 0);
#define SYM_FIELD(ID, NAME, FIELD, PREREQ, FLAGS)                                                  \
    symtab_add_field(st, NAME, FIELD_##FIELD, 0, false, PREREQ, FLAGS);
#define SYM_SUB(ID, NAME, BIGGER, PREREQ, FLAGS) add_subfield(st, NAME, BIGGER, PREREQ, FLAGS);
#define SYM_PRED(ID, NAME, TEXT) add_predicate(st, NAME, TEXT);
#define SYM_NOTE(ID, NAME, WIDTH)                                                                  \
    symtab_add_field(st, NAME, -1, WIDTH, false, NULL, SF_ACTION_ONLY | SF_NOMINAL);
#include "expr/symbol.def"
#undef SYM_STRING
#undef SYM_FIELD
#undef SYM_SUB
#undef SYM_PRED
#undef SYM_NOTE
    INVARIANT(st->entries.n == N_SYMBOL_IDS);
    return st;
}

void symtab_free(struct symtab *st)
{
    if (!st)
        return;
    hmap_fini(&st->map);
    vec_fini(&st->entries);
    arena_fini(&st->arena);
    free(st);
}

struct sym_bits sym_bits_whole(const struct symbol *sym)
{
    return (struct sym_bits){sym, 0, sym->width};
}

struct sym_bits sym_bits_base(struct sym_bits sf)
{
    while (sf.sym->kind == SYMBOL_SUBFIELD) {
        sf.ofs += sf.sym->ofs;
        sf.sym = sf.sym->parent;
    }
    return sf;
}
