/* geneve.h - the tunnel end points of a process: which UDP sockets, and which ports share them.
 *
 * All Geneve ports of a network namespace receive on one socket (UDP 6081, or their dst_port); a packet
 * is given to the port whose remote address sent it, or to one that takes any ("flow"). Kept in
 * port_host.tunnels.
 */
#pragma once

struct tunnel_table;
void tunnel_table_free(struct tunnel_table *table); /* NULL is allowed; no port may be left */
