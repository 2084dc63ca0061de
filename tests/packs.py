"""For tests: records and streams without NumPy, which takes longer to start than most programs under test."""
import io, zlib
import msgpack


def pack(r):
    return msgpack.packb(r, unicode_errors="surrogateescape")


def stream(records, **head):
    data = b"".join(
        map(pack, [{"_": "head", "magic": "xfv", "version": [1, 0], "provenance": [], **head}] + list(records))
    )
    errors = sum(r["_"] == "err" for r in records)
    return data + pack({"_": "end", "records": len(records), "errors": errors, "crc32": zlib.crc32(data)})


def records(data, all=False):
    u = msgpack.Unpacker(io.BytesIO(data), max_buffer_size=0, unicode_errors="surrogateescape")
    return [r for r in u if all or r["_"] not in ("head", "end")]


def err(name, message="no face found"):
    return {"_": "err", "id": name, "tool": "facecrop", "code": "noface", "message": message}
