/* TensorFlow.js models: making nodes and constants for the ONNX importer. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "net/import/tfjs_internal.h"

void *xfv_tfjs_alloc(struct tfjs *t, size_t n)
{
    void *p = t->e->status ? NULL : calloc(1, n ? n : 1);
    if (p && XFV_GROW(t->kept, t->n_kept + 1)) return t->kept[t->n_kept++] = p;
    free(p);
    if (!t->e->status) xfv_fail(t->e, XFV_ENOMEM, "out of memory for the file's nodes");
    return NULL;
}

const char *xfv_tfjs_format(struct tfjs *t, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(NULL, 0, format, ap);
    va_end(ap);
    char *s = n < 0 ? NULL : xfv_tfjs_alloc(t, (size_t)n + 1);
    if (!s) return NULL;
    va_start(ap, format);
    vsnprintf(s, (size_t)n + 1, format, ap);
    va_end(ap);
    return s;
}

/* protobuf-c's texts are not const; the importer does not write to them. */
static char *plain(const char *s) { return (char *)(uintptr_t)(s ? s : ""); }

/* Lists grow by doubling: their capacity is the next power of two. */
#define ROOM(list, n) (((n) & ((n) - 1)) || XFV_GROW(list, (n) ? 2 * (n) : 1))

const char *xfv_tfjs_node(struct tfjs *t, const char *op, const char *out, const char *const *in, int n)
{
    onx_node *p = xfv_tfjs_alloc(t, sizeof *p);
    char **names = xfv_tfjs_alloc(t, ((size_t)n + 1) * sizeof *names);
    if (!p || !names || !out) return NULL;
    if (!ROOM(t->graph.node, t->graph.n_node)) return xfv_fail(t->e, XFV_ENOMEM, "out of memory for nodes"), NULL;
    xfv_onnx__node_proto__init(p);
    for (int i = 0; i < n; i++) names[i] = plain(in[i]);
    names[n] = plain(out);
    p->op_type = plain(op);
    p->name = plain(out);
    p->n_input = (size_t)n;
    p->input = names;
    p->n_output = 1;
    p->output = names + n;
    t->graph.node[t->graph.n_node++] = p;
    t->last = p;
    return out;
}

void xfv_tfjs_more_outputs(struct tfjs *t, const char *const *out, int n)
{
    char **names = t->last ? xfv_tfjs_alloc(t, (size_t)n * sizeof *names) : NULL;
    if (!names) return;
    for (int i = 0; i < n; i++) names[i] = plain(out[i]);
    t->last->output = names;
    t->last->n_output = (size_t)n;
}

static Onnx__AttributeProto *attribute(struct tfjs *t, const char *name)
{
    Onnx__AttributeProto *a = t->last ? xfv_tfjs_alloc(t, sizeof *a) : NULL,
                         **list = a ? xfv_tfjs_alloc(t, (t->last->n_attribute + 1) * sizeof(void *)) : NULL;
    if (!list) return NULL;
    xfv_onnx__attribute_proto__init(a);
    a->name = plain(name);
    if (t->last->n_attribute) memcpy(list, t->last->attribute, t->last->n_attribute * sizeof(void *));
    list[t->last->n_attribute++] = a;
    t->last->attribute = list;
    return a;
}

void xfv_tfjs_int(struct tfjs *t, const char *name, int64_t v)
{
    Onnx__AttributeProto *a = attribute(t, name);
    if (a) a->has_i = 1, a->i = v;
}

void xfv_tfjs_ints(struct tfjs *t, const char *name, const int64_t *v, int n)
{
    Onnx__AttributeProto *a = attribute(t, name);
    int64_t *list = a ? xfv_tfjs_alloc(t, (size_t)n * sizeof *list) : NULL;
    if (!list) return;
    if (n) memcpy(list, v, (size_t)n * sizeof *v);
    a->n_ints = (size_t)n;
    a->ints = list;
}

void xfv_tfjs_float(struct tfjs *t, const char *name, double v)
{
    Onnx__AttributeProto *a = attribute(t, name);
    if (a) a->has_f = 1, a->f = (float)v;
}

void xfv_tfjs_string(struct tfjs *t, const char *name, const char *v)
{
    Onnx__AttributeProto *a = attribute(t, name);
    if (!a) return;
    a->has_s = 1;
    a->s.len = strlen(v);
    a->s.data = (uint8_t *)(uintptr_t)v;
}

static int add_constant(struct tfjs *t, onx_proto *p)
{
    if (!ROOM(t->graph.initializer, t->graph.n_initializer))
        return xfv_fail(t->e, XFV_ENOMEM, "out of memory for constants");
    t->graph.initializer[t->graph.n_initializer++] = p;
    return 0;
}

