/* judge.h - the northbound database hosted here refuses what can never work (DESIGN: validation at commit).
 *
 * NB_Global:options:validate says how strict: "default" refuses malformed values and logs names that nobody has,
 * "strict" refuses those too, "off" refuses nothing. See lib/validate/validate.h.
 */
#pragma once

#include "store/store.h"

struct judge;

/* Sits in judgement on STORE, which is borrowed, until freed. */
struct judge *judge_new(struct store *store);
void judge_free(struct judge *judge); /* NULL is allowed; before the store is closed */
