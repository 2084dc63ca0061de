#include "pair/label.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "stream/record.h"

static int number_label(double v)
{
    return v == 1 ? XFV_LABEL_GENUINE : v == 0 || v == -1 ? XFV_LABEL_IMPOSTOR : XFV_LABEL_BAD;
}

int xfv_label_of(const char *word)
{
    static const struct { const char *word; int label;
    } words[] = {
        {"yes", 1},       {"true", 1},      {"genuine", 1},   {"same", 1},     {"mated", 1},       {"match", 1},
        {"matched", 1},   {"y", 1},         {"t", 1},         {"positive", 1}, {"no", 0},          {"false", 0},
        {"impostor", 0},  {"different", 0}, {"non-mated", 0}, {"nonmated", 0}, {"mismatch", 0},    {"mismatched", 0},
        {"non-match", 0}, {"nonmatch", 0},  {"imposter", 0},  {"diff", 0},     {"n", 0},           {"f", 0},
        {"negative", 0},  {"", -1},         {"-", -1},        {"none", -1},    {"unlabelled", -1}, {"unknown", -1},
        {"nan", -1},      {"null", -1},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (!strcasecmp(word, words[i].word)) return words[i].label;
    char *end;
    if (word[strspn(word, "0123456789.+-eE")]) return XFV_LABEL_BAD; /* neither hexadecimal nor infinite */
    double v = strtod(word, &end);
    return end == word || *end ? XFV_LABEL_BAD : number_label(v);
}

const char *xfv_label_word(int label)
{
    return label == XFV_LABEL_GENUINE ? "genuine" : label == XFV_LABEL_IMPOSTOR ? "impostor" : "-";
}

int xfv_pair_label(const msgpack_object *pair)
{
    const msgpack_object *o = xfv_map_get(pair, "label");
    char word[16];
    if (!o) return XFV_LABEL_NONE;
    switch (o->type) {
    case MSGPACK_OBJECT_NIL: return XFV_LABEL_NONE;
    case MSGPACK_OBJECT_BOOLEAN: return o->via.boolean ? XFV_LABEL_GENUINE : XFV_LABEL_IMPOSTOR;
    case MSGPACK_OBJECT_POSITIVE_INTEGER: return number_label((double)o->via.u64);
    case MSGPACK_OBJECT_NEGATIVE_INTEGER: return number_label((double)o->via.i64);
    case MSGPACK_OBJECT_FLOAT32:
    case MSGPACK_OBJECT_FLOAT64: return number_label(o->via.f64);
    case MSGPACK_OBJECT_STR: break;
    default: return XFV_LABEL_BAD;
    }
    if (o->via.str.size >= sizeof word || memchr(o->via.str.ptr, '\0', o->via.str.size)) return XFV_LABEL_BAD;
    memcpy(word, o->via.str.ptr, o->via.str.size);
    word[o->via.str.size] = '\0';
    return xfv_label_of(word);
}
