/* CRC-32 as in zlib, PNG and a stream's end records (polynomial 0x04C11DB7, reflected), several times as fast where the
 * processor multiplies without carry. */
#ifndef XFV_BASE_CRC_H
#define XFV_BASE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* crc, 0 at first, goes on over n bytes: crc32_z's value for every input. */
uint32_t xfv_crc32(uint32_t crc, const void *p, size_t n);

#endif
