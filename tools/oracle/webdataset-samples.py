"""Writes packages/data/test/fixtures/webdataset.json: a shard that WebDataset wrote, and how it splits names and groups files, for the
tests of @dit/data.

    python tools/oracle/webdataset-samples.py > packages/data/test/fixtures/webdataset.json

Needs webdataset. With the path of a shard it prints the samples that WebDataset reads from it instead, a line each.
"""

import base64
import gzip
import io
import json
import struct
import sys
import tarfile
import zlib

import webdataset
from webdataset.tariterators import base_plus_ext, group_by_keys, tar_file_iterator

NAMES = [
    "a.jpg",
    "a.seg.PNG",
    "a.tar.gz",
    "a/b.c.d",
    "a.b/c.d",
    "./a.jpg",
    "a",
    "a.b/c",
    ".jpg",
    "a/",
    "a.",
    "a b/ü.JPG",
    "../x.cls",
    "/x.cls",
]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


# a red picture of 2 by 2 pixels
PNG = b"".join(
    [
        b"\x89PNG\r\n\x1a\n",
        chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 2, 8, 2, 0, 0, 0)),
        chunk(b"IDAT", zlib.compress((b"\0" + b"\xff\0\0" * 2) * 2)),
        chunk(b"IEND", b""),
    ]
)


def samples(data):
    files = ({**file, "__url__": "x"} for file in tar_file_iterator(io.BytesIO(data)))
    return [
        {"key": sample["__key__"], "fields": sorted(name for name in sample if not name.startswith("__"))}
        for sample in group_by_keys(files)
    ]


if len(sys.argv) > 1:
    for found in samples(open(sys.argv[1], "rb").read()):
        print(json.dumps(found, ensure_ascii=False))
    sys.exit()

buffer = io.BytesIO()
with webdataset.TarWriter(buffer, mtime=0) as writer:
    for index in range(4):
        writer.write({"__key__": f"part{index // 2}/{index:04d}", "png": PNG, "cls": index % 3, "json": {"label": "not read"}})
    writer.write({"__key__": "ü" * 80, "png": PNG, "cls": 1, "txt": "a caption"})
shard = buffer.getvalue()
assert tarfile.open(fileobj=io.BytesIO(shard)).getnames()
print(
    json.dumps(
        {
            "madeBy": f"tools/oracle/webdataset-samples.py with webdataset {webdataset.__version__}",
            "names": [{"name": name, "split": base_plus_ext(name)} for name in NAMES],
            "shard": base64.b64encode(gzip.compress(shard, mtime=0)).decode(),
            "samples": samples(shard),
        },
        ensure_ascii=False,
        indent=1,
    )
)
