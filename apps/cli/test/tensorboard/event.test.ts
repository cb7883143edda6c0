import { expect, test } from 'vitest'
import { encodeEvent, FILE_VERSION, outlineOf } from '../../src/tensorboard/event.js'
import { fieldsOf, message } from '../../src/tensorboard/protobuf.js'
import { decodeRecords, encodeRecord } from '../../src/tensorboard/records.js'
import { scalarsOf } from '../../src/tensorboard/run-events.js'

/** The header of a PNG of 2 by 3 RGB pixels. */
const PNG = Uint8Array.from(Buffer.from('89504e470d0a1a0a0000000d49484452000000020000000308020000', 'hex'))

/** Written by tensorboard 2.21.0 (tools/oracle/tensorboard-events.py). */
const REFERENCE = Buffer.from(
  '1800000000000000a37f4b220900002040fc54d9411a0d627261696e2e4576656e743a322b3531103800000000000000a3797d570900005040fc54' +
    'd94110ac022a2a0a110a0a747261696e2f6c6f7373150000003e0a150a0e68656c645f6f75742f6572726f7215000060c0f7fa15184200000000' +
    '00000079f36eaa0900000000000000401080e497d0122a310a2f0a0773616d706c65732224080310021803221c89504e470d0a1a0a0000000d49' +
    '484452000000020000000308020000' +
    '5724eaa0',
  'hex',
)

const EVENTS = [
  { wallTime: 1700000000.5, step: 0, fileVersion: FILE_VERSION },
  { wallTime: 1700000001.25, step: 300, scalars: { 'train/loss': 0.125, 'held_out/error': -3.5 } },
  { wallTime: 2, step: 5_000_000_000, images: { samples: PNG } },
]

test("events have the very bytes of TensorBoard's own writer", () => {
  const file = message(...EVENTS.map((event) => encodeRecord(encodeEvent(event))))
  expect(Buffer.from(file).toString('hex')).toBe(REFERENCE.toString('hex'))
})

test('what was written is read again: records, steps and names', () => {
  const { records, isWhole } = decodeRecords(REFERENCE)
  expect(isWhole).toBe(true)
  expect(records.map(outlineOf)).toEqual([
    { step: 0, tags: [] },
    { step: 300, tags: ['train/loss', 'held_out/error'] },
    { step: 5_000_000_000, tags: ['samples'] },
  ])
})

test('a file that is cut or damaged anywhere gives the records before that place', () => {
  const ends = decodeRecords(REFERENCE).records.map(
    ({ byteOffset, length }) => byteOffset - REFERENCE.byteOffset + length + 4,
  )
  for (let size = 0; size < REFERENCE.length; size++) {
    const { records, isWhole } = decodeRecords(REFERENCE.subarray(0, size))
    expect(records).toHaveLength(ends.filter((end) => end <= size).length)
    expect(isWhole).toBe(size === 0 || ends.includes(size))
    const damaged = Uint8Array.from(REFERENCE)
    damaged[size] ^= 1
    expect(decodeRecords(damaged).records).toHaveLength(ends.filter((end) => end <= size).length)
    expect(decodeRecords(damaged).isWhole).toBe(false)
  }
})

test('a message that ends within a field is refused', () => {
  expect(() => [...fieldsOf(Uint8Array.of(0x2a, 9, 1))]).toThrow('field 5 ends beyond its message')
  expect(() => [...fieldsOf(Uint8Array.of(0x2b))]).toThrow('field 5 has the unknown wire type 3')
  expect(() => [...fieldsOf(Uint8Array.of(0x80))]).toThrow(RangeError)
})

test('numbers of a step are grouped by what they are about, and counts are left out', () => {
  const record = { step: 2, loss: 0.5, mse: 0.25, gradNorm: 1, learningRate: 0.1, emaDecay: 0.9, examples: 8 }
  expect(scalarsOf({ ...record, measures: { heldOut: 0.2, 'heldOutSnr0.1': 0.3, fid: 12 } })).toEqual({
    'train/loss': 0.5,
    'train/mse': 0.25,
    'train/gradient_norm': 1,
    'train/learning_rate': 0.1,
    'train/ema_decay': 0.9,
    'held_out/error': 0.2,
    'held_out/error_at_snr_0.1': 0.3,
    'measures/fid': 12,
  })
})
