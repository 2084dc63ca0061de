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

/* As JSON writes it: 12, -0.5, 1e-05, with a plus, too. */
static int is_number(const char *s)
{
    char *end;
    if (*s == '+') s++;
    if (!isdigit((unsigned char)s[*s == '-']) || strpbrk(s, "xX")) return 0;
    return isfinite(strtod(s, &end)) && !*end;
}

/* RFC 4180, with lines as in all our texts. A spreadsheet would take a text that begins like a formula for one, and a
 * file's name can hold one: an apostrophe, which it hides, keeps it a text. */
static void csv_row(FILE *f, char *line)
{
    for (char *field; (field = next_field(&line));) {
        int formula = *field && strchr("=+-@\r", *field) && field[1] && !is_number(field);
        int quoted = formula || strpbrk(field, ",\"\r") || *field == ' ' || (*field && field[strlen(field) - 1] == ' ');
        if (quoted) fputc('"', f);
        if (formula) fputc('\'', f);
        for (const char *p = field; *p; p++) {
            if (*p == '"') fputc('"', f);
            fputc(*p, f);
        }
        if (quoted) fputc('"', f);
        fputs(line ? "," : "\n", f);
    }
}

static void latex_text(FILE *f, const char *s)
{
    static const struct { char c; const char *as; } special[] = {
        {'\\', "\\textbackslash{}"}, {'~', "\\textasciitilde{}"}, {'^', "\\textasciicircum{}"}, {'<', "\\textless{}"},
        {'>', "\\textgreater{}"}, {'|', "\\textbar{}"}, {'"', "\\textquotedbl{}"}, {'[', "{[}"}, {'*', "{*}"}};
    for (; *s; s++) {
        size_t i = 0, n = sizeof special / sizeof *special;
        while (i < n && special[i].c != *s) i++;
        if (i < n) fputs(special[i].as, f);
        else if (strchr("&%$#_{}", *s)) fprintf(f, "\\%c", *s);
        else fputc(*s, f);
    }
}

/* With a true minus sign and powers of ten. */
static void latex_number(FILE *f, const char *s)
{
    const char *power = strpbrk(s, "eE");
    if (*s != '-' && *s != '+' && !power) fputs(s, f);
    else if (!power) fprintf(f, "$%s$", s);
    else fprintf(f, "$%.*s \\times 10^{%d}$", (int)(power - s), s, atoi(power + 1));
}

static void latex_row(FILE *f, char *line)
{
    for (char *field; (field = next_field(&line));) {
        if (is_number(field)) latex_number(f, field);
        else if (!strcmp(field, "-")) fputs("--", f);
        else latex_text(f, field);
        fputs(line ? " & " : " \\\\\n", f);
    }
}

/* "lrr": columns in which each cell is a number, or none, stand at the right. */
static void latex_columns(FILE *f, const char *table, int fields)
{
    for (int i = 0; i < fields; i++) {
        int right = 1;
        const char *line = strchr(table, '\n');
        for (; line && line[1]; line = strchr(line + 1, '\n')) {
            char cell[64];
            const char *at = line + 1;
            for (int k = 0; k < i && at; k++) at = strpbrk(at, "\t\n"), at = at && *at == '\t' ? at + 1 : NULL;
            snprintf(cell, sizeof cell, "%.*s", at ? (int)strcspn(at, "\t\n") : 0, at ? at : "");
            right &= !*cell || !strcmp(cell, "-") || !strcmp(cell, "NA") || is_number(cell);
        }
        fputc(right ? 'r' : 'l', f);
    }
}

static void rewrite_rows(struct xfv_table *t)
{
    int latex = t->form == XFV_TABLE_LATEX, fields = 1;
    char *line = t->buf, *end;
    for (const char *p = t->buf; *p && *p != '\n'; p++) fields += *p == '\t';
    if (latex) {
        fputs("\\begin{tabular}{", t->to);
        latex_columns(t->to, t->buf, fields);
        fputs("}\n\\toprule\n", t->to);
    }
    for (int row = 0; line < t->buf + t->n && (end = strchr(line, '\n')); row++, line = end + 1) {
        *end = '\0';
        if (latex) latex_row(t->to, line);
        else csv_row(t->to, line);
        if (latex && !row) fputs("\\midrule\n", t->to);
    }
    if (latex) fputs("\\bottomrule\n\\end{tabular}\n", t->to);
}

enum xfv_sheet_format xfv_table_of_sheet(enum xfv_table_form *form)
{
    if (*form == XFV_TABLE_MARKDOWN || *form == XFV_TABLE_LATEX) return XFV_SHEET_WIDE;
    int json = *form == XFV_TABLE_JSON;
    if (*form != XFV_TABLE_CSV) *form = XFV_TABLE_TSV; /* as it is: a sheet's JSON is its own */
    return json ? XFV_SHEET_JSON : XFV_SHEET_TSV;
}

/* A copy of the columns' names for each row, since cutting fields writes to it. */
static int rewrite(struct xfv_table *t, struct xfv_err *e)
{
    char *line = t->buf, *end, *columns = NULL;
    if (t->form == XFV_TABLE_CSV || t->form == XFV_TABLE_LATEX) return rewrite_rows(t), 0;
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
