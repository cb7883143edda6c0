"""Writes packages/data/test/fixtures/pillow-crop.json: centre crops made with Pillow, for the tests of @dit/data.

    python tools/oracle/pillow-crop.py > packages/data/test/fixtures/pillow-crop.json

Needs Pillow 12 or older, as the reference of 2023 does: version 13 resizes tall pictures columns first.
Input pictures are not stored: byte i of a picture of width w and height h is hash(i, w, h) below.
"""

import base64
import json

import PIL
from PIL import Image

CASES = [  # width, height, target
    (64, 64, 16),
    (67, 45, 16),
    (33, 70, 16),
    (31, 31, 16),
    (16, 16, 16),
    (5, 9, 16),
    (1, 1, 8),
    (200, 131, 24),
    (48, 17, 16),
    (97, 389, 12),
    (21, 24, 20),
]


def source(width, height):
    """A smooth slope with hashed noise on top, so that both filters have something to do."""
    data = bytearray()
    for i in range(width * height * 3):
        noise = ((i * 2654435761 + width * 40503 + height * 65599) % 4294967296) >> 24
        slope = (i // 3 % width) * 255 // width
        data.append((noise + slope) // 2)
    return Image.frombytes("RGB", (width, height), bytes(data))


def center_crop(image, size):
    while min(image.size) >= 2 * size:
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    scale = size / min(image.size)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    left, top = (image.width - size) // 2, (image.height - size) // 2
    return image.crop((left, top, left + size, top + size))


cases = [
    {"width": w, "height": h, "size": size, "crop": base64.b64encode(center_crop(source(w, h), size).tobytes()).decode()}
    for w, h, size in CASES
]
print(json.dumps({"madeBy": f"tools/oracle/pillow-crop.py with Pillow {PIL.__version__}", "cases": cases}, indent=1))
