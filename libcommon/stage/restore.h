/* The protocol "dpr" of delins, Decision-based Patch Replacement (Huber, Luu, Terhörst, Damer, WACV 2024): patched
 * pixels get their original values back in the order of a map, and the decision is taken again after each share. */
#ifndef XFV_STAGE_RESTORE_H
#define XFV_STAGE_RESTORE_H

#include "measure/sheet.h"
#include "pair/identity.h"
#include "stage/asker.h"
#include "stage/blackbox.h"

struct xfv_restore;
/* blur: sigma of every map's blur, pixels. box is open and stays the caller's, like a. NULL with e: XFV_EMODEL (a model
 * that decides by distance), XFV_ENOMEM. */
struct xfv_restore *xfv_restore_new(const struct xfv_asker *a, const struct xfv_blackbox *box, double blur,
                                    struct xfv_err *e);
void xfv_restore_free(struct xfv_restore *r); /* NULL is fine */
/* Measures the maps of the pair for which wanted(ctx, entry) is true and adds its list "dpr": [{"method",
 * "scores":[20], "threshold"}]. The scores are those after 0, 5, ... 95 % of the pixels got their values back. */
int xfv_restore_work(struct xfv_restore *r, struct xfv_rec *pair, int worker,
                     int (*wanted)(const void *ctx, const msgpack_object *entry), const void *ctx, struct xfv_err *e);
/* The pair's list "dpr" into the sheet: error rates at each share, and their mean. XFV_EDATA when the pair has no label
 * or a broken list. */
int xfv_restore_tally(struct xfv_sheet *sheet, const msgpack_object *pair, enum xfv_identity rule, struct xfv_err *e);

#endif
