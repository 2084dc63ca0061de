#include "stage/answer.h"

#include <string.h>

#include "base/escape.h"
#include "cli/json.h"
#include "pair/keys.h"

const char *const xfv_answers[] = {"no", "words", "json", NULL};

static void put_safely(FILE *f, const char *s)
{
    char safe[4 * 1024 + 1];
    xfv_escape(safe, sizeof safe, s, strlen(s));
    fputs(safe, f);
}

static void put_words(FILE *f, const struct xfv_pairview *p, int names)
{
    char words[512];
    int tried = 0;
    for (int side = 0; side < 2 && names; side++) {
        put_safely(f, p->face[side].id[0] ? p->face[side].id : "(no id)");
        fputs(side ? ": " : ", ", f);
    }
    xfv_decision_words(p->accept, p->score, p->threshold, words, sizeof words);
    fputs(words, f);
    for (int k = 0; k < 2 * p->n_rows; k++) {
        const struct xfv_view_row *r = &p->row[k / 2];
        if (!r->trial[k % 2].has) continue;
        xfv_verdict_words(&r->trial[k % 2].v, r->method, words, sizeof words);
        putc(' ', f);
        put_safely(f, words);
        tried = 1;
    }
    if (!tried) fputs(" No map was tried.", f);
}

static void put_text(FILE *f, const char *key, const char *s)
{
    fprintf(f, "\"%s\":", key);
    xfv_json_text(f, s, strlen(s));
}

static void put_number(FILE *f, const char *key, double v)
{
    fprintf(f, ",\"%s\":", key);
    xfv_json_real(f, v, 0);
}

static void put_trial(FILE *f, const struct xfv_verdict *v, const char *method)
{
    char words[512];
    xfv_verdict_words(v, method, words, sizeof words);
    putc('{', f);
    put_text(f, "method", method);
    fprintf(f, ",\"map\":\"%s\",\"state\":\"%s\",", xfv_map_keys[v->minus], xfv_state_names[v->state]);
    put_text(f, "words", words);
    if (v->state == XFV_TRIED) {
        fprintf(f, ",\"stands\":%s", xfv_verdict_stands(v) ? "true" : "false");
        put_number(f, "p", v->p);
        put_number(f, "share", v->share);
        put_number(f, "score", v->score);
        put_number(f, "elsewhere", v->elsewhere);
        put_number(f, "turns", v->turns);
    }
    putc('}', f);
}

static void put_json(FILE *f, const struct xfv_pairview *p)
{
    static const char *const accepts[] = {"null", "false", "true"};
    char words[512];
    int n = 0;
    xfv_decision_words(p->accept, p->score, p->threshold, words, sizeof words);
    putc('{', f);
    put_text(f, "a", p->face[0].id);
    putc(',', f);
    put_text(f, "b", p->face[1].id);
    put_number(f, "score", p->score);
    put_number(f, "threshold", p->threshold);
    fprintf(f, ",\"accept\":%s,", accepts[p->accept + 1]);
    put_text(f, "words", words);
    fputs(",\"trials\":[", f);
    for (int k = 0; k < 2 * p->n_rows; k++) {
        const struct xfv_view_row *r = &p->row[k / 2];
        if (!r->trial[k % 2].has) continue;
        if (n++) putc(',', f);
        put_trial(f, &r->trial[k % 2].v, r->method);
    }
    fputs("]}", f);
}

void xfv_answer_write(FILE *f, const struct xfv_pairview *p, enum xfv_answer how, int names)
{
    if (how == XFV_ANSWER_NONE) return;
    if (how == XFV_ANSWER_JSON) put_json(f, p);
    else put_words(f, p, names);
    putc('\n', f);
}
