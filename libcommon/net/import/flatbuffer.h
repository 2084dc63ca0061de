/* Reading FlatBuffers (the container of TFLite files) without generated code. Every access is checked against the
 * buffer: an access outside it sets `bad` and gives 0, so a caller reads what it needs and asks once. Positions are
 * offsets into the buffer; 0 means absent. */
#ifndef XFV_NET_IMPORT_FLATBUFFER_H
#define XFV_NET_IMPORT_FLATBUFFER_H

#include <stddef.h>
#include <stdint.h>

struct xfv_fb { const uint8_t *p; size_t n; int bad; };

size_t xfv_fb_root(struct xfv_fb *b);                                   /* position of the root table */
int32_t xfv_fb_i32(struct xfv_fb *b, size_t table, int id, int32_t def);
int xfv_fb_i8(struct xfv_fb *b, size_t table, int id, int def);
float xfv_fb_f32(struct xfv_fb *b, size_t table, int id, float def);
size_t xfv_fb_table(struct xfv_fb *b, size_t table, int id);            /* position of a sub-table */
/* Position of the first element of a vector whose elements have `size` bytes; *count elements lie inside the buffer. 0
 * and count 0: absent. */
size_t xfv_fb_vector(struct xfv_fb *b, size_t table, int id, size_t size, size_t *count);
size_t xfv_fb_at(struct xfv_fb *b, size_t vector, size_t count, size_t i); /* the i-th table of a vector of tables */
int32_t xfv_fb_i32_at(struct xfv_fb *b, size_t vector, size_t count, size_t i);
int32_t xfv_fb_read_i32(struct xfv_fb *b, size_t pos);

#endif
