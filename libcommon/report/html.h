/* Writing HTML safely: whatever comes from a stream is text, never markup. */
#ifndef XFV_REPORT_HTML_H
#define XFV_REPORT_HTML_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* n bytes as the text of an element or of a double-quoted attribute: & < > " ' become references, control characters
 * their pictures (U+2400..), what turns the direction of text (bidirectional controls) and what is not UTF-8 U+FFFD. */
void xfv_html_text(FILE *f, const char *s, size_t n);
/* The same of a path or a pair's id, in an element: lines may break after a slash or bar. */
void xfv_html_path(FILE *f, const char *s, size_t n);
void xfv_html_str(FILE *f, const char *s); /* the same for a NUL-terminated text */
void xfv_base64(FILE *f, const uint8_t *p, size_t n);
/* "sha256-..." of a text, as a Content-Security-Policy names what may run. buf of at least 52 bytes. */
void xfv_html_hash(char *buf, const void *p, size_t n);

#endif
