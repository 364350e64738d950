/* kinds_action.h - the KINDs of weft-lflow that concern actions. */
#pragma once

#include "tools/lflow/kinds.h"

void kind_actions(struct session *s, const char *line, struct str *out);
void kind_encodings(struct session *s, const char *line, struct str *out);
