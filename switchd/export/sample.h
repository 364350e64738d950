/* sample.h - see sample.c. */
#pragma once

struct vswitch;
struct packet;
struct dp_sample;

void export_sample(struct vswitch *vs, struct packet *packet, const struct dp_sample *s);
