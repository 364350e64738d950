/* bridge.h - switches as people name them to a tool. */
#pragma once

/* The target of NAME: a bridge's name, a socket's path, or a target as it is (unix:, tcp:, ssl:). SERVICE of a bridge: NULL is "mgmt".
 * Owned by the caller; NULL: there is no such bridge and no such socket. */
char *of_bridge_target(const char *name, const char *service);