/* A constant of n numbers along one axis (n 0: no axis, one number), with room for them. */
static onx_proto *constant(struct tfjs *t, int type, int n)
{
    onx_proto *p = xfv_tfjs_alloc(t, sizeof *p);
    int64_t *dim = xfv_tfjs_alloc(t, sizeof *dim);
    size_t size = type == ONX_F32 ? sizeof(float) : sizeof(int64_t);
    void *data = xfv_tfjs_alloc(t, (size_t)(n ? n : 1) * size);
    if (!p || !dim || !data) return NULL;
    xfv_onnx__tensor_proto__init(p);
    *dim = n;
    p->name = plain(xfv_tfjs_format(t, "@%d", t->unique++));
    p->n_dims = n > 0;
    p->dims = dim;
    p->has_data_type = 1;
    p->data_type = type;
    p->has_raw_data = 1;
    p->raw_data.len = (size_t)(n ? n : 1) * size;
    p->raw_data.data = data;
    return add_constant(t, p) ? NULL : p;
}

const char *xfv_tfjs_const_ints(struct tfjs *t, const int64_t *v, int n)
{
    onx_proto *p = constant(t, ONX_I64, n);
    if (p) memcpy(p->raw_data.data, v, p->raw_data.len);
    return p ? p->name : NULL;
}

const char *xfv_tfjs_const_floats(struct tfjs *t, const float *v, int n)
{
    onx_proto *p = constant(t, ONX_F32, n);
    if (p) memcpy(p->raw_data.data, v, p->raw_data.len);
    return p ? p->name : NULL;
}

const char *xfv_tfjs_scalar(struct tfjs *t, double v)
{
    float f = (float)v;
    return xfv_tfjs_const_floats(t, &f, 0);
}

const char *xfv_tfjs_add_weight(struct tfjs *t, struct tfjs_weight *w)
{
    if (!w || (!w->used && add_constant(t, w->proto))) return NULL;
    w->used = 1;
    return w->name;
}

static Onnx__TensorShapeProto *shape(struct tfjs *t, const int64_t *dim, int rank)
{
    Onnx__TensorShapeProto *s = xfv_tfjs_alloc(t, sizeof *s);
    Onnx__TensorShapeProto__Dimension **list = xfv_tfjs_alloc(t, (size_t)rank * sizeof *list);
    if (!s || !list) return NULL;
    xfv_onnx__tensor_shape_proto__init(s);
    for (int i = 0; i < rank; i++) {
        if (!(list[i] = xfv_tfjs_alloc(t, sizeof **list))) return NULL;
        xfv_onnx__tensor_shape_proto__dimension__init(list[i]);
        list[i]->value_case = ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        list[i]->dim_value = dim[i];
    }
    s->n_dim = (size_t)rank;
    s->dim = list;
    return s;
}

static Onnx__ValueInfoProto *value(struct tfjs *t, const char *name)
{
    Onnx__ValueInfoProto *v = xfv_tfjs_alloc(t, sizeof *v);
    if (!v) return NULL;
    xfv_onnx__value_info_proto__init(v);
    v->name = plain(name);
    return v;
}

void xfv_tfjs_input(struct tfjs *t, const char *name, const int64_t *dim, int rank, int type)
{
    Onnx__ValueInfoProto *v = value(t, name);
    Onnx__TypeProto *tp = v ? xfv_tfjs_alloc(t, sizeof *tp) : NULL;
    Onnx__TypeProto__Tensor *tt = tp ? xfv_tfjs_alloc(t, sizeof *tt) : NULL;
    Onnx__TensorShapeProto *s = tt ? shape(t, dim, rank) : NULL;
    if (!s) return;
    xfv_onnx__type_proto__init(tp);
    xfv_onnx__type_proto__tensor__init(tt);
    tt->has_elem_type = 1;
    tt->elem_type = type;
    tt->shape = s;
    tp->value_case = ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
    tp->tensor_type = tt;
    v->type = tp;
    if (!ROOM(t->graph.input, t->graph.n_input)) xfv_fail(t->e, XFV_ENOMEM, "out of memory for inputs");
    else t->graph.input[t->graph.n_input++] = v;
}

void xfv_tfjs_output(struct tfjs *t, const char *name)
{
    Onnx__ValueInfoProto *v = value(t, name);
    if (!v) return;
    if (!ROOM(t->graph.output, t->graph.n_output)) xfv_fail(t->e, XFV_ENOMEM, "out of memory for outputs");
    else t->graph.output[t->graph.n_output++] = v;
}
