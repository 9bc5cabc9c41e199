
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_report.h"


static void ntrip_report_rate(ntrip_out_t *out, const char *name,
    ngx_uint_t n, ngx_uint_t total, ngx_uint_t known);
static void ntrip_report_printable(ntrip_out_t *out, const ngx_str_t *text);
static void ntrip_report_bytes(ntrip_out_t *out, uint64_t n);


void
ntrip_report_usage(ntrip_out_t *out, const ntrip_report_usage_t *usage)
{
    ntrip_report_rate(out, "Users Online ", usage->users_online,
                      usage->users_total, usage->known);
    ntrip_report_rate(out, ", Source Using ", usage->sources_using,
                      usage->sources_total, usage->known);

    if (usage->sources_using) {
        ntrip_out_text(out, ", Potency ");
        ntrip_out_fixed(out, (double) usage->users_online
                             / usage->sources_using, 1, 2);
    }
}


static void
ntrip_report_rate(ntrip_out_t *out, const char *name, ngx_uint_t n,
    ngx_uint_t total, ngx_uint_t known)
{
    ntrip_out_text(out, name);
    ntrip_out_uint(out, n, 1);

    if (!known) {
        return;
    }

    ntrip_out_text(out, " of ");
    ntrip_out_uint(out, total, 1);

    if (total) {
        ntrip_out_text(out, " (");
        ntrip_out_fixed(out, 100.0 * n / total, 1, 1);
        ntrip_out_text(out, "%)");
    }
}


void
ntrip_report_head(ntrip_out_t *out)
{
    ntrip_out_text(out, "| Source | Slot | Client | Client IP | Location "
                        "| Login Time | Out Bps | Out Bytes |");
}


void
ntrip_report_row(ntrip_out_t *out, const ntrip_report_row_t *row)
{
    ntrip_out_text(out, "| ");

    if (row->source.len) {
        ntrip_report_printable(out, &row->source);
        ntrip_out_char(out, '/');
    }

    ntrip_report_printable(out, &row->mount);

    ntrip_out_text(out, " | ");
    ntrip_out_uint(out, row->slot, 1);
    ntrip_out_text(out, " | ");
    ntrip_report_printable(out, &row->user);
    ntrip_out_text(out, " | ");
    ntrip_report_printable(out, &row->addr);
    ntrip_out_text(out, " | ");

    if (row->point != NTRIP_POINT_NONE) {
        ntrip_geohash(out, ntrip_point_lat(row->point) / 1e7,
                      ntrip_point_lon(row->point) / 1e7,
                      NTRIP_REPORT_GEOHASH);
    }

    ntrip_out_text(out, " | ");
    ntrip_out_uint(out, row->login.tm_mon + 1, 2);
    ntrip_out_char(out, '-');
    ntrip_out_uint(out, row->login.tm_mday, 2);
    ntrip_out_char(out, ' ');
    ntrip_out_uint(out, row->login.tm_hour, 2);
    ntrip_out_char(out, ':');
    ntrip_out_uint(out, row->login.tm_min, 2);

    ntrip_out_text(out, " | ");
    ntrip_out_uint(out, row->seconds > 0 ? row->bytes * 8 / row->seconds : 0,
                   1);
    ntrip_out_text(out, " | ");
    ntrip_report_bytes(out, row->bytes);
    ntrip_out_text(out, " |");
}


static void
ntrip_report_printable(ntrip_out_t *out, const ngx_str_t *text)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < text->len; i++) {
        c = text->data[i];
        ntrip_out_char(out, (c >= 0x20 && c < 0x7f && c != '|') ? c : '?');
    }
}


static void
ntrip_report_bytes(ntrip_out_t *out, uint64_t n)
{
    ngx_uint_t  i;

    static const char  *units[] = { " KB", " MB", " GB", " TB" };

    if (n < 1024) {
        ntrip_out_uint(out, n, 1);
        ntrip_out_text(out, " B");
        return;
    }

    for (i = 0; n >= 1024 * 1024 && i < 3; i++) {
        n /= 1024;
    }

    ntrip_out_fixed(out, n / 1024.0, 1, 1);
    ntrip_out_text(out, units[i]);
}
