/* What happens to a vector of results before it is stored: for net/run/kern_body.h and what stores as it does. */

/* Which parts of an epilogue there are: a constant after inlining, so that a store has no branches. */
enum { BIAS = 1, ADD = 2, SLOPE = 4, MASK = 8, SIGN = 16 };

static inline int parts_of(const struct xfv_epilogue *e)
{
    return (e->bias ? BIAS : 0) | (e->add ? ADD : 0) |
           (e->slope ? SLOPE | (e->mask ? MASK : 0) | (e->sign ? SIGN : 0) : 0);
}

/* y <- epilogue(v) for one vector of channels c.. at one pixel. */
static inline __attribute__((always_inline)) void store_parts(const struct xfv_epilogue *e, int parts, V v, float *y,
                                                              size_t pixel, int c, size_t offset)
{
    if (parts & BIAS) v = V_ADD(v, V_LD(e->bias + c));
    if (parts & ADD) v = V_ADD(v, V_LD(e->add + offset));
    if (parts & SLOPE) {
        V s = V_LD(e->slope + c);
        if (parts & SIGN) V_SIGN(v, e->sign + pixel * e->bits + (size_t)c / 8);
        v = parts & MASK ? V_MASK(v, e->mask + pixel * e->bits + (size_t)c / 8, s) : V_PRELU(v, s);
    }
    V_ST(y + offset, v);
}
