/* A table that a program prints: tab-separated, CSV, Markdown, LaTeX or JSON Lines. The program writes lines of
 * tab-separated fields, the first the columns' names, and this makes of them what was asked for. */
#ifndef XFV_CLI_TABLE_H
#define XFV_CLI_TABLE_H

#include "cli/cli.h"
#include "measure/sheet.h"

enum xfv_table_form {
    XFV_TABLE_NONE,
    XFV_TABLE_TSV,
    XFV_TABLE_CSV,
    XFV_TABLE_MARKDOWN,
    XFV_TABLE_LATEX,
    XFV_TABLE_JSON
};

/* Rows for a program's options; the field of the context is an int. */
#define XFV_OPT_TABLE(t, field) \
    {"tsv", 0, \
     NULL,  "write a table: tab-separated fields, the columns' names first", \
     0,     XFV_TO_FLAG(t, field, XFV_TABLE_TSV)}, \
        {"csv", 0, NULL, "the same as CSV, for spreadsheets", 0, XFV_TO_FLAG(t, field, XFV_TABLE_CSV)}, \
        {"markdown", 0, NULL, "the same in Markdown", 0, XFV_TO_FLAG(t, field, XFV_TABLE_MARKDOWN)}, \
        {"latex", 0, NULL, "the same as a LaTeX tabular (booktabs)", 0, XFV_TO_FLAG(t, field, XFV_TABLE_LATEX)}, \
    { \
        "json", 0, NULL, "the same as JSON, an object a line", 0, XFV_TO_FLAG(t, field, XFV_TABLE_JSON) \
    }

struct xfv_table { FILE *to, *lines; enum xfv_table_form form; const char *const *texts; char *buf; size_t n; };

/* Where to write the lines: f itself for TSV. texts: columns whose fields stay texts in JSON even when they look like
 * numbers; NULL-terminated, kept. NULL: out of memory. */
FILE *xfv_table_open(struct xfv_table *t, enum xfv_table_form form, const char *const *texts, FILE *f,
                     struct xfv_err *e);
/* How a sheet is printed for a form: wide for people, long for programs. *form becomes how its lines are rewritten. */
enum xfv_sheet_format xfv_table_of_sheet(enum xfv_table_form *form);
/* 0, XFV_EIO or XFV_ENOMEM; safe on a table that was not opened */
int xfv_table_close(struct xfv_table *t, struct xfv_err *e);

#endif
