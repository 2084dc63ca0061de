/* What both importers ask about the limits of quantised activations. */
#ifndef XFV_NET_IMPORT_LIMITS_H
#define XFV_NET_IMPORT_LIMITS_H

#include "net/graph/graph.h"

/* Is value v of a graph that is being made within lo..hi already, since it is limited so and was only moved since? */
int xfv_within(const struct xfv_graph *g, int v, float lo, float hi);
void xfv_quantiser_note(int quantisers, char *note, size_t size); /* the sentence that tells about them */

#endif
