/* dummy.c - type "dummy": no device. Packets come from tests or the control socket
 * (netdev-dummy/receive); what is sent goes to a pcap file (options:tx_pcap, or pcap for both
 * directions, rxq_pcap for received) and to an observer.
 */
#include "switchd/port/dummy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "switchd/port/offload.h"

struct dummy_port {
    struct port up;
    FILE *rx_pcap, *tx_pcap; /* may be the same */
    void (*observer)(void *aux, struct port *port, const struct packet *packet);
    void *observer_aux;
};

static struct dummy_port *dummy_cast(struct port *port)
{
    return CONTAINER_OF(port, struct dummy_port, up);
}

struct pcap_file_header {
    uint32_t magic;
    uint16_t major, minor;
    uint32_t zone, sigfigs, snaplen, network;
};

static int pcap_open(const char *path, FILE **ret, struct diag *diag)
{
    *ret = NULL;
    if (!path)
        return 0;
    FILE *f = fopen(path, "w");
    if (!f)
        return diag_set(diag, ERR_IO, "could not create %s", path);
    struct pcap_file_header header = {0xa1b2c3d4, 2, 4, 0, 0, 65536, 1};
    fwrite(&header, sizeof header, 1, f);
    fflush(f);
    *ret = f;
    return 0;
}

static void pcap_write(struct dummy_port *port, FILE *f, const void *frame, uint32_t n)
{
    if (!f)
        return;
    int64_t now_ms = env_wall_ms(port->up.host->env);
    uint32_t header[4] = {(uint32_t)(now_ms / 1000), (uint32_t)(now_ms % 1000 * 1000), n, n};
    fwrite(header, sizeof header, 1, f);
    fwrite(frame, 1, n, f);
    fflush(f);
}

bool port_is_dummy(const struct port *port)
{
    return port->class == &port_class_dummy;
}

void dummy_receive(struct port *port_, const void *frame, size_t n)
{
    struct dummy_port *port = dummy_cast(port_);
    n = MIN(n, (size_t)PORT_FRAME_MAX);
    pcap_write(port, port->rx_pcap, frame, (uint32_t)n);
    struct packet *p = port_packet(port_->host, 0);
    memcpy(p->data, frame, n);
    p->size = (uint32_t)n;
    port_receive(port_, 1);
}

void dummy_set_observer(struct port *port_,
                        void (*fn)(void *aux, struct port *port, const struct packet *packet),
                        void *aux)
{
    struct dummy_port *port = dummy_cast(port_);
    port->observer = fn;
    port->observer_aux = aux;
}

static void send_plain(void *port_, const struct packet *packet)
{
    struct dummy_port *port = port_;
    pcap_write(port, port->tx_pcap, packet->data, packet->size);
    if (port->observer)
        port->observer(port->observer_aux, &port->up, packet);
}

static int dummy_send(struct port *port, struct port_out *out UNUSED, const struct packet *packet,
                      const struct dp_tunnel *tunnel UNUSED, bool last UNUSED)
{
    return offload_finish(packet, send_plain, dummy_cast(port));
}

static void dummy_close(struct port *port_)
{
    struct dummy_port *port = dummy_cast(port_);
    if (port->tx_pcap && port->tx_pcap != port->rx_pcap)
        fclose(port->tx_pcap);
    if (port->rx_pcap)
        fclose(port->rx_pcap);
    port_fini(port_);
    free(port);
}

static int dummy_open(struct port_host *host, const char *name, const struct smap *options,
                      struct port **ret, struct diag *diag)
{
    struct dummy_port *port = NEW(struct dummy_port);
    port_init(&port->up, &port_class_dummy, host, name);
    const char *both = smap_get(options, "pcap");
    int err = pcap_open(both ? both : smap_get(options, "rxq_pcap"), &port->rx_pcap, diag);
    if (!err && both)
        port->tx_pcap = port->rx_pcap;
    else if (!err)
        err = pcap_open(smap_get(options, "tx_pcap"), &port->tx_pcap, diag);
    if (err) {
        dummy_close(&port->up);
        return err;
    }
    uint64_t mac = 0xaa5500000000 | (hash_text(name) & 0xffffff);
    port->up.status = (struct port_status){
        .mac = mac_from_u64(mac), .mtu = 1500, .admin_up = true, .link_up = true};
    *ret = &port->up;
    return 0;
}

const struct port_class port_class_dummy = {
    .type = "dummy",
    .open = dummy_open,
    .send = dummy_send,
    .close = dummy_close,
};
