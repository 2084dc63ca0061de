/* The keys of a pair, its faces and its maps, as xfv-stream(5) has them. */
#ifndef XFV_PAIR_KEYS_H
#define XFV_PAIR_KEYS_H

#define XFV_KEY_MAPS "maps"
#define XFV_KEY_METHOD "method"
#define XFV_KEY_PARAMS "params"
#define XFV_KEY_SIGNED "signed"

extern const char *const xfv_sides[];    /* "a", "b", NULL: a pair's faces, and an entry's maps of them */
extern const char *const xfv_map_keys[]; /* "similarity", "dissimilarity", NULL */

#endif
