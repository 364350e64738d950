/* config_tls.c - the keys and certificates of OpenFlow connections, from the row SSL of the database (ovs-vsctl set-ssl). What the
 * command line says goes before it; connections that are there go on as they are. */
#include <string.h>

#include "daemon/daemon.h"
#include "rows/ovs.h"
#include "switchd/config.h"

void config_apply_tls(struct config *config, const struct row *root)
{
    const struct uuid *ref = root ? ovs_open_vswitch_ssl(ovs_open_vswitch_cast(root)) : NULL;
    const struct row *row = ref ? config_ref(config, OVS_TABLE_SSL, ref) : NULL;
    const char *texts[TLS_N] = {0};
    struct str wanted = STR_INIT;
    if (row) {
        const struct ovs_ssl *ssl = ovs_ssl_cast(row);
        texts[TLS_KEY] = ovs_ssl_private_key(ssl);
        texts[TLS_CERTIFICATE] = ovs_ssl_certificate(ssl);
        texts[ovs_ssl_bootstrap_ca_cert(ssl) ? TLS_BOOTSTRAP_CA : TLS_CA] = ovs_ssl_ca_cert(ssl);
    }
    for (size_t i = 0; i < TLS_N; i++)
        str_putf(&wanted, "%s\n", texts[i] ? texts[i] : "");
    if (!config->tls_texts || strcmp(config->tls_texts, str_c(&wanted)) != 0) {
        struct diag diag = DIAG_INIT;
        int err = tls_config_set(config->vs->tls_db, texts, &diag);
        if (err || config->tls_texts)
            daemon_log_tls(NULL, err ? diag_text(&diag) : NULL);
        diag_fini(&diag);
        free(config->tls_texts);
        config->tls_texts = str_steal(&wanted);
    }
    str_fini(&wanted);
}
