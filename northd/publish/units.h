/* units.h - the compile units of publish/: what is wanted in SB beside logical flows (room 5 of docs/architecture.md). */
#pragma once

#include "northd/program.h"

/* bindings.c: each datapath, each switch port, twice, each router port */
void publish_datapath_binding(struct inc_ctx *ctx, const void *key, void *aux);
void publish_lsp_binding(struct inc_ctx *ctx, const void *key, void *aux);
void publish_requested_chassis(struct inc_ctx *ctx, const void *key, void *aux);
void publish_lrp_binding(struct inc_ctx *ctx, const void *key, void *aux);
/* bindings.c: each distributed gateway port */
void publish_redirect_binding(struct inc_ctx *ctx, const void *key, void *aux);
