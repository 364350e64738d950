/* ids.h - numbers that must stick: connection tracking zones, groups, meters, conjunctions (beside room 8 of docs/architecture.md).
 *
 * Units of the engine emit what they want by name (fact_want) and read what was given (fact_id); this is who gives. A number stays with its
 * name while it is wanted. Groups and conjunctions, of which there are many, get numbers that are hashes of their names, so that a controller
 * that was restarted gives the same ones. Zones and meters are small numbers in turn; the host keeps them in the switch's database and hands
 * them back with ids_restore before the first ids_run. A zone that is not saved yet is told to nobody (must_save): connections would be tracked in
 * it, and a controller that is killed then would leave them to the next one's choice.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/vec.h"
#include "controller/program.h"

struct ids {
    struct program *program;
    struct inc *inc;
    struct hmap names;   /* struct id_entry */
    struct hmap numbers; /* struct id_number */
    VEC(struct id_entry *) touched;
    uint32_t next[N_ID_KINDS];
    bool has_news;  /* some were given since keep_note looked */
    bool must_save; /* zones wait until the host says ids_saved */
    struct list
        unsaved; /* entries with a zone or meter that the host has not saved, as far as known */
    VEC(struct id_key) gone; /* had a zone or meter, and what the host saved of it is to go */
    bool has_unmet;          /* somebody asked for a zone that another has, who asked for it too */
    size_t n_refused;        /* wanted, and no number was free */
    VEC(uint32_t)
    flush; /* zones given that others may have used: the host empties them, and this */
};

struct id_entry {
    struct hnode node;
    struct id_key key;
    uint32_t arg, id; /* id 0: none */
    uint32_t n_wants;
    bool is_touched, is_restored;
    bool is_told; /* the engine has it, as told_id */
    uint32_t told_id;
    struct list unsaved;
    struct id_number *numbers; /* arg of ID_CONJ, else one */
};

/* The engine must watch program->want. */
void ids_init(struct ids *ids, struct program *program, struct inc *inc);
void ids_fini(struct ids *ids); /* leaves the engine as it is */
/* NAME had ID before the restart. Ignored when the number is taken or out of range. */
void ids_restore(struct ids *ids, enum id_kind kind, const char *name, uint32_t id);
/* Gives and takes back what changed since the last time; the engine must be settled. True when the engine has to settle again. */
bool ids_run(struct ids *ids);
/* The host has E's number where the next controller will find it. The engine may have to settle again. */
void ids_saved(struct ids *ids, struct id_entry *e);
/* Is a zone wanted under this name (NULL: under any), and not told because it is not saved? */
bool ids_is_waiting(const struct ids *ids, const char *zone);
/* What was restored and is not wanted is free from now on. */
void ids_forget_restored(struct ids *ids);
/* The number of NAME, 0: none. */
uint32_t ids_find(const struct ids *ids, enum id_kind kind, const char *name);
/* The same for one that is gone and not wanted again. */
void ids_forgotten(struct ids *ids, size_t gone);
/* Calls FN for each name of KIND that has a number, in no order. */
void ids_for_each(const struct ids *ids, enum id_kind kind,
                  void (*fn)(const char *name, uint32_t id, void *aux), void *aux);
