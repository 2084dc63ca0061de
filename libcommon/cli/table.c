#include "cli/table.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/json.h"

FILE *xfv_table_open(struct xfv_table *t, enum xfv_table_form form, const char *const *texts, FILE *f,
                     struct xfv_err *e)
{
    *t = (struct xfv_table){.to = f, .lines = f, .form = form, .texts = texts};
    if (form > XFV_TABLE_TSV && !(t->lines = open_memstream(&t->buf, &t->n)))
        xfv_fail(e, XFV_ENOMEM, "out of memory for the table");
    return t->lines;
}

/* The next field of a line, cut off; NULL after the last. */
static char *next_field(char **line)
{
    char *field = *line, *end = field ? strchr(field, '\t') : NULL;
    if (end) *end = '\0';
    *line = end ? end + 1 : NULL;
    return field;
}

static void markdown_row(FILE *f, char *line)
{
    fputc('|', f);
    for (char *field; (field = next_field(&line));) {
        fputc(' ', f);
        for (; *field; field++) fputc(*field == '|' ? '_' : *field, f);
        fputs(" |", f);
    }
    fputc('\n', f);
}

static int is_text(const struct xfv_table *t, const char *column)
{
    for (int i = 0; t->texts && t->texts[i]; i++)
        if (!strcmp(t->texts[i], column)) return 1;
    return 0;
}

static void json_row(const struct xfv_table *t, char *columns, char *line)
{
    fputc('{', t->to);
    for (char *column, *field; (column = next_field(&columns)) && (field = next_field(&line));) {
        const char *number = field + (*field == '+');
        char *end;
        double v = strtod(number, &end);
        xfv_json_text(t->to, column, strlen(column));
        fputc(':', t->to);
        if (is_text(t, column)) xfv_json_text(t->to, field, strlen(field));
        else if (!*field || !strcmp(field, "-") || !strcmp(field, "NA") || (!*end && !isfinite(v)))
            fputs("null", t->to);
        else if (!*end && isdigit((unsigned char)number[*number == '-']) && !strpbrk(number, "xX"))
            fputs(number, t->to);
        else xfv_json_text(t->to, field, strlen(field));
        fputs(columns && line ? "," : "", t->to);
    }
    fputs("}\n", t->to);
}

/* A copy of the columns' names for each row, since cutting fields writes to it. */
static int rewrite(struct xfv_table *t, struct xfv_err *e)
{
    char *line = t->buf, *end, *columns = NULL;
    for (int row = 0; line < t->buf + t->n && (end = strchr(line, '\n')); row++, line = end + 1) {
        *end = '\0';
        int fields = 1;
        for (const char *p = line; *p; p++) fields += *p == '\t';
        if (t->form == XFV_TABLE_MARKDOWN) markdown_row(t->to, line);
        for (int i = 0; i < fields && !row && t->form == XFV_TABLE_MARKDOWN; i++) fputs(i ? "---|" : "|---|", t->to);
        if (!row && t->form == XFV_TABLE_MARKDOWN) fputc('\n', t->to);
        if (t->form == XFV_TABLE_MARKDOWN) continue;
        char *names = columns ? strdup(columns) : NULL;
        if (!row) columns = line;
        else if (!names) return xfv_fail(e, XFV_ENOMEM, "out of memory for the table");
        else json_row(t, names, line);
        free(names);
    }
    return 0;
}

int xfv_table_close(struct xfv_table *t, struct xfv_err *e)
{
    int status = 0;
    if (t->lines && t->lines != t->to) {
        status = fclose(t->lines) ? xfv_fail(e, XFV_ENOMEM, "out of memory for the table") : rewrite(t, e);
        free(t->buf);
    }
    if (!status && t->to && (fflush(t->to) || ferror(t->to))) status = xfv_fail(e, XFV_EIO, "cannot write the table");
    *t = (struct xfv_table){0};
    return status;
}
