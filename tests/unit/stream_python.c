/* The stream between us and Python, whose msgpack and NumPy know nothing of our code: each reads what the other writes.
 */
#include "../tap.h"
#include "streambytes.h"

static const char reader[] = /* reads our stream with NumPy, checks it, and writes the same with its own packer */
    "import sys, zlib, msgpack, numpy as np\n"
    "data = open(sys.argv[1], 'rb').read()\n"
    "u = msgpack.Unpacker(unicode_errors='surrogateescape', max_buffer_size=0)\n"
    "u.feed(data)\n"
    "records, at = [], []\n"
    "for r in u:\n"
    "    at.append(u.tell())\n"
    "    records.append(r)\n"
    "head, faces, err, end = records[0], records[1:-2], records[-2], records[-1]\n"
    "assert list(head)[:2] == ['_', 'magic'] and head['magic'] == 'xfv', head\n"
    "assert head['provenance'] == [{'tool': 'c', 'version': '1', 'args': ['--x']}], head\n"
    "assert end == {'_': 'end', 'records': len(records) - 2, 'errors': 1, 'crc32': zlib.crc32(data[:at[-2]])}, end\n"
    "assert err['id'].encode('utf-8', 'surrogateescape') == b'a\\xffb', err\n"
    "dtypes = ['|u1', '|i1', '<u2', '<i2', '<i4', '<i8', '<f2', '<f4', '<f8']\n"
    "assert len(faces) == len(dtypes)\n"
    "for f, d in zip(faces, dtypes):\n"
    "    t = f['t']\n"
    "    a = np.frombuffer(t['data'], t['dtype']).reshape(t['shape'])\n"
    "    assert a.dtype == np.dtype(d) and a.shape == (2, 3), f\n"
    "    want = np.arange(6).reshape(2, 3) * np.dtype(d).type(-0.5 if d[1] == 'f' else 3)\n"
    "    assert (a == want).all(), (d, a)\n"
    "    assert f['half'] == 0.5 and f['n'] == -129 and f['big'] == 2**40 and f['yes'] is True and f['none'] is None, "
    "f\n"
    "with open(sys.argv[2], 'wb') as out:\n"
    "    for r in records: out.write(msgpack.packb(r, unicode_errors='surrogateescape'))\n"
    "print('fine')\n";

static struct xfv_err e;

static void put_face(struct xfv_writer *w, enum xfv_dtype d)
{
    struct xfv_tensor t;
    struct xfv_rec *rec = xfv_rec_new(XFV_FACE);
    msgpack_object *m = xfv_rec_root(rec);
    msgpack_zone *z = xfv_rec_zone(rec);
    if (xfv_tensor_alloc(&t, d, 2, (size_t[]){2, 3}, &e)) abort();
    for (int i = 0; i < 6; i++) {
        float f = -0.5f * (float)i;
        switch (d) {
        case XFV_U8: ((uint8_t *)t.data)[i] = (uint8_t)(3 * i); break;
        case XFV_I8: ((int8_t *)t.data)[i] = (int8_t)(3 * i); break;
        case XFV_U16: ((uint16_t *)t.data)[i] = (uint16_t)(3 * i); break;
        case XFV_I16: ((int16_t *)t.data)[i] = (int16_t)(3 * i); break;
        case XFV_I32: ((int32_t *)t.data)[i] = 3 * i; break;
        case XFV_I64: ((int64_t *)t.data)[i] = 3 * i; break;
        case XFV_F16: xfv_f16_from_f32(&f, (uint16_t *)t.data + i, 1); break;
        case XFV_F32: ((float *)t.data)[i] = f; break;
        default: ((double *)t.data)[i] = (double)f; break;
        }
    }
    int bad = xfv_map_put(z, m, "t", xfv_val_tensor(z, &t), &e) || xfv_map_put(z, m, "half", xfv_val_f64(0.5), &e) ||
              xfv_map_put(z, m, "n", xfv_val_int(-129), &e) ||
              xfv_map_put(z, m, "big", xfv_val_int((int64_t)1 << 40), &e) ||
              xfv_map_put(z, m, "yes", xfv_val_bool(1), &e) || xfv_map_put_nil(z, m, "none", &e) ||
              xfv_writer_put(w, rec, &e);
    if (bad) abort();
    xfv_tensor_clear(&t);
    xfv_rec_free(rec);
}

int main(void)
{
    static const char *const args[] = {"--x", NULL};
    static const struct xfv_prov p = {.tool = "c", .version = "1", .args = args};
    const char *python = getenv("PYTHON") ? getenv("PYTHON") : "/usr/bin/python3";
    char ours[] = "/tmp/xfv-ours-XXXXXX", theirs[] = "/tmp/xfv-theirs-XXXXXX", script[] = "/tmp/xfv-script-XXXXXX",
         command[512], line[64] = "";
    int fo = mkstemp(ours), ft = mkstemp(theirs), fs = mkstemp(script);
    struct xfv_writer *w;
    struct xfv_rec *err = xfv_rec_error("a\xff" "b", 3, "c", "decode", "text");
    if (fo < 0 || ft < 0 || fs < 0 || write(fs, reader, sizeof reader - 1) < 0 || xfv_writer_open(&w, fo, &e)) abort();
    int status = xfv_writer_head(w, NULL, &p, NULL, &e);
    for (int d = 0; d < XFV_DTYPES; d++) put_face(w, (enum xfv_dtype)d);
    OK(status == 0 && xfv_writer_put(w, err, &e) == 0 && xfv_writer_end(w, &e) == 0, "we write a stream with a tensor "
                                                                                     "of each type");
    snprintf(command, sizeof command, "%s %s %s %s", python, script, ours, theirs);
    FILE *f = popen(command, "r");
    if (!f || !fgets(line, sizeof line, f)) line[0] = '\0';
    OK(f && pclose(f) == 0 && !strcmp(line, "fine\n"), "Python's msgpack and numpy.frombuffer read every value of it");
    struct bytes a = all_of(fo), b = all_of(ft);
    OK(a.n > 500 && a.n == b.n && !memcmp(a.p, b.p, a.n), "Python packs the same records into the same %zu bytes", a.n);
    int n;
    OK(read_bytes(b.p, b.n, NULL, &n, &e) == XFV_EOF && n == XFV_DTYPES + 1, "and we read what Python has written");
    unlink(ours);
    unlink(theirs);
    unlink(script);
    xfv_rec_free(err);
    xfv_writer_close(w);
    free(a.p);
    free(b.p);
    return tap_done();
}
