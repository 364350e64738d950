/* sb_inputs.h - what northd compiles from SB: rows that others write, as input facts (room 2 of docs/architecture.md). */
#pragma once

#include "northd/program.h"

/* Asserts what SB holds now; then hand over every change set of its observer. */
void sb_inputs_start(struct northd_program *p, struct inc *inc, const struct replica *sb);
void sb_inputs_take(struct northd_program *p, struct inc *inc, const struct changeset *cs);
