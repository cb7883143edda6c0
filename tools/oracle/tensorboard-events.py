"""Writes the event file, as hexadecimal digits, that apps/cli/test/tensorboard/event-file.test.ts compares with.

    python3 -m venv venv && venv/bin/pip install tensorboard==2.21.0
    venv/bin/python tools/oracle/tensorboard-events.py
"""
import io

from tensorboard.compat.proto import event_pb2
from tensorboard.summary.writer.record_writer import RecordWriter

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000020000000308020000")

first = event_pb2.Event(wall_time=1700000000.5, step=0, file_version="brain.Event:2")
scalars = event_pb2.Event(wall_time=1700000001.25, step=300)
for tag, value in {"train/loss": 0.125, "held_out/error": -3.5}.items():
    scalars.summary.value.add(tag=tag, simple_value=value)
image = event_pb2.Event(wall_time=2.0, step=5000000000)
image.summary.value.add(tag="samples").image.MergeFrom(
    type(image.summary.value[0].image)(height=3, width=2, colorspace=3, encoded_image_string=PNG)
)

file = io.BytesIO()
writer = RecordWriter(file)
for event in (first, scalars, image):
    writer.write(event.SerializeToString())
print(file.getvalue().hex())
